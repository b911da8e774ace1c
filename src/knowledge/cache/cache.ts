/**
 * Answers that a knowledge base gave, for questions that come again: the same question in the same words, or, where its owner
 * allows that, one that means the same.
 *
 * What is kept is of one version of the knowledge base, of its embedder, and of all options of the question. By meaning, numbers,
 * names and all else that vectors blur have to be equal, and the cosine to be no less than the gateway's answers need (0.95 and more).
 * 0.92 alone is not enough: questions with two answers have up to 0.93 with all of that equal (gateway/cache/meaning.test.ts).
 *
 * @module knowledge/cache/cache
 */
import { hash } from 'node:crypto';
import { type Clock, canonicalJson } from '../../base/index.ts';
import { DEFAULT_THRESHOLDS, intentOf, questionText } from '../../gateway/index.ts';
import type { KnowledgeStore } from '../store/index.ts';
import type { Embedder } from '../types.ts';
import { dot } from '../vectors/index.ts';
import { anchorsAsked, wordsAsked } from './telling.ts';

/** An answer is given for a day: who asks later may have changed what the question means. */
export const KEPT_MS = 86_400_000;
/** However near a question of this kind may be elsewhere. */
const LEAST_COSINE = 0.92;
/** Longer questions are only the same when their words are. */
const MOST_CHARACTERS = 400;

export interface QuestionCacheOptions {
  readonly store: Pick<KnowledgeStore, 'kept' | 'version' | 'embedder'>;
  /** Null: only the same words find an answer. */
  readonly embedder: Pick<Embedder, 'embed'> | null;
  readonly clock: Pick<Clock, 'now'>;
  /** Names of the knowledge base that a text has. @default none */
  readonly namesIn?: (text: string) => readonly string[] | Promise<readonly string[]>;
}

export interface Question {
  readonly text: string;
  /** All else that the answer depends on, as JSON. */
  readonly options: unknown;
  /** Also questions that mean the same. */
  readonly similar: boolean;
}

export interface KeptView {
  readonly value: string;
  readonly ageMs: number;
  /** Cosine of the two questions; 1 when they are the same. */
  readonly similarity: number;
}

export interface Looked {
  readonly found: KeptView | null;
  /** Keeps the answer, unless the knowledge base has changed since it was looked for. */
  keep(value: string, signal?: AbortSignal): Promise<boolean>;
}

/** @returns what is kept for a question, and the way to keep the answer that is made when nothing is. Costs one embedding by meaning. */
export async function lookFor(
  { store, embedder, clock, namesIn = () => [] }: QuestionCacheOptions,
  { text, options, similar }: Question,
  signal?: AbortSignal,
): Promise<Looked> {
  const version = store.version();
  const words = JSON.stringify(wordsAsked(text));
  const asked = sha256(words);
  const threshold = similar && text.length <= MOST_CHARACTERS ? thresholdOf(text) : Number.POSITIVE_INFINITY;
  const byMeaning = embedder !== null && store.embedder !== null && Number.isFinite(threshold);
  const topic = sha256(
    canonicalJson([
      'kith-kept-1',
      store.embedder?.hash ?? '',
      options ?? null,
      byMeaning ? anchorsAsked(text, await namesIn(text)) : words,
    ]),
  );
  let made: Promise<Float32Array> | null = null;
  const vectorOf = (until?: AbortSignal): Promise<Float32Array> => {
    made ??= embedder!.embed([questionText(text)], {
      kind: 'query',
      ...(until === undefined ? {} : { signal: until }),
    });
    made.catch(() => {
      made = null;
    });
    return made;
  };

  async function find(): Promise<KeptView | null> {
    const rows = store.kept.find(topic, clock.now(), KEPT_MS);
    const give = ({ id, made: at }: (typeof rows)[number], similarity: number): KeptView | null => {
      const value = store.kept.take(id);
      return value === null ? null : { value, ageMs: Math.max(0, clock.now() - at), similarity };
    };
    const same = rows.find((row) => equal(row.asked, asked));
    if (same !== undefined) return give(same, 1);
    if (!byMeaning || rows.length === 0) return null;
    const vector = await vectorOf(signal);
    let best: (typeof rows)[number] | null = null;
    let similarity = threshold;
    for (const row of rows) {
      if (row.vector?.length !== vector.length) continue;
      const cosine = dot(row.vector, vector);
      if (cosine < similarity) continue;
      best = row;
      similarity = cosine;
    }
    return best === null ? null : give(best, Math.min(1, similarity));
  }

  return {
    found: await find(),
    async keep(value, until) {
      const vector = byMeaning ? await vectorOf(until) : null;
      return store.kept.put({ topic, asked, vector, value }, version, clock.now(), KEPT_MS);
    },
  };
}

/** Infinity: what works on a text of its own is never like another. */
function thresholdOf(text: string): number {
  return Math.max(LEAST_COSINE, DEFAULT_THRESHOLDS[intentOf(text)]);
}

const sha256 = (text: string): Uint8Array => hash('sha256', text, 'buffer');
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
