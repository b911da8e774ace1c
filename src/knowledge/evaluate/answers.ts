/**
 * How good answers are: whether citations hold and are of documents that were judged right, whether what cannot be answered is
 * refused, how much of what was expected is said, and at what length.
 *
 * @module knowledge/evaluate/answers
 */
import { checkable, claimOf, judge } from '../answer/claims/verify.ts';
import type { AnswerEvent, Source } from '../answer/index.ts';
import { quantile } from './judge.ts';
import { type Expectation, type KeywordScore, keywordScore, overall } from './keywords.ts';
import type { Judgements } from './measures.ts';

type Sources = Extract<AnswerEvent, { readonly type: 'sources' }>;
/** As answers come, or as a route gives them. */
export type JudgedEvent =
  | Exclude<AnswerEvent, Sources>
  | { readonly type: 'sources'; readonly sources: readonly Pick<Source, 'n' | 'path' | 'title' | 'text'>[] };

export interface QuestionJudged {
  readonly id: string;
  /** False: the documents do not answer it. */
  readonly answerable: boolean;
  /** Null where documents were not judged. */
  readonly judgements: Judgements | null;
  /** Null where nothing is expected. */
  readonly expected: Expectation | null;
}

/** One answer, measured. */
export interface AnswerJudged {
  readonly id: string;
  readonly answerable: boolean;
  readonly outcome: 'written' | 'extracted' | 'refused';
  /** Characters without citations; of refusals 0. */
  readonly characters: number;
  /** Sentences that were given, and those of them with a citation. */
  readonly sentences: number;
  readonly cited: number;
  /** Citations, those whose source says the sentence, and those of a judged document; null where none were judged. */
  readonly citations: number;
  readonly supported: number;
  readonly relevant: number | null;
  /** Documents that were judged right, and those of them that are cited. */
  readonly judged: number;
  readonly reached: number;
  /** As a model wrote it, before anything was left out; null where none wrote. */
  readonly wrote: { readonly sentences: number; readonly cited: number; readonly verified: number } | null;
  readonly keywords: KeywordScore | null;
  readonly ms: number;
}

/**
 * @param ms that it took
 * @param idOf id of a document by its path; null: it is none of the set
 */
export function judgeAnswer(
  { id, answerable, judgements, expected }: QuestionJudged,
  events: readonly JudgedEvent[],
  ms: number,
  idOf: (path: string) => string | null = (path) => path,
): AnswerJudged {
  const sources = events.find((event) => event.type === 'sources')?.sources ?? [];
  const finish = events.find((event) => event.type === 'finish');
  const outcome = finish?.outcome ?? 'refused';
  const counts = { sentences: 0, cited: 0, citations: 0, supported: 0, relevant: 0 };
  const reached = new Set<string>();
  let text = '';
  let cites: { readonly n: number; readonly path: string }[] = [];
  for (const event of events) {
    if (event.type === 'citation') cites.push(event);
    else if (event.type === 'sentence') {
      if (event.given) {
        counts.sentences++;
        if (cites.length > 0) counts.cited++;
        text += `${event.text} `;
        for (const { n, path } of cites) {
          counts.citations++;
          // Held against the source again: what the answer says of its own citations is what is measured.
          const source = sources.find((each) => each.n === n);
          if (source !== undefined && isSaid(event.text, source, together(cites, sources)))
            counts.supported++;
          const document = idOf(path);
          if (document !== null && (judgements?.get(document) ?? 0) > 0) {
            counts.relevant++;
            reached.add(document);
          }
        }
      }
      cites = [];
    }
  }
  const said = outcome === 'refused' ? '' : text.trim();
  const writer = events.findLast((event) => event.type === 'writer' && event.task === 'answer');
  const wrote = writer?.type === 'writer' ? writer.wrote : null;
  return {
    ...{ id, answerable, outcome, characters: said.length, ...counts, ms },
    relevant: judgements === null ? null : counts.relevant,
    judged: [...(judgements?.values() ?? [])].filter((gain) => gain > 0).length,
    reached: reached.size,
    wrote:
      wrote === null ? null : { sentences: wrote.sentences, cited: wrote.cited, verified: wrote.verified },
    // A refusal names titles: they are no answer.
    keywords: expected === null ? null : keywordScore(said, expected),
  };
}

