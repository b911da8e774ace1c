/**
 * Searching at two Eves: scores of all vectors from both halves of a question, then the rows of the best, fetched unseen, then the texts of the
 * best of those. What leaves is the same in number and length for every question, but for the further rounds that long texts take.
 *
 * Eves of one colour get the same half; those of the two colours belong to different operators. A half never goes to the
 * other colour, whatever fails: both halves together are the question.
 *
 * @module vault/split/search
 */
import {
  type Clock,
  isKithError,
  KithError,
  messageOf,
  type Random,
  throwIfAborted,
} from '../../base/index.ts';
import type { CollectionKeys } from '../keys/keys.ts';
import { firstAnswer } from '../place/first-answer.ts';
import type { PlacedEve } from '../place/reader.ts';
import type { Place } from '../place/rendezvous.ts';
import type { EveTenant } from '../types.ts';
import { project } from '../vectors/pca.ts';
import { createKeeper, REPLY_BYTES } from './bob.ts';
import { unpackVector } from './build.ts';
import type { SplitIndex } from './index-file.ts';
import { BLOCK_VECTORS } from './parameters.ts';
import { askRows, readRows } from './pir.ts';
import { quantise } from './quantise.ts';
import { openRow, type TableForm } from './rows.ts';

export interface ColoursOf<T> {
  readonly first: readonly T[];
  readonly second: readonly T[];
}

export type Colours = ColoursOf<PlacedEve>;

export interface SplitHit {
  /** Number of the vector, as it was given. */
  readonly at: number;
  /** Scalar product. */
  readonly score: number;
  readonly text: Uint8Array;
}

export interface SplitTimes {
  /** Ms of this machine's work, and of waiting for each step of the Eves. */
  readonly bob: number;
  readonly scores: number;
  readonly rows: number;
  readonly texts: number;
  /** Of payloads, both Eves together. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface SplitSearcher {
  search(
    query: Float32Array,
    k: number,
    signal?: AbortSignal,
  ): Promise<{ hits: SplitHit[]; times: SplitTimes }>;
}

export interface SearchOptions {
  readonly keys: CollectionKeys;
  readonly index: SplitIndex;
  readonly colours: Colours;
  /** The operating system's. */
  readonly random: Pick<Random, 'bytes' | 'float'>;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly hedgeMs?: number;
  readonly onFault?: (peer: string, why: string) => void;
}

/** Vectors whose rows are fetched and computed exactly: with 60 the exact ten are among them in 99.95 % of cases. */
export const CANDIDATES = 60;
/** Rows of texts that are always fetched: ten, and what goes on. */
export const TEXT_ROWS = 16;
const BLOCKS_AT_ONCE = 64;

/** @throws KithError `split_operators`: both halves would go to one operator */
export function checkColours({ first, second }: ColoursOf<Place>): void {
  const one = new Set(first.map(({ operator, peer }) => operator ?? peer));
  const both = second.find(({ operator, peer }) => one.has(operator ?? peer));
  if (first.length === 0 || second.length === 0 || both !== undefined)
    throw new KithError(
      'split_operators',
      both === undefined
        ? 'The mode split takes Eves of two operators, at least one of each. Take one of another operator, and say who runs it (Name=PeerId).'
        : `${both.peer} belongs to an operator that would get both halves of every question. Name who runs each Eve (Name=PeerId), and take two.`,
      { status: 409 },
    );
}

