/**
 * What crosses between the node thread and the swarm thread. Payloads are moved. Numbers `n` name an exchange and are given
 * by the side that starts it; `s` a session: even ones are opened by this node, odd ones by peers.
 *
 * @module swarm/thread/messages
 */
import type { CborMap } from '../../base/index.ts';
import type { Tier } from '../../trust/index.ts';
import type { GateSettings } from '../gate/gate.ts';
import type { LaneLink } from '../lane/lanes.ts';
import type { NodeSettings } from '../libp2p/config.ts';
import type { ForeignAsk, ForeignRules } from '../libp2p/foreign.ts';
import type { TopicLimits } from '../libp2p/host.ts';
import type { WireError } from '../rpc/errors.ts';
import type { StreamLimits } from '../rpc/framed-stream.ts';
import type { MethodRules } from '../rpc/inbound.ts';
import type { SessionCaps } from '../rpc/session-end.ts';
import type { GossipVerdict, Misbehaviour, NatReport, PeerLink, ProviderRecord } from '../types.ts';

export interface ThreadSettings {
  readonly node: NodeSettings;
  readonly gate: GateSettings;
  readonly streams: StreamLimits;
  readonly counters: SharedArrayBuffer;
  /** What peers have used, counted by both threads. */
  readonly ledger: SharedArrayBuffer;
  /** Folder of compiled code to share; undefined without one. */
  readonly compileCache: string | undefined;
}

/** One-answer operations of the host. */
export interface Operations {
  dial(target: string, deadlineMs: number): PeerLink;
  learn(peer: string, addresses: readonly string[]): null;
  disconnect(peer: string): null;
  links(): readonly PeerLink[];
  /** Pins the peer's place in the ledger unless the answer is null. */
  lane(peer: string, asking: boolean): LaneLink | null;
  nat(): NatReport;
  ping(peer: string, deadlineMs: number): number;
  subscribe(topic: string, limits: TopicLimits): null;
  unsubscribe(topic: string): null;
  publish(topic: string, data: Uint8Array): number;
  subscribers(topic: string): readonly string[];
  provide(key: Uint8Array): null;
  unprovide(key: Uint8Array): null;
  /** Found ones come as `provider` before the answer. */
  findProviders(key: Uint8Array, limit: number, deadlineMs: number): null;
  askForeign(ask: ForeignAsk, deadlineMs: number): Uint8Array;
  handleForeign(protocol: string, rules: ForeignRules): null;
  unhandleForeign(protocol: string): null;
  addressesOf(peers: readonly string[]): ReadonlyMap<string, readonly string[]>;
  ban(peer: string, until: number | null): null;
  unban(peer: string): null;
  close(): null;
}
export type OperationName = keyof Operations;

export type ToSwarm =
  | {
      readonly k: 'call';
      readonly n: number;
      readonly peer: string;
      readonly envelope: Uint8Array;
      readonly payload: Uint8Array | undefined;
      readonly deadlineMs: number;
      readonly maxReplyBytes: number;
    }
  | {
      readonly k: 'open';
      readonly s: number;
      readonly peer: string;
      readonly envelope: Uint8Array;
      readonly caps: SessionCaps;
      readonly openMs: number;
    }
  /** The caller of a call, an operation or an opening has left. */
  | { readonly k: 'abort'; readonly n: number }
  | {
      readonly k: 'answer';
      readonly n: number;
      readonly metadata?: Uint8Array | undefined;
      readonly payload?: Uint8Array | undefined;
      readonly error?: WireError | undefined;
    }
  | { readonly k: 'accept'; readonly s: number }
  | {
      readonly k: 'send';
      readonly s: number;
      readonly metadata: Uint8Array | undefined;
      readonly payload: Uint8Array | undefined;
    }
  | { readonly k: 'consumed'; readonly s: number; readonly bytes: number }
  | { readonly k: 'end'; readonly s: number }
  | { readonly k: 'cancel'; readonly s: number; readonly error: WireError | undefined }
  | { readonly k: 'method'; readonly name: string; readonly rules: MethodRules | null }
  | { readonly k: 'do'; readonly n: number; readonly op: OperationName; readonly args: readonly unknown[] }
  /** A peer with a lane misbehaved there; so many lanes of a peer count in its place no more. */
  | { readonly k: 'strike'; readonly peer: string; readonly kind: Misbehaviour }
  | { readonly k: 'unpin'; readonly peer: string; readonly pins: number }
  | { readonly k: 'verdict'; readonly n: number; readonly verdict: GossipVerdict }
  /** What a foreign request is answered with; null: nothing. */
  | { readonly k: 'foreign'; readonly n: number; readonly data: Uint8Array | null }
  | { readonly k: 'admitted'; readonly n: number; readonly admitted: boolean };

