/**
 * What the Hivemind bridge gives to the rooms above: finding and storing in a DHT of Hivemind nodes. What is found there are
 * claims of strangers: anybody may store anything under any key.
 *
 * @module swarm/hivemind/types
 */
import type { Clock, Logger, Random } from '../../base/index.ts';
import type { ForeignProtocols } from '../types.ts';
import type { MsgValue } from './msgpack.ts';

/** A value that somebody stored. */
export interface HivemindClaim {
  /** Undefined when its bytes are no value of MessagePack, as those with a signature behind them. */
  readonly value: MsgValue | undefined;
  readonly bytes: Uint8Array;
  /** Seconds since 1970. */
  readonly expiration: number;
}

/** One of a dictionary's values. */
export interface HivemindEntry extends HivemindClaim {
  readonly subkey: MsgValue;
}

export interface HivemindFound {
  /** Null when nobody has the key, or a dictionary. */
  readonly regular: HivemindClaim | null;
  /** By expiration, latest first; empty when the key has no dictionary. */
  readonly entries: readonly HivemindEntry[];
  /** Nodes that were asked, and that answered. */
  readonly asked: number;
  readonly answered: number;
}

export interface HivemindStored {
  /** Nodes that took it, that have something newer, and that did not answer. */
  readonly stored: number;
  readonly refused: number;
  readonly failed: number;
}

export interface HivemindState {
  /** 40 hex digits. */
  readonly node: string;
  /** Nodes that have answered. */
  readonly contacts: readonly { readonly peer: string; readonly node: string }[];
  /** What is kept for others; null when this node keeps nothing. */
  readonly kept: { readonly keys: number; readonly bytes: number } | null;
  /** Clock of the last node that told its own, minus this node's, seconds; null before. */
  readonly clockOffset: number | null;
}

export interface Hivemind extends AsyncDisposable {
  /** @throws {KithError} `hivemind_unreachable` when no node of the DHT answers */
  find(key: MsgValue, options?: { readonly signal?: AbortSignal }): Promise<HivemindFound>;
  /**
   * Stores at the nodes nearest to the key. `expiration` is seconds since 1970; nodes refuse what does not expire later
   * than what they have.
   *
   * @throws {KithError} `hivemind_unreachable` when no node of the DHT answers
   */
  store(
    record: {
      readonly key: MsgValue;
      readonly subkey?: MsgValue;
      readonly value: MsgValue;
      readonly expiration: number;
    },
    options?: { readonly signal?: AbortSignal },
  ): Promise<HivemindStored>;
  state(): HivemindState;
}

export interface HivemindOptions {
  readonly network: ForeignProtocols;
  /** PeerId of this node. */
  readonly self: string;
  /** Multiaddrs of nodes of the DHT, each ending in `/p2p/`. */
  readonly bootstrap: readonly string[];
  /** Whether to keep records for others and answer them; false: only ask. */
  readonly serve: boolean;
  /** Whether private addresses that strangers tell may be dialled. */
  readonly lan: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
}
