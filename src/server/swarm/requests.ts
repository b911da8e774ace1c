/**
 * Reads what callers of the swarm's routes ask, within bounds.
 *
 * @module server/swarm/requests
 */
import { z } from 'zod';
import { isPeerAddress, isPeerId, TIERS } from '../../base/index.ts';
import type { Serves } from '../../swarm/index.ts';
import type { FindQuery } from './types.ts';

// Written again, since the room that owns these words is loaded only when there is a swarm.
const SERVES = ['blocks', 'chat', 'embeddings', 'storage'] as const satisfies readonly Serves[];

/** Characters of a message, as the swarm room bounds them. */
const MESSAGE_MAX_CHARS = 8_000;
const CONNECT_MS = 15_000;
const PING_MS = 5_000;

const peerId = z
  .string()
  .refine(isPeerId, 'must be a PeerId such as 12D3KooW... (kith p2p info shows that of a node)');
const deadline = (initial: number) => z.int().min(100).max(60_000).default(initial);
const text = (pattern: RegExp, message: string) => z.string().max(200).regex(pattern, message);
const number = (max: number) =>
  text(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be from 1 to ${max}`);
const yes = z.enum(['true', 'false']).transform((value) => value === 'true');

export const connectSchema = z.strictObject({
  target: z
    .string()
    .max(512)
    .refine(
      (value) => isPeerId(value) || isPeerAddress(value),
      'must be a PeerId, or a multiaddr that ends in one, such as /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...',
    ),
  deadlineMs: deadline(CONNECT_MS),
});

export const pingSchema = z.strictObject({ deadlineMs: deadline(PING_MS) });

export const messageSchema = z.strictObject({
  to: peerId,
  text: z.string().min(1).max(MESSAGE_MAX_CHARS),
});

export const banSchema = z.strictObject({
  peer: peerId,
  /** ms from now; null: for good. */
  forMs: z
    .int()
    .min(1_000)
    .max(100 * 365 * 86_400_000)
    .nullable()
    .default(null),
});

export const peersQuery = z.strictObject({ limit: number(4096).default(500) });

export const receiptsQuery = z.strictObject({
  peer: peerId.exactOptional(),
  way: z.enum(['given', 'got']).exactOptional(),
  limit: number(1000).default(100),
});

export const outboxQuery = z.strictObject({ limit: number(1000).default(100) });

export const inboxQuery = z.strictObject({ unread: yes.default(false), limit: number(1000).default(100) });

/** What a query string asks of the registry. */
export const findQuery = z
  .strictObject({
    model: z.string().min(1).max(200).optional(),
    serves: z.enum(SERVES).optional(),
    blocks: text(
      /^\d{1,5}(-\d{1,5})?$/,
      'must be a block or two of them, first and last, such as 0-11',
    ).optional(),
    minTier: z.enum(TIERS).optional(),
    maxLatencyMs: number(600_000).optional(),
    regions: text(/^[a-z0-9-]{1,32}(,[a-z0-9-]{1,32}){0,7}$/, 'must be region tags with commas').optional(),
    pledge: yes.default(false),
    limit: number(1000).default(200),
  })
  .transform((given, context): { readonly query: FindQuery; readonly limit: number } => {
    const blocks = given.blocks === undefined ? null : rangeOf(given.blocks);
    const refuse = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    };
    if (blocks !== null && blocks[0] >= blocks[1]) return refuse('blocks', 'ends before it begins');
    const serves =
      given.serves ?? (blocks !== null ? 'blocks' : given.model === undefined ? 'storage' : 'chat');
    if (blocks !== null && serves !== 'blocks')
      return refuse('blocks', `is for serves=blocks, not ${serves}`);
    if (serves !== 'storage' && given.model === undefined)
      return refuse('model', `is missing: who serves ${serves} serves it of a model`);
    const query: FindQuery = {
      model: given.model ?? null,
      serves,
      blocks,
      minTier: given.minTier ?? null,
      maxLatencyMs: given.maxLatencyMs ?? null,
      regions: given.regions?.split(',') ?? [],
      pledge: given.pledge,
    };
    return { query, limit: given.limit };
  });

/** First and last block as [start, end). */
function rangeOf(text: string): readonly [number, number] {
  const [first, last = first] = text.split('-').map(Number) as [number, number?];
  return [first, last + 1];
}

export const peerParam = z.strictObject({ peer: peerId });
