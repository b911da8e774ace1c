/**
 * A session of a node with itself: two ends in the node thread, with the window and the ends of any other, and no bytes on a wire.
 *
 * @module swarm/thread/own-session
 */
import type { CborMap } from '../../base/index.ts';
import { HEADER_BYTES } from '../frames/format.ts';
import { decodeMetadata, encodeMetadata } from '../rpc/envelope.ts';
import { SessionHandle, type SessionLink } from './session.ts';

const EMPTY = new Uint8Array(0);

/** Opener and acceptor, tied to each other. */
export function ownSession(
  peer: string,
  method: string,
  metadata: CborMap,
): readonly [opener: SessionHandle, acceptor: SessionHandle] {
  // As it would arrive: nothing of the opener's is shared.
  const arrived = decodeMetadata(encodeMetadata(metadata));
  let ended = 0;
  const linkTo = (other: () => SessionHandle, own: () => SessionHandle): SessionLink => ({
    send(bytes, payload) {
      const cost = HEADER_BYTES + (bytes?.length ?? 0) + (payload?.length ?? 0);
      const message = { metadata: decodeMetadata(bytes ?? EMPTY), payload: payload ?? EMPTY };
      queueMicrotask(() => other().onMessage(message, cost));
    },
    consumed: (bytes) => other().onSent(bytes),
    end() {
      queueMicrotask(() => {
        other().onEnded();
        if (++ended < 2) return;
        other().onOver(null);
        own().onOver(null);
      });
    },
    cancel(error = { code: 'aborted', message: 'The other side cancelled the session.', status: 499 }) {
      queueMicrotask(() => other().onOver({ ...error, remote: true }));
    },
  });
  const opener: SessionHandle = new SessionHandle(
    peer,
    method,
    metadata,
    'stream',
    linkTo(
      () => acceptor,
      () => opener,
    ),
  );
  const acceptor: SessionHandle = new SessionHandle(
    peer,
    method,
    arrived,
    'stream',
    linkTo(
      () => opener,
      () => acceptor,
    ),
  );
  return [opener, acceptor];
}
