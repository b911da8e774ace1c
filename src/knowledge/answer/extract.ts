/**
 * Answers without a model that writes: the sentences of the sources that answer best, as they stand there.
 *
 * @module knowledge/answer/extract
 */
import { messageOf, throwIfAborted } from '../../base/index.ts';
import { type Found, isStopWord } from '../retrieve/index.ts';
import type { Embedder } from '../types.ts';
import { type AskedFor, askedFor, defines, fitness, hasWanted, pointsBack } from './asked-for.ts';
import { foldedWords, stem, tellingStems } from './claims/words.ts';
import { type Piece, piecesOf } from './pieces.ts';
import type { Source } from './types.ts';

export interface Extract {
  readonly source: Source;
  /** Stands in the source as it is. */
  readonly sentence: string;
  /** As it is given: rows of tables with the heads of their columns. */
  readonly text: string;
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
const NEAR_BEST = 0.65;
/** From this share of common words on two sentences say one thing. */
const ALIKE = 0.7;
/** Shorter ones are headings and scraps. */
const LEAST_WORDS = 4;
/** A heading with so many of the question's words asks the same. */
const ASKS_ALIKE = 0.6;

interface Candidate extends Extract {
  readonly piece: Piece;
  readonly order: number;
  readonly stems: readonly string[];
  readonly numbers: string;
  /** Stands first under its headings. */
  readonly opens: boolean;
  /** And these headings ask what the question asks. */
  asks: boolean;
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
  const candidates = candidatesOf(foremost(sources));
  weigh(candidates, question);
  const best = (): void => {
    candidates.sort((a, b) => b.score - a.score || a.order - b.order);
  };
  best();
  let degraded: string | null = null;
  if (embedder !== null && found.degraded === null) {
    candidates.length = Math.min(candidates.length, MOST_COMPARED);
    try {
      await compare(question, candidates, embedder, signal);
      best();
    } catch (error) {
      throwIfAborted(signal);
      degraded = messageOf(error);
    }
  }
  return { extracts: inOrder(chosenOf(candidates, askedFor(question), most, longest)), degraded };
}

/**
 * Of an overview, which asks for no words: the sentence with which each source opens, in the order in which they were found.
 * Those that open with nothing but headings and scraps give none.
 */
export function openingsOfEach(
  sources: readonly Source[],
  { most = 5, longest = 900 }: ExtractOptions = {},
): readonly Extract[] {
  const chosen: Candidate[] = [];
  let characters = 0;
  for (const candidate of candidatesOf(foremost(sources))) {
    const { source, sentence, piece } = candidate;
    const isProse = piece.kind !== 'scrap' && piece.kind !== 'code' && piece.kind !== 'row';
    if ((!isProse && !isTagline(piece)) || pointsBack(sentence) || /:\s*$/u.test(sentence)) continue;
    if (chosen.some((other) => other.source === source || alike(other, candidate))) continue;
    if (chosen.length > 0 && characters + sentence.length > longest) continue;
    characters += sentence.length;
    if (chosen.push(candidate) >= most) break;
  }
  return chosen;
}

/** The best, and what was looked at beside them. */
function foremost(sources: readonly Source[]): Source[] {
  let found = 0;
  return sources.filter(({ hit }) => hit === null || ++found <= MOST_SOURCES);
}

function candidatesOf(sources: readonly Source[]): Candidate[] {
  const seen = new Set<string>();
  const candidates: Candidate[] = [];
  for (const source of sources) {
    let opening: Piece | null = null;
    for (const { text, position } of source.chunks)
      for (const piece of piecesOf(text)) {
        const words = foldedWords(piece.sentence);
        const key = words.join(' ');
        const short = piece.kind !== 'code' && piece.kind !== 'row' && words.length < LEAST_WORDS;
        if (words.length === 0 || short || seen.has(key) || isQuestion(piece.sentence)) continue;
        // Where chunks were put together something between them may be told once.
        if (!source.text.includes(piece.sentence)) continue;
        seen.add(key);
        if ((piece.kind !== 'scrap' && piece.kind !== 'code') || (position === 0 && isTagline(piece)))
          opening ??= piece;
        candidates.push({
          ...{
            source,
            piece,
            sentence: piece.sentence,
            text: piece.text,
            order: candidates.length,
            score: 0,
            asks: false,
          },
          opens:
            piece === opening ||
            (piece.kind === 'row' && opening?.kind === 'row' && piece.block === opening.block),
          stems: words.filter((word) => !isStopWord(word)).map(stem),
          numbers: words.filter((word) => /\d/.test(word)).join(' '),
        });
      }
  }
  return candidates;
}

/** What stands below the name of a program: "Minimal and efficient file watching library". */
function isTagline({ kind, sentence }: Piece): boolean {
  return kind === 'scrap' && (sentence.match(/(?<=\s)\p{Ll}{2,}/gu)?.length ?? 0) >= 3;
}

function chosenOf(
  candidates: readonly Candidate[],
  { which }: Pick<AskedFor, 'which'>,
  most: number,
  longest: number,
): Candidate[] {
  const chosen: Candidate[] = [];
  let characters = 0;
  const best = candidates[0]?.score ?? 0;
  const take = (candidate: Candidate): boolean => {
    // The best one is given whatever its length: an answer of nothing helps nobody.
    if (chosen.length > 0 && characters + candidate.sentence.length > longest) return false;
    characters += candidate.sentence.length;
    chosen.push(candidate);
    return true;
  };
  for (const candidate of candidates) {
    if (chosen.length >= most || best <= 0 || candidate.score < best * NEAR_BEST) break;
    if (chosen.some((other) => alike(other, candidate))) continue;
    if (!take(candidate) || chosen.length >= most) continue;
    const { kind, block } = candidate.piece;
    if (which && kind === 'row' && candidate.asks)
      for (const other of candidates)
        if (
          other.asks &&
          other.source === candidate.source &&
          other.piece.block === block &&
          chosen.length < most
        )
          if (!chosen.includes(other)) take(other);
    if (kind !== 'code' && !pointsBack(candidate.sentence)) continue;
    const before = candidates.find(
      ({ source, sentence }) => source === candidate.source && sentence === candidate.piece.before?.sentence,
    );
    if (before !== undefined && !chosen.some((other) => alike(other, before))) take(before);
  }
  return chosen;
}

function inOrder(chosen: Candidate[]): Extract[] {
  const first = new Map<number, number>();
  chosen.forEach(({ source }, at) => {
    if (!first.has(source.n)) first.set(source.n, at);
  });
  return chosen.sort((a, b) => first.get(a.source.n)! - first.get(b.source.n)! || a.order - b.order);
}

/** By how rare the question's words are among these very sentences, the rank of the source, and what is asked for. */
function weigh(candidates: readonly Candidate[], question: string): void {
  const asked = tellingStems(question);
  const kind = askedFor(question);
  const titles = new Map<Source, ReadonlySet<string>>();
  const headings = new Map<Source, ReadonlySet<string>>();
  for (const { source } of candidates) {
    if (titles.has(source)) continue;
    titles.set(source, new Set(foldedWords(`${source.title} ${source.path}`).map(stem)));
    headings.set(source, new Set(foldedWords(source.title.split(' › ').at(-1)!).map(stem)));
  }
  const weights = asked.map((word) => {
    const count = candidates.filter(
      ({ stems, source }) => stems.includes(word) || titles.get(source)!.has(word),
    ).length;
    return [word, Math.log(1 + candidates.length / (count + 0.5))] as const;
  });
  const whole = weights.reduce((sum, [, weight]) => sum + weight, 0) || 1;
  for (const candidate of candidates) {
    const { stems, source, piece, opens } = candidate;
    const title = titles.get(source)!;
    let own = 0;
    for (const [word, weight] of weights) {
      if (stems.includes(word)) own += weight;
      // The title says what a sentence is about, if less surely.
      else if (title.has(word)) own += weight * 0.5;
    }
    if (own === 0) continue;
    const heading = headings.get(source)!;
    // "Options of it" is no heading for what it is.
    const longer = kind.subject === null ? asked.length : Math.max(asked.length, heading.size);
    const alike = asked.filter((word) => heading.has(word)).length / (longer || 1);
    const keys = piece.key === null ? [] : tellingStems(piece.key);
    const keyed = keys.length > 0 && keys.every((word) => asked.includes(word) || title.has(word));
    const asks = opens && alike >= ASKS_ALIKE;
    candidate.asks = asks;
    let score = own / whole + 0.1 / source.n;
    if (hasWanted(candidate.sentence, kind.wanted)) score += 0.25;
    if (asks) score += 0.35 * alike;
    if (kind.subject !== null) {
      score += defines(candidate.sentence, kind.subject);
      if (opens && source.chunks[0]!.position === 0 && kind.subject.every((word) => title.has(word)))
        score += 0.3;
    }
    candidate.score = Math.max(0.01, score + fitness(piece, question, kind, keyed || asks));
  }
}

/** Files of one name in many folders are told apart by these. */
function nameOf({ title, path }: Source): string {
  return /^(?:readme|index)\b/iu.test(title) ? `${path.split('/').at(-2) ?? ''} ${title}` : title;
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
      candidates.map(({ source, text }) => `${nameOf(source)}\n${text}`),
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