export function createSplitSearcher(options: SearchOptions): SplitSearcher {
  const { keys, index, colours, random, clock, hedgeMs, onFault } = options;
  checkColours(colours);
  const keeper = createKeeper(keys);
  const rowKey = keys.key('rows');

  /** Those of a colour with another one first. */
  const from = (eves: readonly PlacedEve[], start: number): readonly PlacedEve[] => [
    ...eves.slice(start % eves.length),
    ...eves.slice(0, start % eves.length),
  ];

  /** The first good answer of one colour. Every Eve of it is asked the same. */
  const askColour = <T>(
    eves: readonly PlacedEve[],
    ask: (tenant: EveTenant, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> =>
    firstAnswer(eves, ({ tenant }, both) => ask(tenant, both), {
      ...{ hedgeMs, clock, signal },
      onFailed: ({ peer }, error) => onFault?.(peer, messageOf(error)),
      none: (causes) =>
        new KithError('vault_unreachable', `No Eve of one colour answered: ${causes.join('; ')}.`, {
          status: 503,
        }),
    });

  async function fetchRows(
    { first, second }: Colours,
    table: TableForm,
    wanted: readonly number[],
    questions: number,
    signal?: AbortSignal,
  ) {
    const found = new Map<number, Uint8Array>();
    const { rowBytes, rows, blocks, name } = table;
    let bytes = 0;
    // The rest are drawn, and opened likewise: who alters one row does not see from whether we ask again how many were wanted.
    const drawn = () => Math.floor(random.float() * rows * blocks.length);
    const all = [...wanted, ...Array.from({ length: questions - wanted.length }, drawn)];
    const step = Math.max(1, Math.floor(2 ** 31 / (rows * rowBytes * blocks.length)));
    const some = async (here: readonly number[]) => {
      const asked = askRows({ rows, blocks: blocks.length, rowBytes }, here, here.length, random);
      const form = { rows, bytes: rowBytes, questions: here.length };
      const answers = await Promise.all([
        askColour(first, (tenant, both) => tenant.gather(blocks, form, asked.first, both), signal),
        askColour(second, (tenant, both) => tenant.gather(blocks, form, asked.second, both), signal),
      ]);
      bytes += 2 * asked.first.length;
      for (const [i, row] of readRows(answers[0], answers[1], rowBytes, here.length).entries())
        found.set(here[i]!, row);
    };
    // What one call may not walk goes in several at a time: one way there and back in all.
    await Promise.all(
      Array.from({ length: Math.ceil(questions / step) }, (_, i) =>
        some(all.slice(i * step, (i + 1) * step)),
      ),
    );
    const opened = new Map(
      [...found].map(([row, sealed]) => [row, openRow(rowKey, name, row, sealed)] as const),
    );
    return { opened, up: bytes, down: 2 * questions * rowBytes };
  }

  async function once(query: Float32Array, k: number, colours: Colours, signal: AbortSignal | undefined) {
    const began = clock.monotonic();
    const question = keeper.ask(quantise(project(index.projection, query)), random);
    let waited = 0;
    const step = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
      const from = clock.monotonic();
      const made = await work();
      const ms = clock.monotonic() - from;
      waited += ms;
      return [made, ms];
    };
    const ids = index.scores.map(({ id }) => id);
    const parts = Array.from({ length: Math.ceil(ids.length / BLOCKS_AT_ONCE) }, (_, i) =>
      ids.slice(i * BLOCKS_AT_ONCE, (i + 1) * BLOCKS_AT_ONCE),
    );
    const scoresOf = (eves: readonly PlacedEve[], share: Uint8Array) =>
      Promise.all(
        parts.map((blocks) => askColour(eves, (tenant, both) => tenant.score(blocks, share, both), signal)),
      );
    const [[first, second], scoresMs] = await step(() =>
      Promise.all([scoresOf(colours.first, question.first), scoresOf(colours.second, question.second)]),
    );
    const best: { at: number; score: number }[] = [];
    for (const [i, block] of index.scores.entries()) {
      const from = (i % BLOCKS_AT_ONCE) * REPLY_BYTES;
      const reply = (all: readonly Uint8Array[]) =>
        all[Math.floor(i / BLOCKS_AT_ONCE)]!.subarray(from, from + REPLY_BYTES);
      const scores = keeper.read(question, block, reply(first), reply(second));
      for (let slot = 0; slot < block.count; slot++) {
        const score = scores[slot]!;
        if (best.length >= CANDIDATES && score <= best.at(-1)!.score) continue;
        insert(best, { at: i * BLOCK_VECTORS + slot, score });
      }
    }
    throwIfAborted(signal);
    const [rows, rowsMs] = await step(() =>
      fetchRows(
        colours,
        index.vectors,
        best.map(({ at }) => at),
        CANDIDATES,
        signal,
      ),
    );
    const exact = best
      .map(({ at }) => ({ at, score: dot(unpackVector(rows.opened.get(at)!.bytes), query) }))
      .sort((a, b) => b.score - a.score || a.at - b.at)
      .slice(0, k);
    const [texts, textsMs] = await step(() =>
      fetchTexts(
        colours,
        exact.map(({ at }) => at),
        signal,
      ),
    );
    const ended = clock.monotonic();
    return {
      hits: exact.map(({ at, score }) => ({ at, score, text: texts.values.get(at)! })),
      times: {
        ...{ bob: ended - began - waited, scores: scoresMs, rows: rowsMs, texts: textsMs },
        bytesUp: parts.length * (question.first.length + question.second.length) + rows.up + texts.up,
        bytesDown: 2 * ids.length * REPLY_BYTES + rows.down + texts.down,
      },
    };
  }

  return {
    async search(query, k, signal) {
      // Of two replies that do not fit, nobody can say which is wrong: a new question goes to another pair.
      const pairs = Math.max(colours.first.length, colours.second.length) * 2;
      for (let attempt = 0; ; attempt++) {
        const first = from(colours.first, attempt >> 1);
        const second = from(colours.second, (attempt + 1) >> 1);
        try {
          return await once(query, k, { first, second }, signal);
        } catch (error) {
          const wrong =
            isKithError(error) && (error.code === 'vault_altered' || error.code === 'vault_damaged');
          if (!wrong || attempt + 1 >= pairs) throw error;
          onFault?.(`${first[0]!.peer} or ${second[0]!.peer}`, error.message);
        }
      }
    },
  };

  /** First the rows on which texts begin, then those on which they go on: in rounds of the same number of rows. */
  async function fetchTexts(colours: Colours, wanted: readonly number[], signal: AbortSignal | undefined) {
    const values = new Map<number, Uint8Array>();
    const pieces = new Map<number, Uint8Array[]>(wanted.map((at) => [at, []]));
    let due = wanted.map((at) => ({ at, row: at }));
    let up = 0;
    let down = 0;
    while (due.length > 0) {
      const now = due.splice(0, TEXT_ROWS);
      const fetched = await fetchRows(
        colours,
        index.texts,
        now.map(({ row }) => row),
        TEXT_ROWS,
        signal,
      );
      up += fetched.up;
      down += fetched.down;
      for (const { at, row } of now) {
        const { bytes, next } = fetched.opened.get(row)!;
        pieces.get(at)!.push(bytes);
        if (next !== null) due = [...due, { at, row: next }];
      }
    }
    for (const [at, all] of pieces) values.set(at, Uint8Array.from(Buffer.concat(all)));
    return { values, up, down };
  }
}

/** Into a list by falling score, of which the best are kept; of equals the one that came first. */
function insert(best: { at: number; score: number }[], one: { at: number; score: number }): void {
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (best[middle]!.score >= one.score) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, one);
  if (best.length > CANDIDATES) best.pop();
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
