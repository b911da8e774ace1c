/**
 * From a question to an answer whose every sentence was held against the source that it cites.
 *
 * @module knowledge/answer/answer
 */
import { type Clock, InputError, type Random, throwIfAborted } from '../../base/index.ts';
import { estimateTokens } from '../chunk/index.ts';
import { asksForAll } from '../graph/index.ts';
import type { Retriever, SearchOptions, SearchStep } from '../retrieve/index.ts';
import type { KnowledgeStore, StoredChunk } from '../store/index.ts';
import type { Embedder } from '../types.ts';
import { askedFor } from './asked-for.ts';
import { foldedWords, stem } from './claims/words.ts';
import { buildContext } from './context.ts';
import { extractAnswer, openingsOfEach } from './extract.ts';
import { rewriteFollowUp } from './follow-up.ts';
import { Grounding } from './grounding.ts';
import { type Language, languageOf, PHRASES, routeText } from './language.ts';
import { historyOf, plain, promptFor } from './prompt.ts';
import { reasonOf, refusalText } from './refusal.ts';
import { type SupportThresholds, supportOf } from './support.ts';
import type { AnswerEvent, Figures, Source, Turn, Writer, WriterFacts } from './types.ts';
import { writeAnswer } from './writing.ts';

export interface AnswererOptions {
  /** May be one that also expands and reranks. */
  readonly retriever: Pick<Retriever, 'search'>;
  readonly store: Pick<KnowledgeStore, 'neighbours' | 'lexical' | 'counts' | 'chunk' | 'chunksOf'>;
  readonly embedder: Embedder | null;
  /** Null: answers are sentences of the documents. */
  readonly writer: Writer | null;
  readonly clock: Clock;
  readonly random: Random;
}

export interface AnswerOptions {
  /** What was said before. @default none */
  readonly turns?: readonly Turn[];
  readonly search?: Omit<SearchOptions, 'signal' | 'neighbours'>;
  /** `leave_out`: a sentence that is not supported is not given. `flag`: it is given and said to be so. @default 'leave_out' */
  readonly unsupported?: 'leave_out' | 'flag';
  /** What happens when nothing of what was written is supported: say so, or give sentences of the sources. @default 'refuse' */
  readonly fallback?: 'refuse' | 'extract';
  /** Tokens of the sources together. @default 2400, less where the writer's context is small */
  readonly contextTokens?: number;
  /** Tokens of what is written. @default 400 */
  readonly maxTokens?: number;
  /** Sources, at most. @default 8 */
  readonly sources?: number;
  readonly support?: SupportThresholds;
  /** ms for making a question stand alone with the writer; 0: by rules only. @default 1500 */
  readonly rewriteMs?: number;
  /** Of refusals, and of why a question took its way. @default that of the question */
  readonly language?: Language;
  readonly signal?: AbortSignal;
}

export interface Answerer {
  /** @throws InputError `question_invalid` and those of the search; AbortedError */
  answer(question: string, options?: AnswerOptions): AsyncIterable<AnswerEvent>;
}

const MOST_CHARACTERS = 8000;
const CONTEXT_TOKENS = 2400;
const MAX_TOKENS = 400;
/** Tokens of the fixed words around sources. */
const FRAME_TOKENS = 320;
/** Tokens are estimated, and models count up to a tenth more. */
const SURE = 0.85;
/** With less no answer is possible: rather the model says that it is too much. */
const LEAST_TOKENS = 128;
/** Chunks of earlier answers that stay in view. */
const MOST_KEPT = 3;
/** Documents whose beginning is looked at beside what was found. */
const MOST_OPENINGS = 2;

export const NO_FIGURES: Figures = {
  ...{ sentences: 0, cited: 0, verified: 0, unsupported: 0, leftOut: 0, removedCitations: 0 },
};

export function createAnswerer(parts: AnswererOptions): Answerer {
  return { answer: (question, options = {}) => answer(parts, question, options) };
}

