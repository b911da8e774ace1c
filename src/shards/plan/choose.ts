/**
 * Which blocks a node serves best, from what it has and what the swarm has.
 *
 * In this order: the fewest blocks that nobody serves; the most tokens a second at the weakest block; the least time of a token
 * through the blocks that are served; the fewest further nodes of that size for the gaps that stay; the most blocks that are
 * on this disk already. Petals chooses blocks to the same end (Borzunov et al., "Petals: Collaborative Inference and Fine-tuning of
 * Large Models", 2023). What is then still alike is told apart by the node's name, so that two who come at once do not take the same.
 *
 * @module shards/plan/choose
 */
import { createHash } from 'node:crypto';
import { formatBytes } from '../../base/index.ts';
import type { BlockSpan } from '../types.ts';
import { ALIKE, blockRates, rateOf, type ServedBlocks, type Strength, strengthOf } from './strength.ts';

/** What a model takes, block by block. */
export interface ModelShape {
  /** Bytes of each block's weights; as many as the model has blocks. */
  readonly blockBytes: readonly number[];
  /** Bytes of a KV cell in one block. */
  readonly kvBytesPerCell: number;
}

/** What this node can give. */
export interface NodeMeans {
  /** Its PeerId. */
  readonly self: string;
  /** Bytes for weights and KV cells of the range. */
  readonly memoryBytes: number;
  /** KV cells to be lent. */
  readonly cells: number;
  /** ms of one token through one block. */
  readonly msPerBlock: number;
  /** Blocks whose bytes are on this disk. @default none */
  readonly onDisk?: readonly BlockSpan[];
  /** Blocks to serve at most. @default as many as fit */
  readonly mostBlocks?: number;
}

export interface ChooseRequest {
  readonly model: ModelShape;
  readonly node: NodeMeans;
  /** What others serve of the model; what this node serves now does not belong there. */
  readonly others: readonly ServedBlocks[];
  /** Blocks that must be among those chosen: nobody else has them. @default none */
  readonly keep?: readonly BlockSpan[];
}

export interface Choice {
  /** Null: no block fits. */
  readonly span: BlockSpan | null;
  /** What this node would give, tokens a second. */
  readonly tokensPerSecond: number;
  /** Bytes of weights and KV cells. */
  readonly bytes: number;
  /** Without this node. */
  readonly before: Strength;
  /** With it. */
  readonly after: Strength;
  /** For people, in sentences. */
  readonly reasons: readonly string[];
}

/** A range and what it is judged by; the first that differs decides. */
interface Judged extends BlockSpan {
  /** Blocks that nobody serves. Less is better. */
  readonly gaps: number;
  /** Tokens a second at the weakest block. More is better. */
  readonly least: number;
  /** Sum over served blocks of the seconds of a token. Less is better. */
  readonly seconds: number;
}

/** Pure; its time grows with the third power of the blocks (126 blocks: below 5 ms). */
export function chooseRange({ model, node, others, keep = [] }: ChooseRequest): Choice {
  const blocks = model.blockBytes.length;
  const rates = blockRates(others, blocks);
  const before = strengthOf(rates);
  const must = keep.length === 0 ? null : hull(keep);
  let best: Judged[] = [];
  let fitting = 0;
  for (const span of spansWithin(model, node)) {
    fitting = Math.max(fitting, span.to - span.from);
    if (must !== null && (span.from > must.from || span.to < must.to)) continue;
    const judged = judge(span, rates, before, rateOf(span.to - span.from, node.msPerBlock));
    const order = best.length === 0 ? -1 : compare(judged, best[0]!);
    if (order < 0) best = [judged];
    else if (order === 0) best.push(judged);
  }
  if (best.length === 0)
    return {
      span: null,
      tokensPerSecond: 0,
      bytes: 0,
      before,
      after: before,
      reasons: [nothingFits(model, node, fitting, must)],
    };
  const [span, alike] = tellApart(best, before, node);
  const tokensPerSecond = rateOf(span.to - span.from, node.msPerBlock);
  const own = { peer: node.self, ranges: [span], tokensPerSecond };
  const after = strengthOf(blockRates([...others, own], blocks));
  const bytes = bytesOf(model, node, span);
  const reasons = [
    `${fitting} of ${blocks} blocks fit into ${formatBytes(node.memoryBytes)} with ${node.cells} KV cells.`,
    ...why(span, before, after),
    `This node computes ${spanText(span)} at ${round(tokensPerSecond)} tokens a second (${round(node.msPerBlock)} ms a block) in ${formatBytes(bytes)}.`,
    ...(alike > 1 ? [`${alike} ranges are as good; this node's name decided between them.`] : []),
  ];
  return { span, tokensPerSecond, bytes, before, after, reasons };
}

/** Bytes of weights and KV cells of a range. */
export function bytesOf(
  model: ModelShape,
  { cells }: Pick<NodeMeans, 'cells'>,
  { from, to }: BlockSpan,
): number {
  let bytes = (to - from) * cells * model.kvBytesPerCell;
  for (let block = from; block < to; block++) bytes += model.blockBytes[block]!;
  return bytes;
}

