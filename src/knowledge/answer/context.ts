/**
 * From hits to the sources that an answer may cite: hits with their neighbours, each text once, within a budget of tokens.
 *
 * Hits come before neighbours: nothing that was found is left out for what merely stands beside a better one. Order in the prompt
 * is a matter of its own (`edgeOrder`), and changes neither what is there nor its numbers.
 *
 * @module knowledge/answer/context
 */
import { estimateTokens, sentencesOf } from '../chunk/index.ts';
import type { Hit } from '../retrieve/index.ts';
import type { KnowledgeStore, StoredChunk } from '../store/index.ts';
import type { Place } from '../types.ts';
import type { Source } from './types.ts';

export interface ContextOptions {
  /** Tokens of all sources together, about. */
  readonly budget: number;
  /** Chunks before and after each hit. @default 1 */
  readonly neighbours?: number;
  /** Sources, at most. @default 8 */
  readonly most?: number;
  /** Chunks that earlier answers cited: they stay in view, before any other. */
  readonly keep?: readonly StoredChunk[];
  /** Looked at after the best hit, whether found or not. */
  readonly openings?: readonly StoredChunk[];
}

export interface Context {
  /** By number. */
  readonly sources: readonly Source[];
  /** True when the best source was cut to fit. */
  readonly cut: boolean;
}

/** Tokens of the lines around a source. */
const FRAME_TOKENS = 48;

/** @param hits best first, without copies of each other */
export function buildContext(
  hits: readonly Hit[],
  store: Pick<KnowledgeStore, 'neighbours'>,
  { budget, neighbours = 1, most = 8, keep = [], openings = [] }: ContextOptions,
): Context {
  const besides = (chunk: StoredChunk) => ({
    chunk,
    hit: hits.find((hit) => hit.chunk.row === chunk.row) ?? null,
  });
  const wanted = [
    ...keep.map(besides),
    ...hits.slice(0, 1).map((hit) => ({ chunk: hit.chunk, hit })),
    ...openings.map(besides),
    ...hits.slice(1).map((hit) => ({ chunk: hit.chunk, hit })),
  ];
  const taken = new Map<number, StoredChunk>();
  const ids = new Set<string>();
  const hitRows = new Set<number>();
  let left = budget;
  let cut = false;
  const take = (chunk: StoredChunk, frame: number): boolean => {
    const cost = costOf(chunk) + frame;
    if (cost > left) return false;
    left -= cost;
    taken.set(chunk.row, chunk);
    ids.add(chunk.id);
    return true;
  };
  for (const { chunk } of wanted) {
    // The same content in another file would be cited twice for one thing.
    if (hitRows.has(chunk.row) || ids.has(chunk.id)) continue;
    if (hitRows.size >= most) break;
    if (take(chunk, FRAME_TOKENS)) hitRows.add(chunk.row);
    else if (taken.size === 0) {
      const text = shortened(chunk.text, Math.max(16, left - FRAME_TOKENS));
      taken.set(chunk.row, { ...chunk, text });
      ids.add(chunk.id);
      hitRows.add(chunk.row);
      [left, cut] = [0, true];
    }
  }
  if (neighbours > 0)
    for (const { chunk } of wanted) {
      if (!hitRows.has(chunk.row) || left <= 0) continue;
      for (const side of [-1, 1]) {
        const beside = store
          .neighbours(chunk.row, neighbours)
          .filter((each) => side * (each.position - chunk.position) > 0);
        // From the hit outwards: a gap would make two sources of one, and so would another title.
        for (const each of side < 0 ? beside.toReversed() : beside) {
          if (each.title !== chunk.title) break;
          if (taken.has(each.row)) continue;
          if (ids.has(each.id) || !take(each, 0)) break;
        }
      }
    }
  const ranks = new Map<number, { rank: number; hit: Hit | null }>();
  wanted.forEach(({ chunk, hit }, rank) => {
    if (!ranks.has(chunk.row)) ranks.set(chunk.row, { rank, hit });
  });
  const runs = runsOf([...taken.values()]).map((chunks) => {
    const best = chunks.reduce<{ rank: number; hit: Hit | null; chunk: StoredChunk } | null>(
      (least, chunk) => {
        const ranked = ranks.get(chunk.row);
        return ranked === undefined || (least !== null && least.rank <= ranked.rank)
          ? least
          : { ...ranked, chunk };
      },
      null,
    );
    return { chunks, best: best! };
  });
  runs.sort((a, b) => a.best.rank - b.best.rank);
  return {
    cut,
    sources: runs.map(
      ({ chunks, best: { chunk, hit } }, at): Source => ({
        n: at + 1,
        document: chunk.document,
        path: chunk.path,
        title: chunk.title === '' ? chunk.path : chunk.title,
        where: placeText(chunk.place),
        text: joined(chunks),
        ...{ chunks, hit },
      }),
    ),
  };
}

/** The best first and last, the least in the middle, where models look least. */
export function edgeOrder<T>(best: readonly T[]): T[] {
  const front: T[] = [];
  const back: T[] = [];
  best.forEach((each, at) => {
    (at % 2 === 0 ? front : back).push(each);
  });
  return [...front, ...back.reverse()];
}

/** For people: `page 3`, `line 40`, `sheet Costs`. */
export function placeText({ page, line, sheet, part }: Place): string {
  return [
    part === undefined ? '' : part,
    sheet === undefined ? '' : `sheet ${sheet}`,
    page === undefined ? '' : `page ${page}`,
    line === undefined ? '' : `line ${line}`,
  ]
    .filter((each) => each !== '')
    .join(', ');
}

function costOf({ text }: StoredChunk): number {
  return estimateTokens(text);
}

/** Chunks that follow each other in one document, together. */
function runsOf(chunks: readonly StoredChunk[]): StoredChunk[][] {
  const sorted = chunks.toSorted((a, b) => a.document - b.document || a.position - b.position);
  const runs: StoredChunk[][] = [];
  for (const chunk of sorted) {
    const last = runs.at(-1)?.at(-1);
    // A source has one title, since what it says is about that.
    const follows =
      last?.document === chunk.document && last.position + 1 === chunk.position && last.title === chunk.title;
    if (follows) runs.at(-1)!.push(chunk);
    else runs.push([chunk]);
  }
  return runs;
}

/** Sentences that a chunk repeats from the one before it are said once. */
function joined(chunks: readonly StoredChunk[]): string {
  let text = '';
  for (const chunk of chunks) {
    const sentences = sentencesOf(text);
    let repeated = 0;
    for (let count = Math.min(10, sentences.length); count > 0 && repeated === 0; count--) {
      const tail = sentences.slice(-count).join('').trim();
      if (tail !== '' && chunk.text.startsWith(tail)) repeated = tail.length;
    }
    const rest = chunk.text.slice(repeated).trim();
    text = text === '' ? rest : repeated > 0 ? `${text.trimEnd()} ${rest}` : `${text.trimEnd()}\n${rest}`;
  }
  return text;
}

/** Whole sentences while they fit, at least a part of the first. */
function shortened(text: string, tokens: number): string {
  let kept = '';
  for (const sentence of sentencesOf(text)) {
    if (estimateTokens(kept + sentence) > tokens) break;
    kept += sentence;
  }
  return kept === '' ? text.slice(0, tokens * 3).toWellFormed() : kept.trim();
}