async function* answer(
  { retriever, store, embedder, writer, clock, random }: AnswererOptions,
  asked: string,
  options: AnswerOptions,
): AsyncGenerator<AnswerEvent> {
  const { signal, turns = [], unsupported = 'leave_out', fallback = 'refuse' } = options;
  const language = options.language ?? languageOf(asked);
  const phrases = PHRASES[language];
  checkQuestion(asked);
  throwIfAborted(signal);
  const rewriteMs = options.rewriteMs ?? 1500;
  const rewriting = writer === null || rewriteMs === 0 ? null : overheard(writer);
  const rewritten = await rewriteFollowUp(asked, turns, {
    ...{ writer: rewriting?.writer ?? null, clock, signal },
    budgetMs: rewriteMs,
  });
  const rewriter = rewriting?.facts() ?? null;
  if (rewriter !== null) yield { type: 'writer', task: 'question', ...rewriter, wrote: null };
  const { question } = rewritten;
  if (rewritten.skipped !== null)
    yield warning(
      'rewrite_skipped',
      `The question was made to stand alone by rules, not by the model: ${rewritten.skipped}.`,
    );
  const most = options.sources ?? 8;
  const found: Awaited<ReturnType<Retriever['search']>> & { readonly steps?: readonly SearchStep[] } =
    await retriever.search(question, { limit: Math.max(most, 8), ...options.search, signal });
  for (const { writer: asker } of found.steps ?? [])
    if (asker !== null) yield { type: 'writer', task: 'search', ...asker, wrote: null };
  if (found.degraded !== null)
    yield warning('search_degraded', `Searched by words only: ${found.degraded.message}.`);
  const isOverview = found.route?.taken === 'global' && found.hits.length > 0 && asksForAll(question);
  // What a document is about stands where it begins; a model gets the passages themselves.
  const beginnings = isOverview && writer === null;
  const { sources, cut } = buildContext(beginnings ? [] : found.hits, store, {
    ...{ budget: budgetFor(writer, question, options), most },
    keep: rewritten.by === null ? [] : keptChunks(turns, store),
    openings: beginnings ? beginningsOf(found, store) : openingsOf(question, found, store),
  });
  if (cut) yield warning('source_cut', 'The best source was longer than the context and was cut.');
  const support = supportOf(question, found, sources, store, options.support);
  yield {
    ...{ type: 'sources', question, rewrittenBy: rewritten.by, sources, support },
    ...{ by: found.by, steps: found.steps ?? [] },
    route: found.route === null ? null : { ...found.route, why: routeText(found.route.why, language) },
  };
  // The words of an overview are in no document, and need not be.
  if (!support.enough && !isOverview) {
    yield* refuse(reasonOf(support, sources, language), sources, NO_FIGURES, language);
    return;
  }
  const grounding = new Grounding(sources);
  const extract = async function* (): AsyncGenerator<AnswerEvent> {
    const { extracts, degraded } = isOverview
      ? { extracts: openingsOfEach(sources), degraded: null }
      : await extractAnswer(question, found, sources, embedder, { signal });
    if (degraded !== null)
      yield warning('search_degraded', `Sentences were chosen by their words only: ${degraded}`);
    const sentences = extracts
      .map((each) => ({ ...each, text: plain(each.text).replace(/\s+/gu, ' ') }))
      .filter(({ text }) => text !== '');
    if (sentences.length === 0) {
      yield* refuse(phrases.noSentence, sources, NO_FIGURES, language);
      return;
    }
    for (const [at, { source, sentence, text }] of sentences.entries()) {
      yield { type: 'text', text: `${at === 0 ? '' : ' '}${text} [${source.n}]` };
      yield { type: 'citation', ...grounding.quote(source, sentence) };
      yield { type: 'sentence', text, status: 'verified', missing: [], given: true };
    }
    const count = sentences.length;
    const figures = { ...NO_FIGURES, sentences: count, cited: count, verified: count };
    yield { type: 'finish', outcome: 'extracted', reason: null, figures };
  };
  if (writer === null) {
    yield* extract();
    return;
  }
  const { messages } = promptFor(question, sources, random, turns);
  const writing = overheard(writer);
  const { figures, end } = yield* writeAnswer(writing.writer, messages, grounding, {
    ...{ unsupported, maxTokens: options.maxTokens ?? MAX_TOKENS, signal },
  });
  throwIfAborted(signal);
  const facts = writing.facts();
  if (facts !== null) yield { type: 'writer', task: 'answer', ...facts, wrote: figures };
  if (figures.verified > 0) {
    if (end === 'failed' || end === 'cut')
      yield warning('answer_cut', 'The answer ended before the model was done with it.');
    yield { type: 'finish', outcome: 'written', reason: null, figures };
  } else if (end === 'no_answer') yield* refuse(phrases.noAnswer, sources, figures, language);
  else if (end === 'failed' || fallback === 'extract') yield* extract();
  else yield* refuse(phrases.notSupported, sources, figures, language);
}