export type ToNode =
  | { readonly k: 'ready'; readonly peer: string; readonly addresses: readonly string[] }
  | { readonly k: 'unable'; readonly message: string }
  | { readonly k: 'reply'; readonly n: number; readonly metadata: CborMap; readonly payload: Uint8Array }
  | { readonly k: 'failed'; readonly n: number; readonly error: WireError }
  | { readonly k: 'done'; readonly n: number; readonly value: unknown }
  | { readonly k: 'provider'; readonly n: number; readonly provider: ProviderRecord }
  | {
      readonly k: 'request';
      readonly n: number;
      readonly peer: string;
      readonly callId: string;
      readonly method: string;
      readonly metadata: CborMap;
      readonly payload: Uint8Array;
      readonly deadlineMs: number | null;
    }
  /** The caller of a request has left. */
  | { readonly k: 'gone'; readonly n: number }
  | {
      readonly k: 'session';
      readonly s: number;
      readonly peer: string;
      readonly method: string;
      readonly metadata: CborMap;
    }
  | { readonly k: 'opened'; readonly s: number }
  | {
      readonly k: 'message';
      readonly s: number;
      readonly metadata: CborMap;
      readonly payload: Uint8Array;
      readonly cost: number;
    }
  | { readonly k: 'sent'; readonly s: number; readonly bytes: number }
  | { readonly k: 'ended'; readonly s: number }
  | { readonly k: 'over'; readonly s: number; readonly error: WireError | null }
  | {
      readonly k: 'gossip';
      readonly n: number;
      readonly topic: string;
      readonly from: string;
      readonly via: string;
      readonly data: Uint8Array;
    }
  | {
      readonly k: 'foreign';
      readonly n: number;
      readonly protocol: string;
      readonly peer: string;
      readonly data: Uint8Array;
    }
  /** Whether the peer may connect; with a tier, whether it has that at least. */
  | { readonly k: 'admit'; readonly n: number; readonly peer: string; readonly tier?: Tier }
  | {
      readonly k: 'misbehaved';
      readonly peer: string;
      readonly kind: Misbehaviour;
      readonly banned: number | null;
    }
  /** All of the peer is to end now. */
  | { readonly k: 'cut'; readonly peer: string }
  /** Something failed where nobody waits for it. */
  | { readonly k: 'fault'; readonly message: string }
  | { readonly k: 'peer'; readonly peer: string; readonly connected: boolean }
  | { readonly k: 'addresses'; readonly addresses: readonly string[] };

/** To the swarm thread, with the buffers that move there. */
export type Post = (message: ToSwarm, move?: readonly ArrayBuffer[]) => void;

/** Buffers that may be moved: those that a view has for itself. Pools of Node are shared and stay. */
export function movable(...views: readonly (Uint8Array | undefined)[]): ArrayBuffer[] {
  const out: ArrayBuffer[] = [];
  // Small ones are cheaper to copy than to move.
  for (const view of views)
    if (view !== undefined && view.length >= 1024 && view.length === view.buffer.byteLength)
      if (view.buffer instanceof ArrayBuffer) out.push(view.buffer);
  return out;
}

/** The view alone in its buffer, so that a thread never gets more bytes than were meant for it. */
export function alone(view: Uint8Array | undefined): Uint8Array | undefined {
  if (view === undefined || (view.length === view.buffer.byteLength && view.constructor === Uint8Array))
    return view;
  return new Uint8Array(view);
}

/**
 * The bytes in a buffer that nobody else has: as when they move to the other thread, the giver's view is empty afterwards.
 */
export function taken(view: Uint8Array | undefined): Uint8Array | undefined {
  const [buffer] = movable(view);
  return buffer === undefined ? view : new Uint8Array(buffer.transfer());
}
