/**
 * A call and a session of this node over a lane: what the swarm thread does for those over streams.
 *
 * @module swarm/thread/on-lane
 */
import { AbortedError, type CborMap, type KithError } from '../../base/index.ts';
import type { Channel } from '../rpc/channel.ts';
import type { Endpoint } from '../rpc/endpoint.ts';
import { fromWireError, wayErrors } from '../rpc/errors.ts';
import type { StreamContext } from '../rpc/framed-stream.ts';
import { Opening } from '../rpc/opening.ts';
import type { CallOut } from '../rpc/outbound.ts';
import type { SessionCaps } from '../rpc/session-end.ts';
import type { Session } from '../types.ts';
import { eventsTo, linkTo, SessionHandle } from './session.ts';

/**
 * `otherwise` is called instead of `call.failed` when the lane was gone before the call could have run, or when it has no
 * payload and may be asked again under its id. @returns cancels the call
 */
export function callOnLane(
  endpoint: Endpoint,
  peer: string,
  call: CallOut,
  otherwise: () => void,
): () => void {
  const way = { aborted: false };
  let cancel = () => {
    way.aborted = true;
  };
  const failed: CallOut['failed'] = (error) => {
    const broke = error.code === 'swarm_reset' && error.remote !== true;
    if (error.code === 'swarm_unreachable' || (broke && call.payload === undefined)) otherwise();
    else call.failed(error);
  };
  void endpoint.call(peer, { ...call, failed }, way, (stop) => {
    cancel = stop;
  });
  return () => cancel();
}

export interface LaneOpening {
  readonly peer: string;
  readonly method: string;
  readonly metadata: CborMap;
  readonly envelope: Uint8Array;
  readonly caps: SessionCaps;
  readonly openMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Opens the session on the lane. @throws {KithError} as `openSession` */
export function openOnLane(
  channel: Channel,
  context: StreamContext,
  { peer, method, metadata, envelope, caps, openMs, signal }: LaneOpening,
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const handle = new SessionHandle(
      peer,
      method,
      metadata,
      'lane',
      linkTo(() => opening.session),
    );
    const events = eventsTo(handle);
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: KithError) => {
      done();
      reject(error);
      opening.session.cancel();
    };
    const onAbort = () => giveUp(new AbortedError(undefined, { cause: signal!.reason }));
    const timer = setTimeout(() => giveUp(fromWireError(wayErrors.timeout(openMs), peer)), openMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const opening = new Opening(channel, peer, envelope, caps, context, {
      ...events,
      opened: () => {
        done();
        resolve(handle);
      },
      over: (error) => {
        done();
        events.over(error);
        reject(fromWireError(error ?? wayErrors.reset('the peer ended it'), peer));
      },
    });
    if (signal?.aborted) onAbort();
  });
}