/** The writer, and what it tells of itself. */
function overheard(writer: Writer): { readonly writer: Writer; facts(): WriterFacts | null } {
  let last: WriterFacts | null = null;
  return {
    writer: {
      ...{ id: writer.id, context: writer.context },
      write: (messages, options) =>
        writer.write(messages, {
          ...options,
          told(facts) {
            last = facts;
          },
        }),
    },
    facts: () => last,
  };
}

function* refuse(
  reason: string,
  sources: readonly Source[],
  figures: Figures,
  language: Language,
): Generator<AnswerEvent> {
  yield { type: 'text', text: refusalText(reason, sources, language) };
  yield { type: 'finish', outcome: 'refused', reason, figures };
}

function warning(code: (AnswerEvent & { type: 'warning' })['code'], message: string): AnswerEvent {
  return { type: 'warning', code, message };
}

function checkQuestion(question: string): void {
  if (question.trim() === '' || question.length > MOST_CHARACTERS)
    throw new InputError(
      'question_invalid',
      `The question has ${question.length} characters: ask with 1 to ${MOST_CHARACTERS}.`,
      { param: 'question' },
    );
}

function budgetFor(
  writer: Writer | null,
  question: string,
  { contextTokens = CONTEXT_TOKENS, maxTokens = MAX_TOKENS, turns = [] }: AnswerOptions,
): number {
  if (writer === null) return contextTokens;
  const said = estimateTokens([question, ...historyOf(turns).map(({ content }) => content)].join('\n'));
  const left = writer.context - maxTokens - FRAME_TOKENS - said;
  return Math.max(LEAST_TOKENS, Math.min(contextTokens, Math.floor(left * SURE)));
}

/** What the last answers cited, the newest first. */
function keptChunks(turns: readonly Turn[], store: Pick<KnowledgeStore, 'chunk'>): StoredChunk[] {
  const ids = new Set(turns.toReversed().flatMap(({ cited = [] }) => cited));
  const chunks: StoredChunk[] = [];
  for (const id of ids) {
    if (chunks.length >= MOST_KEPT) break;
    const chunk = store.chunk(id);
    if (chunk !== null) chunks.push(chunk);
  }
  return chunks;
}

/** The beginnings of documents that bear the name of what a question wants defined: there it mostly is. */
function openingsOf(
  question: string,
  { hits }: Pick<Awaited<ReturnType<Retriever['search']>>, 'hits'>,
  store: Pick<KnowledgeStore, 'chunksOf'>,
): StoredChunk[] {
  const { subject } = askedFor(question);
  if (subject === null) return [];
  const paths = new Set<string>();
  for (const { chunk } of hits) {
    const named = new Set(foldedWords(`${chunk.title.split(' › ')[0]} ${chunk.path}`).map(stem));
    if (subject.every((word) => named.has(word))) paths.add(chunk.path);
  }
  return [...paths].slice(0, MOST_OPENINGS).flatMap((path) => store.chunksOf(path, 0, 1));
}

/** Of each document that was found, in that order. */
function beginningsOf(
  { hits }: Pick<Awaited<ReturnType<Retriever['search']>>, 'hits'>,
  store: Pick<KnowledgeStore, 'chunksOf'>,
): StoredChunk[] {
  const paths = new Set(hits.map(({ chunk }) => chunk.path));
  return [...paths].flatMap((path) => store.chunksOf(path, 0, 1));
}

/** The whole of an answer that came as events. */
export interface CollectedAnswer {
  readonly text: string;
  readonly events: readonly AnswerEvent[];
}

export async function collectAnswer(events: AsyncIterable<AnswerEvent>): Promise<CollectedAnswer> {
  const all: AnswerEvent[] = [];
  let text = '';
  for await (const event of events) {
    all.push(event);
    if (event.type === 'text') text += event.text;
  }
  return { text: text.trim(), events: all };
}
