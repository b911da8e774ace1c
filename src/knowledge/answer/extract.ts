/**
 * Answers without a model that writes: the sentences of the sources that answer best, as they stand there.
 *
 * @module knowledge/answer/extract
 */
import { messageOf, throwIfAborted } from '../../base/index.ts';
import { type Found, isStopWord } from '../retrieve/index.ts';
import type { Embedder } from '../types.ts';
import { namesOf } from './claims/names.ts';
import { numbersOf, type Quantity } from './claims/numbers.ts';
import { quotableSentences } from './claims/sentences.ts';
import { foldedWords, stem, tellingStems } from './claims/words.ts';
import type { Source } from './types.ts';

export interface Extract {
  readonly source: Source;
  readonly sentence: string;
}

export interface Extracted {
  /** In the order of their sources, the source of the best sentence first. Empty when no sentence has anything of the question. */
  readonly extracts: readonly Extract[];
  /** Why meaning was not compared although it could have been; null otherwise. */
  readonly degraded: string | null;
}

export interface ExtractOptions {
  /** Sentences, at most. @default 5 */
  readonly most?: number;
  /** Characters of all together, at most. @default 900 */
  readonly longest?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sources whose sentences are looked at. */
const MOST_SOURCES = 6;
/** Sentences whose meaning is compared; each costs the embedder some milliseconds. */
const MOST_COMPARED = 24;
/** A further sentence must be so near the best one. */
const NEAR_BEST = 0.6;
/** From this share of common words on two sentences say one thing. */
const ALIKE = 0.7;
/** Shorter ones are headings and scraps. */
const LEAST_WORDS = 4;

interface Candidate extends Extract {
  readonly order: number;
  readonly stems: readonly string[];
  readonly numbers: string;
  score: number;
}

/** @throws AbortedError */
export async function extractAnswer(
  question: string,
  found: Pick<Found, 'degraded'>,
  sources: readonly Source[],
  embedder: Embedder | null,
  { most = 5, longest = 900, signal }: ExtractOptions = {},
): Promise<Extracted> {
  const asked = tellingStems(question);
  const wants = wantedBy(question);
  const seen = new Set<string>();
  const candidates: Candidate[] = [];
  for (const source of sources.slice(0, MOST_SOURCES))
    for (const sentence of quotableSentences(source.text)) {
      const words = foldedWords(sentence);
      const key = words.join(' ');
      if (words.length < LEAST_WORDS || seen.has(key) || isQuestion(sentence)) continue;
      seen.add(key);
      candidates.push({
        ...{ source, sentence, order: candidates.length, score: 0 },
        stems: words.filter((word) => !isStopWord(word)).map(stem),
        numbers: words.filter((word) => /\d/.test(word)).join(' '),
      });
    }
  weigh(candidates, asked, wants);
  candidates.sort((a, b) => b.score - a.score || a.order - b.order);
  let degraded: string | null = null;
  if (embedder !== null && found.degraded === null) {
    candidates.length = Math.min(candidates.length, MOST_COMPARED);
    try {
      await compare(question, candidates, embedder, signal);
      candidates.sort((a, b) => b.score - a.score || a.order - b.order);
    } catch (error) {
      throwIfAborted(signal);
      degraded = messageOf(error);
    }
  }
  const chosen: Candidate[] = [];
  let characters = 0;
  const best = candidates[0]?.score ?? 0;
  for (const candidate of candidates) {
    if (chosen.length >= most || best <= 0 || candidate.score < best * NEAR_BEST) break;
    if (chosen.some((other) => alike(other, candidate))) continue;
    // The best one is given whatever its length: an answer of nothing helps nobody.
    if (chosen.length > 0 && characters + candidate.sentence.length > longest) continue;
    characters += candidate.sentence.length;
    chosen.push(candidate);
  }
  const first = new Map<number, number>();
  chosen.forEach(({ source }, at) => {
    if (!first.has(source.n)) first.set(source.n, at);
  });
  chosen.sort((a, b) => first.get(a.source.n)! - first.get(b.source.n)! || a.order - b.order);
  return { extracts: chosen, degraded };
}

type Wanted = 'person' | 'time' | 'number' | null;

/** What kind of thing a question asks for. */
function wantedBy(question: string): Wanted {
  if (/\bwho(?:m|se)?\b|\bwer\b/iu.test(question)) return 'person';
  if (/\bwhen\b|\bwhat (?:year|date|day|time)\b|\bwann\b/iu.test(question)) return 'time';
  if (
    /\bhow (?:many|much|old|tall|far|long|big|high|deep|often|large|heavy|fast)\b|\bwie (?:viele?|lange|hoch|weit)\b/iu.test(
      question,
    )
  )
    return 'number';
  return null;
}

function hasWanted(sentence: string, wanted: Wanted): boolean {
  if (wanted === null) return false;
  if (wanted === 'person') return namesOf(sentence).length > 0;
  const { quantities, dates } = numbersOf(sentence);
  const isYear = ({ values, unit }: Quantity) =>
    unit === null && values.some((value) => value >= 1000 && value < 2200);
  if (wanted === 'number') return quantities.some((quantity) => !quantity.weak && !isYear(quantity));
  return (
    dates.length > 0 || quantities.some(({ values }) => values.some((value) => value >= 1000 && value < 2200))
  );
}

/** By how rare the question's words are among these very sentences, the rank of the source, and what is asked for. */
function weigh(candidates: readonly Candidate[], asked: readonly string[], wanted: Wanted): void {
  const weights = asked.map((word) => {
    const count = candidates.filter(
      ({ stems, source }) => stems.includes(word) || titleHas(source, word),
    ).length;
    return [word, Math.log(1 + candidates.length / (count + 0.5))] as const;
  });
  const whole = weights.reduce((sum, [, weight]) => sum + weight, 0) || 1;
  for (const candidate of candidates) {
    let own = 0;
    for (const [word, weight] of weights) {
      if (candidate.stems.includes(word)) own += weight;
      // The title says what a sentence is about, if less surely.
      else if (titleHas(candidate.source, word)) own += weight * 0.5;
    }
    if (own === 0) continue;
    candidate.score =
      own / whole + (hasWanted(candidate.sentence, wanted) ? 0.25 : 0) + 0.1 / candidate.source.n;
  }
}

function titleHas({ title }: Source, word: string): boolean {
  return foldedWords(title).some((each) => stem(each) === word);
}

async function compare(
  question: string,
  candidates: Candidate[],
  embedder: Embedder,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (candidates.length === 0) return;
  const given = signal === undefined ? {} : { signal };
  const [query, rows] = await Promise.all([
    embedder.embed([question], { kind: 'query', ...given }),
    // With its title, as chunks are embedded: a sentence alone rarely names what it is about.
    embedder.embed(
      candidates.map(({ source, sentence }) => `${source.title}\n${sentence}`),
      { kind: 'passage', ...given },
    ),
  ]);
  for (const [at, candidate] of candidates.entries()) {
    let cosine = 0;
    for (let i = 0; i < embedder.dimension; i++) cosine += query[i]! * rows[at * embedder.dimension + i]!;
    candidate.score += Math.max(0, cosine);
  }
}

function alike(a: Candidate, b: Candidate): boolean {
  if (a.numbers !== b.numbers) return false;
  const [one, two] = [new Set(a.stems), new Set(b.stems)];
  const common = one.intersection(two).size;
  return common >= ALIKE * Math.min(one.size, two.size);
}

function isQuestion(sentence: string): boolean {
  return /[?？]["”’)]*$/u.test(sentence);
}
