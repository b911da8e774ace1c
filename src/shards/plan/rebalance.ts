/**
 * Whether a node that chose its blocks by itself takes others, and when. Pure: what it knows comes in, a decision and what to
 * remember until the next look come out.
 *
 * A move has to be worth it: fewer blocks that nobody serves; or a weakest block that is stronger by a threshold; or, where several
 * stretches are weakest and no move mends all of them, blocks that are stronger together while the weakest is no weaker. Each
 * only gets better, so that a swarm in which nobody comes or goes comes to rest. Nodes that want the same move one at a time: they wait in an
 * order that all of them know from the announcements, and whoever moves announces it before those behind him have their turn.
 * After a move a node rests, twice as long after each that follows soon.
 *
 * @module shards/plan/rebalance
 */
import type { BlockSpan } from '../types.ts';
import { type Choice, chooseRange, drawOf, type ModelShape, type NodeMeans, spanText } from './choose.ts';
import { ALIKE, blockRates, type ServedBlocks, type Strength, strengthOf } from './strength.ts';

export interface RebalanceRequest {
  /** Names the model in the order of nodes; the same at all of them. */
  readonly name: string;
  readonly model: ModelShape;
  /** With the memory that the range it serves now would give back. */
  readonly node: NodeMeans;
  /** What this node serves. */
  readonly serving: ServedBlocks & { readonly ranges: readonly [BlockSpan] };
  /** What others serve, or are about to. */
  readonly others: readonly ServedBlocks[];
  /** Whether the bytes of blocks are on this disk. @default they are */
  readonly isHere?: (span: BlockSpan) => boolean;
}

export interface RebalanceLimits {
  /** Part by which the weakest block has to become stronger, or all together by half of it. @default 0.2 */
  readonly improvement: number;
  /** Least ms between two moves that strengthen. @default 600000 */
  readonly restMs: number;
  /** Least ms between two moves of which the later closes a gap. @default 60000 */
  readonly gapRestMs: number;
  /** No rest is longer, ms. @default 14400000 */
  readonly mostRestMs: number;
  /** ms that each node gets to announce its move before the next one's turn. @default 20000 */
  readonly turnMs: number;
  /** ms that a gap has to last before a move that opens another, smaller one. @default 120000 */
  readonly patienceMs: number;
}

export const REBALANCE_LIMITS: RebalanceLimits = {
  improvement: 0.2,
  restMs: 600_000,
  gapRestMs: 60_000,
  mostRestMs: 14_400_000,
  turnMs: 20_000,
  patienceMs: 120_000,
};

/** What is remembered between two looks. */
export interface RebalanceMemory {
  /** Monotonic ms of the last moves, oldest first. */
  readonly moves: readonly number[];
  /** What is wanted, and since when. */
  readonly wish: { readonly what: string; readonly since: number } | null;
}

export const NO_MEMORY: RebalanceMemory = { moves: [], wish: null };

export type Decision =
  | { readonly kind: 'stay'; readonly reason: string }
  /** Worth it, but not before `at`, monotonic ms. */
  | { readonly kind: 'wait'; readonly at: number; readonly to: BlockSpan; readonly reason: string }
  /** It is this node's turn, but the bytes have to come first. */
  | { readonly kind: 'fetch'; readonly to: BlockSpan; readonly reasons: readonly string[] }
  | { readonly kind: 'move'; readonly to: BlockSpan; readonly reasons: readonly string[] };

/** Of nodes further behind, several may move at once. */
const MOST_TURNS = 15;
/** Moves that are remembered. */
const MOST_MOVES = 12;

interface Wish {
  readonly to: BlockSpan;
  /** The same at all nodes that want to mend it. */
  readonly what: string;
  readonly gap: boolean;
  /** It leaves blocks that nobody else has. */
  readonly opens: boolean;
  readonly choice: Choice;
}

