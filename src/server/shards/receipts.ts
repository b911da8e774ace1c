/**
 * `GET /kith/v1/shards/receipts`: what this node computed for paths of peers and they for its own, with the signatures.
 *
 * @module server/shards/receipts
 */
import { z } from 'zod';
import { isPeerId } from '../../base/index.ts';
import type { WorkTotal } from '../../shards/index.ts';
import { once } from '../gateway/cache.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ShardRouting } from './index.ts';

/** Counts are whole numbers; times ms since 1970. */
export interface WorkReceiptView {
  /** SHA-256 of the receipt, hexadecimal. */
  readonly name: string;
  /** `given`: this node computed. `taken`: the peer did. */
  readonly side: 'given' | 'taken';
  readonly peer: string;
  /** `half`: the owner has not answered. `disputed`: his counts are others. */
  readonly state: 'signed' | 'half' | 'disputed';
  readonly reason: string | null;
  /** SHA-256 of the model's file. */
  readonly model: string;
  /** Its id on this node; null where it is not known. */
  readonly modelId: string | null;
  /** From the first block to the one after the last. */
  readonly blocks: readonly [number, number];
  readonly sequence: number;
  readonly part: number;
  readonly prompt: number;
  readonly decode: number;
  readonly replayed: number;
  readonly steps: number;
  readonly ms: number;
  readonly begun: number;
  readonly ended: number;
  /** The receipt before it never came here. */
  readonly missingOne: boolean;
  /** Base64 each. */
  readonly receipt: string;
  readonly shardSignature: string;
  readonly ownerSignature: string | null;
}

/** `modelId`: its id on this node; null where it is not known. */
export type WorkTotalView = WorkTotal & { readonly modelId: string | null };

export interface WorkView {
  /** Newest first. */
  readonly receipts: readonly WorkReceiptView[];
  /** How many there are. */
  readonly total: number;
  readonly totals: readonly WorkTotalView[];
  /** Two receipts of one peer that cannot both be, with its signatures. */
  readonly contradictions: readonly {
    readonly peer: string;
    readonly at: number;
    readonly first: { readonly receipt: string; readonly shardSignature: string };
    readonly second: { readonly receipt: string; readonly shardSignature: string };
  }[];
}

export interface WorkViewQuery {
  readonly peer?: string;
  readonly side?: 'given' | 'taken';
  /** ms since 1970. Sums are of what is kept since then; without it, of all that ever was. */
  readonly since?: number;
  readonly limit: number;
}

export interface WorkDesk {
  receipts(query: WorkViewQuery): Promise<WorkView>;
}

const MAX_LISTED = 5000;

const query = z.strictObject({
  peer: z
    .string()
    .refine(isPeerId, 'must be a PeerId such as 12D3KooW... (kith p2p info shows that of a node)')
    .exactOptional(),
  side: z.enum(['given', 'taken']).exactOptional(),
  since: z
    .string()
    .regex(/^\d{1,15}$/, 'must be ms since 1970')
    .transform(Number)
    .exactOptional(),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= 1 && value <= MAX_LISTED, `must be from 1 to ${MAX_LISTED}`)
    .default(100),
});

export function receiptRoutes({ desk, control }: ShardRouting): Route[] {
  return [
    control('GET', '/receipts', ({ query: asked }) => desk().work.receipts(parseBody(query, once(asked)))),
  ];
}
