/**
 * A swarm on paper: nodes that choose and move by the rules of this folder, hear of each other late, and come, leave and
 * die. Time is simulated; what happens depends on the seed alone.
 *
 * @module shards/plan/testing/simulation
 */
import type { Random } from '../../../base/index.ts';
import type { BlockSpan } from '../../types.ts';
import { chooseRange, type ModelShape } from '../choose.ts';
import { afterFetch, considerMove, NO_MEMORY, REBALANCE_LIMITS, type RebalanceMemory } from '../rebalance.ts';
import { blockRates, rateOf, type ServedBlocks, strengthOf } from '../strength.ts';

/** ms until all have heard of a change. */
const HEARD_MS = 8_000;
/** ms until others know that a node has died. */
const DEATH_MS = 60_000;
/** ms between two looks of a node, with up to as much again. */
const LOOK_MS = 15_000;

interface SimulatedNode {
  readonly name: string;
  /** Blocks that fit. */
  readonly capacity: number;
  readonly msPerBlock: number;
  /** ms until blocks that it chose are on its disk. */
  readonly downloadMs: number;
  /** Blocks whose bytes it has, and those that are on their way, with the time when they are there. */
  here: BlockSpan | null;
  coming: { readonly span: BlockSpan; readonly at: number } | null;
  span: BlockSpan | null;
  memory: RebalanceMemory;
  lookAt: number;
  moves: number;
  /** How many announcements it had heard when it last stayed: without news it stays. */
  stayedAt: number;
}

interface Said {
  readonly at: number;
  /** Null: gone. */
  readonly served: ServedBlocks | null;
}

export interface SimulatedSwarm {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly now: number;
  /** Moves of nodes that are there, and of those that went. */
  readonly moves: number;
  join(capacity: number, msPerBlock: number, downloadMs?: number): void;
  /** Takes a node away; those who die do not say so. */
  remove(name: string, dies: boolean): void;
  run(ms: number): void;
  /** Blocks that nobody serves. */
  gaps(): readonly BlockSpan[];
}

export function simulate(blocks: number, random: Random): SimulatedSwarm {
  const model: ModelShape = { blockBytes: new Array<number>(blocks).fill(1), kvBytesPerCell: 0 };
  const nodes = new Map<string, SimulatedNode>();
  const said = new Map<string, Said[]>();
  const times: number[] = [];
  const news = () => times.reduce((count, at) => count + (at <= now ? 1 : 0), 0);
  let now = 0;
  let moves = 0;
  let joined = 0;

  const servedBy = ({ name, span, msPerBlock }: SimulatedNode): ServedBlocks | null =>
    span === null
      ? null
      : { peer: name, ranges: [span], tokensPerSecond: rateOf(span.to - span.from, msPerBlock) };
  const say = (name: string, served: ServedBlocks | null, delay: number) => {
    times.push(now + delay);
    said.set(name, [...(said.get(name) ?? []).slice(-4), { at: now + delay, served }]);
  };
  /** What a node has heard by now of the others. */
  const heard = (self: string): ServedBlocks[] =>
    [...said].flatMap(([name, lines]) => {
      const last = name === self ? undefined : lines.findLast(({ at }) => at <= now);
      return last?.served ? [last.served] : [];
    });
  const meansOf = ({ name, capacity, msPerBlock }: SimulatedNode) => ({
    self: name,
    memoryBytes: capacity,
    cells: 1,
    msPerBlock,
  });
  const nextLook = () => now + LOOK_MS * (1 + random.float());

  function look(node: SimulatedNode): void {
    node.lookAt = nextLook();
    if (node.coming !== null) {
      if (node.coming.at > now) {
        node.lookAt = node.coming.at;
        return;
      }
      node.here = node.coming.span;
      node.coming = null;
      node.memory = afterFetch(node.memory, now);
    }
    if (node.stayedAt === news()) return;
    const others = heard(node.name);
    if (node.span === null) {
      node.span = chooseRange({ model, node: meansOf(node), others }).span;
      say(node.name, servedBy(node), HEARD_MS * random.float());
      return;
    }
    const request = {
      name: 'm',
      model,
      node: meansOf(node),
      serving: { ...servedBy(node)!, ranges: [node.span] as const },
      others,
      isHere: ({ from, to }: BlockSpan) =>
        node.downloadMs === 0 || (node.here !== null && node.here.from <= from && to <= node.here.to),
    };
    const { decision, memory } = considerMove(request, node.memory, now, REBALANCE_LIMITS);
    node.memory = memory;
    node.stayedAt = decision.kind === 'stay' ? news() : -1;
    if (decision.kind === 'wait') node.lookAt = Math.min(node.lookAt, decision.at);
    if (decision.kind === 'fetch') {
      node.coming = { span: decision.to, at: now + node.downloadMs };
      node.lookAt = node.coming.at;
    }
    if (decision.kind !== 'move') return;
    node.span = decision.to;
    node.moves++;
    moves++;
    say(node.name, servedBy(node), HEARD_MS * random.float());
  }

  return {
    nodes,
    get now() {
      return now;
    },
    get moves() {
      return moves;
    },
    join(capacity, msPerBlock, downloadMs = 0) {
      const name = `node ${joined++}`;
      nodes.set(name, {
        ...{ name, capacity: Math.min(capacity, blocks), msPerBlock, downloadMs },
        ...{ here: null, coming: null, span: null, memory: NO_MEMORY, lookAt: now, moves: 0, stayedAt: -1 },
      });
    },
    remove(name, dies) {
      nodes.delete(name);
      say(name, null, dies ? DEATH_MS : HEARD_MS);
    },
    run(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...nodes.values()].reduce<SimulatedNode | null>(
          (first, one) => (first === null || one.lookAt < first.lookAt ? one : first),
          null,
        );
        if (next === null || next.lookAt > end) break;
        now = Math.max(now, next.lookAt);
        look(next);
        if (next.lookAt <= now) next.lookAt = nextLook();
      }
      now = end;
    },
    gaps() {
      const served = [...nodes.values()].flatMap((node) => servedBy(node) ?? []);
      return strengthOf(blockRates(served, blocks)).gaps;
    },
  };
}
