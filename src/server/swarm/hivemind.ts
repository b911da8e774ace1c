/**
 * The Hivemind bridge under `/kith/v1/swarm/hivemind`: this node's part in that DHT, what stands there under a key, and
 * what it tells of itself. Values are claims of strangers, shown and used for nothing.
 *
 * @module server/swarm/hivemind
 */
import { z } from 'zod';
import type { Json } from '../../swarm/index.ts';

/** `GET /kith/v1/swarm/hivemind`. Moments ms since 1970. */
export interface HivemindView {
  /** False: no node of the DHT is configured. */
  readonly on: boolean;
  /** This node's id in the DHT, 40 hex digits; null when off. */
  readonly node: string | null;
  /** Multiaddrs of the owner's configuration. */
  readonly bootstrap: readonly string[];
  /** Nodes that have answered. */
  readonly contacts: readonly { readonly peer: string; readonly node: string }[];
  /** What is kept for others; null: nothing, this node only asks. */
  readonly kept: { readonly keys: number; readonly bytes: number } | null;
  /** Clock of a node there minus this node's, ms; null before one told. */
  readonly clockOffsetMs: number | null;
  /** Null: this node tells nothing of itself. */
  readonly announcing: HivemindAnnounced | null;
}

/** `POST /kith/v1/swarm/hivemind/announce`. */
export interface HivemindAnnounced {
  readonly key: string;
  readonly subkey: string;
  /** Ids of the models that were named. */
  readonly models: readonly string[];
  /** Last time that a node took it; null before. */
  readonly at: number | null;
  readonly expiresAt: number | null;
  /** Nodes that took it, had something newer, or did not answer, the last time. */
  readonly stored: number;
  readonly refused: number;
  readonly failed: number;
  /** Why nobody has it, for people; null when somebody does. */
  readonly message: string | null;
}

export interface HivemindClaimView {
  /** As JSON; null too when `raw` is given. */
  readonly value: Json;
  /** Its first bytes as `0x...` when it is no value that can be shown; else null. */
  readonly raw: string | null;
  /** Length as stored. */
  readonly bytes: number;
  readonly expiresAt: number;
}

/** `GET /kith/v1/swarm/hivemind/find`. */
export interface HivemindFindView {
  readonly key: string;
  /** Of a key without subkeys; null when nobody has it. */
  readonly claim: HivemindClaimView | null;
  /** Of a key with subkeys, those that expire last first. */
  readonly entries: readonly ({ readonly subkey: Json } & HivemindClaimView)[];
  /** Entries that the list is too short for. */
  readonly more: number;
  /** Nodes that were asked, and that answered. */
  readonly asked: number;
  readonly answered: number;
}

/** The bridge as its routes see it. `find` and `announce` throw `hivemind_off` (409) and `hivemind_unreachable` (503). */
export interface HivemindDesk {
  view(): Promise<HivemindView>;
  find(query: HivemindQuery, signal: AbortSignal): Promise<HivemindFindView>;
  announce(signal: AbortSignal): Promise<HivemindAnnounced>;
}

export interface HivemindQuery {
  readonly key: string;
  /** Null: all subkeys. */
  readonly subkey: string | null;
  readonly limit: number;
}

export const hivemindQuery = z
  .strictObject({
    key: z.string().min(1).max(1000),
    subkey: z.string().min(1).max(1000).optional(),
    limit: z
      .string()
      .regex(/^[1-9]\d{0,3}$/, 'must be a whole number from 1 to 4096')
      .transform(Number)
      .refine((value) => value <= 4096, 'must be from 1 to 4096')
      .default(200),
  })
  .transform(({ subkey = null, ...rest }): HivemindQuery => ({ ...rest, subkey }));