type JudgedSource = Pick<Source, 'title' | 'text'>;

function together(
  cites: readonly { readonly n: number }[],
  sources: readonly (JudgedSource & { readonly n: number })[],
): JudgedSource | null {
  if (cites.length < 2) return null;
  const all = sources.filter(({ n }) => cites.some((each) => each.n === n));
  return { title: all.map(({ title }) => title).join('\n'), text: all.map(({ text }) => text).join('\n\n') };
}

/** By the source itself, or by all that are cited together. */
function isSaid(sentence: string, source: JudgedSource, all: JudgedSource | null): boolean {
  const claim = claimOf(sentence);
  return [source, all].some(
    (each) => each !== null && judge(claim, checkable(each.title, each.text)).supported,
  );
}

export interface AnswerFigures {
  /** That the documents answer, and of them those that were refused. */
  readonly questions: number;
  readonly falseRefusals: number;
  /** That they do not answer, and of them those that were refused. */
  readonly outOfScope: number;
  readonly refusals: number;
  /** Share of citations whose source says the sentence; null without citations. */
  readonly citationPrecision: number | null;
  /** Share of citations of documents that were judged right; null where none were judged. */
  readonly citationRelevance: number | null;
  /** Share of answers that cite at least one of these. */
  readonly answersRelevant: number | null;
  /** Share of the documents that were judged right, over all answers, that are cited. */
  readonly documentsReached: number | null;
  /** Share of sentences with a citation. */
  readonly citationRecall: number | null;
  /** Of what models wrote, before anything was left out: sentences that they cited, and that are supported. */
  readonly wroteCited: number | null;
  readonly wroteSupported: number | null;
  /** Of groups and numbers over all questions with some; refused ones count as nothing. */
  readonly keywords: number | null;
  /** Of answers that were given. */
  readonly charactersMean: number | null;
  readonly charactersP95: number | null;
  readonly msP50: number;
  readonly msP95: number;
}

export function answerFigures(all: readonly AnswerJudged[]): AnswerFigures {
  const own = all.filter(({ answerable }) => answerable);
  const other = all.filter(({ answerable }) => !answerable);
  const given = own.filter(({ outcome }) => outcome !== 'refused');
  const judged = given.filter(({ relevant }) => relevant !== null);
  const scores = own.flatMap(({ keywords }) => (keywords === null ? [] : [keywords]));
  const wrote = all.flatMap((each) => (each.wrote === null ? [] : [each.wrote]));
  const lengths = given.map(({ characters }) => characters);
  const times = all.map(({ ms }) => ms);
  return {
    questions: own.length,
    falseRefusals: own.length - given.length,
    outOfScope: other.length,
    refusals: other.filter(({ outcome }) => outcome === 'refused').length,
    citationPrecision: share(sum(given, 'supported'), sum(given, 'citations')),
    citationRelevance: share(sum(judged, 'relevant'), sum(judged, 'citations')),
    answersRelevant: share(judged.filter(({ relevant }) => relevant! > 0).length, judged.length),
    documentsReached: share(sum(judged, 'reached'), sum(judged, 'judged')),
    citationRecall: share(sum(given, 'cited'), sum(given, 'sentences')),
    wroteCited: share(sum(wrote, 'cited'), sum(wrote, 'sentences')),
    wroteSupported: share(sum(wrote, 'verified'), sum(wrote, 'sentences')),
    keywords: scores.length === 0 ? null : overall(scores),
    charactersMean: share(
      lengths.reduce((a, b) => a + b, 0),
      lengths.length,
    ),
    charactersP95: lengths.length === 0 ? null : quantile(lengths, 0.95),
    msP50: quantile(times, 0.5),
    msP95: quantile(times, 0.95),
  };
}

function sum<Key extends string>(all: readonly Readonly<Record<Key, number | null>>[], key: Key): number {
  return all.reduce((whole, each) => whole + (each[key] ?? 0), 0);
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
