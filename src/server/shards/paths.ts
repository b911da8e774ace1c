/**
 * Paths through peers and circuits: `GET /kith/v1/shards/plan`, and `/kith/v1/shards/circuits`.
 *
 * @module server/shards/paths
 */
import { z } from 'zod';
import { InputError, isPeerId, type PeerRequirements, TIERS } from '../../base/index.ts';
import type { CircuitView, Via } from '../../shards/index.ts';
import type { LeftOut } from '../../swarm/index.ts';
import { once } from '../gateway/cache.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ShardRouting } from './index.ts';

export type { CircuitView } from '../../shards/index.ts';

export interface PathPlanQuery {
  readonly model: string;
  readonly requirements: PeerRequirements;
  /** Null: through whoever is best. */
  readonly via: readonly Via[] | null;
  /** KV cells; null: as the node is set. */
  readonly cells: number | null;
}

export interface PlannedShardView {
  readonly peer: string;
  readonly from: number;
  readonly to: number;
  /** Predicted ms for one token: of its blocks, and of the way to it. */
  readonly computeMs: number;
  readonly linkMs: number;
}

export interface PathPlanView {
  readonly model: string;
  /** Blocks of the model. */
  readonly blocks: number;
  /** Blocks [from, to) that peers compute; this node computes the others and the two ends. */
  readonly span: { readonly from: number; readonly to: number };
  readonly cells: number;
  /** Null: there is none. */
  readonly path: {
    readonly shards: readonly PlannedShardView[];
    /** Predicted, between two tokens; the last way back to this node is in it. */
    readonly msPerToken: number;
  } | null;
  /** Blocks that nobody serves who may be asked. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
  /** What the best path would take without one of its peers; null: there would be none. */
  readonly alternatives: readonly {
    readonly without: string;
    readonly msPerToken: number | null;
    readonly peers: readonly string[];
  }[];
  /** Every other peer that is known, each with one reason. */
  readonly leftOut: readonly LeftOut[];
}

export interface CircuitOrderView {
  readonly model: string;
  readonly name: string | null;
  readonly ttlMs: number;
  readonly requirements: PeerRequirements;
  readonly via: readonly Via[] | null;
  readonly cells: number | null;
}

export interface PathsDesk {
  /** @throws InputError `model_not_found` */
  plan(query: PathPlanQuery): Promise<PathPlanView>;
  circuits(): Promise<readonly CircuitView[]>;
  /** @throws KithError `circuit_exists`, `circuits_full`, `path_gap`, `path_none`, `path_busy` */
  create(order: CircuitOrderView, signal: AbortSignal): Promise<CircuitView>;
  /** False when there is none of that name. */
  close(name: string): Promise<boolean>;
}

const MOST_VIA = 64;
const MOST_BLOCK = 65_536;
const DAY_MS = 86_400_000;

const peerId = z.string().refine(isPeerId, 'must be a PeerId such as 12D3KooW...');
const span = z
  .strictObject({ from: z.int().min(0).max(MOST_BLOCK), to: z.int().min(1).max(MOST_BLOCK) })
  .refine(({ from, to }) => from < to, 'from must be less than to');
const via = z
  .array(z.strictObject({ peer: peerId, span: span.nullable().default(null) }))
  .min(1)
  .max(MOST_VIA);
const cells = z.int().min(1).max(131_072);
const requirements = {
  minTier: z.enum(TIERS).exactOptional(),
  maxLatencyMs: z.number().min(0).max(1e9).exactOptional(),
  regions: z.array(z.string().min(1).max(32)).min(1).max(16).exactOptional(),
  pledge: z.boolean().exactOptional(),
};
const model = z.string().min(1).max(200);

/** Body of an order. */
export const circuitSchema = z.strictObject({
  model,
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and -')
    .refine((name) => name !== 'peers', "'peers' stands for any path")
    .nullable()
    .default(null),
  ttlMs: z
    .int()
    .min(1000)
    .max(30 * DAY_MS)
    .default(30 * 60_000),
  requirements: z.strictObject(requirements).default({}),
  via: via.nullable().default(null),
  cells: cells.nullable().default(null),
});

/** What a query string asks; `via` as `PEER` or `PEER:FIRST-LAST`, with commas between. */
export const planQuery = z
  .strictObject({
    model,
    minTier: z.enum(TIERS).optional(),
    region: z.string().min(1).max(200).optional(),
    maxLatencyMs: z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number)
      .optional(),
    pledge: z.enum(['true', 'false']).optional(),
    via: z
      .string()
      .min(1)
      .max(8000)
      .transform((text) => text.split(',').map(viaOf))
      .pipe(via)
      .optional(),
    cells: z
      .string()
      .regex(/^\d{1,6}$/)
      .transform(Number)
      .pipe(cells)
      .optional(),
  })
  .transform(({ model, minTier, region, maxLatencyMs, pledge, via: through, cells }) => ({
    model,
    requirements: {
      ...(minTier === undefined ? {} : { minTier }),
      ...(region === undefined ? {} : { regions: region.split(',') }),
      ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
      ...(pledge === 'true' ? { pledge: true } : {}),
    },
    via: through ?? null,
    cells: cells ?? null,
  }));

function viaOf(text: string): z.input<typeof via>[number] {
  const [peer, range] = text.split(':', 2);
  if (range === undefined) return { peer: peer! };
  const [first, last = first] = range.split('-', 2).map(Number);
  return { peer: peer!, span: { from: first!, to: last! + 1 } };
}

export function pathRoutes({ desk, control, monitor }: ShardRouting): Route[] {
  return [
    monitor('/plan', ({ query }) => desk().paths.plan(parseBody(planQuery, once(query)))),
    control('GET', '/circuits', async () => ({ circuits: await desk().paths.circuits() })),
    control('POST', '/circuits', async (exchange) =>
      desk().paths.create(parseBody(circuitSchema, await exchange.json()), exchange.signal),
    ),
    control('DELETE', '/circuits/:name', async ({ params }) => {
      const name = params.name ?? '';
      if (await desk().paths.close(name)) return { name, closed: true };
      throw new InputError(
        'circuit_unknown',
        `There is no circuit '${name.slice(0, 64)}'. kith shard circuits list shows those that are open.`,
        { status: 404, param: 'name' },
      );
    }),
  ];
}