export function considerMove(
  request: RebalanceRequest,
  memory: RebalanceMemory,
  now: number,
  limits: RebalanceLimits = REBALANCE_LIMITS,
): { readonly decision: Decision; readonly memory: RebalanceMemory } {
  const moves = memory.moves.filter((at) => now - at < 2 * limits.mostRestMs);
  const wish = wishOf(request, limits);
  if (typeof wish === 'string')
    return { decision: { kind: 'stay', reason: wish }, memory: { moves, wish: null } };
  const since = memory.wish?.what === wish.what ? memory.wish.since : now;
  const next = { moves, wish: { what: wish.what, since } };
  const { to } = wish;
  const last = moves.at(-1);
  const rest = last === undefined ? 0 : last + restOf(moves.length, wish.gap, limits);
  const turn = since + placeOf(request, wish.what) * limits.turnMs;
  const patient = wish.opens ? turn + limits.patienceMs : turn;
  const at = Math.max(rest, patient);
  if (at > now) {
    const reason = rest >= patient ? 'This node moved not long ago.' : 'Other nodes come first.';
    return { decision: { kind: 'wait', at, to, reason }, memory: next };
  }
  const { reasons } = wish.choice;
  if (request.isHere?.(to) === false) return { decision: { kind: 'fetch', to, reasons }, memory: next };
  return {
    decision: { kind: 'move', to, reasons },
    memory: { moves: [...moves, now].slice(-MOST_MOVES), wish: null },
  };
}

/**
 * What to remember when bytes have come: the turns begin anew. A download takes longer than a turn, so that nodes behind this one
 * may have begun theirs; who then has his bytes first looks again, in the order of turns, before he moves.
 */
export const afterFetch = ({ moves, wish }: RebalanceMemory, now: number): RebalanceMemory => ({
  moves,
  wish: wish === null ? null : { what: wish.what, since: now },
});

/** The move that is worth it, or why none is. */
function wishOf(request: RebalanceRequest, { improvement }: RebalanceLimits): Wish | string {
  const { model, node, serving, others } = request;
  const blocks = model.blockBytes.length;
  const now = strengthOf(blockRates([...others, serving], blocks));
  const [at] = serving.ranges;
  const judge = (choice: Choice, opens: boolean): Wish | null => {
    const { span, after } = choice;
    if (span === null || (span.from === at.from && span.to === at.to)) return null;
    const gap = missing(after) < missing(now);
    const stronger =
      now.least > 0 &&
      (after.least > now.least * (1 + improvement) ||
        (after.least >= now.least * (1 - ALIKE) && after.seconds < now.seconds * (1 - improvement / 2)));
    if (!gap && !stronger) return null;
    const what = gap
      ? `gap ${now.gaps.map(spanText).join(', ')}`
      : `weak ${now.weakest === null ? '' : spanText(now.weakest)}`;
    return { to: span, what, gap, opens, choice };
  };
  const keep = soleBlocks(at, others, blocks);
  const wish = judge(chooseRange({ model, node, others, keep }), false);
  if (wish !== null) return wish;
  // Without all blocks no answer is possible anyway: a smaller gap is nearer to none.
  const bold = missing(now) > 0 && keep.length > 0 ? judge(chooseRange({ model, node, others }), true) : null;
  if (bold?.gap) return bold;
  return missing(now) > 0
    ? `Nobody serves ${now.gaps.map(spanText).join(', ')}, and no move of this node would leave fewer blocks without.`
    : `No move makes the weakest block stronger by ${Math.round(improvement * 100)} %.`;
}

const missing = ({ gaps }: Strength): number => gaps.reduce((sum, { from, to }) => sum + to - from, 0);

/** Those of the blocks that nobody else serves. */
export function soleBlocks(
  { from, to }: BlockSpan,
  others: readonly ServedBlocks[],
  blocks: number,
): BlockSpan[] {
  const rates = blockRates(others, blocks);
  const sole: BlockSpan[] = [];
  for (let block = from; block < to; block++)
    if (rates[block] === 0) sole.push({ from: block, to: block + 1 });
  return sole;
}

function restOf(moves: number, gap: boolean, { restMs, gapRestMs, mostRestMs }: RebalanceLimits): number {
  return Math.min(mostRestMs, (gap ? gapRestMs : restMs) * 2 ** (moves - 1));
}

/** How many come before this node. Those who alone have a block come last, for they can hardly leave it. */
function placeOf({ name, model, node, serving, others }: RebalanceRequest, what: string): number {
  const blocks = model.blockBytes.length;
  const all = [serving, ...others];
  const rates = blockRates(all, blocks);
  const bound = (one: ServedBlocks): boolean => {
    const own = blockRates([one], blocks);
    return own.some((rate, block) => rate > 0 && rates[block]! <= rate);
  };
  const place = (one: ServedBlocks) => ({ bound: bound(one), draw: drawOf(`${one.peer} ${name} ${what}`) });
  const mine = place({ ...serving, peer: node.self });
  const before = others
    .map(place)
    .filter((one) => (one.bound === mine.bound ? one.draw < mine.draw : mine.bound));
  return Math.min(MOST_TURNS, before.length);
}