/** Every range that fits. */
function* spansWithin(model: ModelShape, node: NodeMeans): Generator<BlockSpan> {
  const blocks = model.blockBytes.length;
  const most = Math.min(node.mostBlocks ?? blocks, blocks);
  for (let from = 0; from < blocks; from++) {
    let bytes = 0;
    for (let to = from + 1; to <= Math.min(blocks, from + most); to++) {
      bytes += model.blockBytes[to - 1]! + node.cells * model.kvBytesPerCell;
      if (bytes > node.memoryBytes) break;
      yield { from, to };
    }
  }
}

function judge({ from, to }: BlockSpan, rates: Float64Array, before: Strength, rate: number): Judged {
  let gaps = 0;
  let least = Number.POSITIVE_INFINITY;
  let seconds = 0;
  for (let block = 0; block < rates.length; block++) {
    const at = rates[block]! + (block >= from && block < to ? rate : 0);
    if (at === 0) gaps++;
    else seconds += 1 / at;
    if (at < least) least = at;
  }
  // Of a model with gaps only the gaps count, and then how much of the rest is strong.
  return { from, to, gaps, least: before.gaps.length > 0 && gaps > 0 ? 0 : least, seconds };
}

function compare(one: Judged, other: Judged): number {
  if (one.gaps !== other.gaps) return one.gaps - other.gaps;
  if (!alike(one.least, other.least)) return other.least - one.least;
  // More blocks served are more seconds: with gaps, both serve as many.
  return alike(one.seconds, other.seconds) ? 0 : one.seconds - other.seconds;
}

const alike = (one: number, other: number): boolean =>
  Math.abs(one - other) <= ALIKE * Math.max(Math.abs(one), Math.abs(other));

/** The one that this node takes, and how many are as good. */
function tellApart(best: readonly Judged[], before: Strength, node: NodeMeans): [BlockSpan, number] {
  const ranked = best.map((span) => ({
    span,
    pieces: piecesLeft(span, before.gaps),
    onDisk: (node.onDisk ?? []).reduce((sum, held) => sum + overlap(span, held), 0),
  }));
  const pieces = Math.min(...ranked.map((one) => one.pieces));
  const tight = ranked.filter((one) => one.pieces === pieces);
  const onDisk = Math.max(...tight.map((one) => one.onDisk));
  const left = tight.filter((one) => one.onDisk === onDisk).map(({ span: { from, to } }) => ({ from, to }));
  const [first] = left
    .map((span) => ({ span, draw: drawOf(`${node.self} ${span.from} ${span.to}`) }))
    .sort((a, b) => a.draw - b.draw);
  return [first!.span, left.length];
}

/** Further nodes that serve as many blocks, for the gaps that stay. */
function piecesLeft({ from, to }: BlockSpan, gaps: readonly BlockSpan[]): number {
  const size = to - from;
  const pieces = (count: number) => Math.ceil(Math.max(0, count) / size);
  return gaps.reduce((sum, gap) => {
    if (overlap(gap, { from, to }) === 0) return sum + pieces(gap.to - gap.from);
    return sum + pieces(from - gap.from) + pieces(gap.to - to);
  }, 0);
}

const overlap = (one: BlockSpan, other: BlockSpan): number =>
  Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));

/** Uniform in [0, 2^32), always the same for a text. */
export const drawOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();

const hull = (spans: readonly BlockSpan[]): BlockSpan => ({
  from: Math.min(...spans.map(({ from }) => from)),
  to: Math.max(...spans.map(({ to }) => to)),
});

function why(span: BlockSpan, before: Strength, after: Strength): string[] {
  const closed = before.gaps.filter((gap) => overlap(gap, span) > 0);
  if (closed.length > 0) {
    const left = after.gaps.map(spanText).join(', ');
    return [
      `Nobody serves ${closed.map(spanText).join(', ')}.`,
      left === '' ? 'With this node every block is served.' : `Still nobody would serve ${left}.`,
    ];
  }
  if (before.gaps.length > 0)
    return [`Nobody serves ${before.gaps.map(spanText).join(', ')}, and this node cannot change that.`];
  if (after.least > before.least)
    return [
      `The weakest stretch is ${spanText(before.weakest!)} with ${round(before.least)} tokens a second; with this node the weakest has ${round(after.least)}.`,
    ];
  return [
    `The weakest stretch, ${spanText(before.weakest!)} with ${round(before.least)} tokens a second, stays the weakest; fewer have to wait elsewhere.`,
  ];
}

function nothingFits(model: ModelShape, node: NodeMeans, fitting: number, must: BlockSpan | null): string {
  if (must !== null && fitting > 0)
    return `Only this node serves ${spanText(must)}, and at most ${fitting} blocks fit.`;
  const least = Math.min(...model.blockBytes) + node.cells * model.kvBytesPerCell;
  return `No block fits: the smallest takes ${formatBytes(least)} with ${node.cells} KV cells, and ${formatBytes(Math.max(0, node.memoryBytes))} may be used.`;
}

/** `blocks 2 to 4`: the last one belongs to them. */
export const spanText = ({ from, to }: BlockSpan): string =>
  to - from === 1 ? `block ${from}` : `blocks ${from} to ${to - 1}`;

const round = (value: number): string => `${Number(value.toPrecision(3))}`;
