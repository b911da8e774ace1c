/**
 * An answer as it comes, event by event, and how it stands on the page: paragraphs and lists of sentences, each with what it
 * cites and whether that supports it.
 *
 * @module web/pages/knowledge/ask/answer-state
 */
import type { AnswerEventView, SourceView } from '../../../../../src/server/rag/answer-types.ts';
import type { Fault } from '../../../data/node-error.ts';

type Of<Type extends AnswerEventView['type']> = Extract<AnswerEventView, { readonly type: Type }>;
export type Source = SourceView;
export type Citation = Omit<Of<'citation'>, 'type'>;
export type Sentence = Omit<Of<'sentence'>, 'type'>;
export type Warning = Omit<Of<'warning'>, 'type'>;
export type Finish = Omit<Of<'finish'>, 'type'>;
export type Looked = Omit<Of<'sources'>, 'type' | 'sources'>;
export type WriterNote = Omit<Of<'writer'>, 'type'>;

/** A piece of text as it came: a sentence with its marks of citation. */
export interface Unit {
  readonly text: string;
  readonly citations: readonly Citation[];
  /** Null while it is not known, and for what nobody checks (a refusal). */
  readonly status: Sentence['status'] | null;
  readonly missing: Sentence['missing'];
}

export interface Answer {
  readonly state: 'waiting' | 'writing' | 'done' | 'stopped' | 'failed';
  readonly units: readonly Unit[];
  readonly sources: readonly Source[];
  readonly looked: Looked | null;
  readonly writers: readonly WriterNote[];
  readonly warnings: readonly Warning[];
  /** Sentences that were not given, since no source supports them. */
  readonly leftOut: readonly Sentence[];
  readonly finish: Finish | null;
  readonly fault: Fault | null;
}

export const emptyAnswer: Answer = {
  ...{ state: 'waiting', units: [], sources: [], looked: null, writers: [] },
  ...{ warnings: [], leftOut: [], finish: null, fault: null },
};

export function takeEvent(answer: Answer, event: AnswerEventView): Answer {
  switch (event.type) {
    case 'sources': {
      const { type: _, sources, ...looked } = event;
      return { ...answer, sources, looked };
    }
    case 'text': {
      const unit: Unit = { text: event.text, citations: [], status: null, missing: [] };
      return { ...answer, state: 'writing', units: [...answer.units, unit] };
    }
    case 'citation': {
      const { type: _, ...citation } = event;
      return changeLast(answer, (unit) => ({ ...unit, citations: [...unit.citations, citation] }));
    }
    case 'sentence': {
      const { type: _, ...sentence } = event;
      if (!sentence.given) return { ...answer, leftOut: [...answer.leftOut, sentence] };
      const { status, missing } = sentence;
      return changeLast(answer, (unit) => ({ ...unit, status, missing }));
    }
    case 'writer': {
      const { type: _, ...writer } = event;
      return { ...answer, writers: [...answer.writers, writer] };
    }
    case 'warning': {
      const { type: _, ...warning } = event;
      return { ...answer, warnings: [...answer.warnings, warning] };
    }
    case 'finish': {
      const { type: _, ...finish } = event;
      return { ...answer, state: 'done', finish };
    }
    default:
      // A newer node may say more.
      return answer;
  }
}

function changeLast(answer: Answer, change: (unit: Unit) => Unit): Answer {
  const last = answer.units.at(-1);
  return last === undefined ? answer : { ...answer, units: [...answer.units.slice(0, -1), change(last)] };
}

export const textOf = ({ units }: Pick<Answer, 'units'>): string =>
  units
    .map(({ text }) => text)
    .join('')
    .trim();

/** Sources that are cited, then the others, each by its number. */
export function sortedSources({ units, sources }: Answer): { cited: Source[]; others: Source[] } {
  const numbers = new Set(units.flatMap(({ citations }) => citations.map(({ n }) => n)));
  return {
    cited: sources.filter(({ n }) => numbers.has(n)),
    others: sources.filter(({ n }) => !numbers.has(n)),
  };
}

export type Inline =
  | { readonly kind: 'text'; readonly text: string; readonly strong: boolean; readonly unit: Unit }
  | { readonly kind: 'cite'; readonly n: number; readonly citation: Citation | null; readonly unit: Unit };

export interface Line {
  readonly kind: 'text' | 'item' | 'numbered' | 'head';
  readonly inline: readonly Inline[];
}

const MARK = /\[(\d{1,3})\]|\*\*/g;
const BEGIN = /^\s*(?:([-*•])|(\d{1,3})[.)]|(#{1,6}))\s+/;

/** Lines of an answer; empty ones only part paragraphs. Marks of sources that it has become citations. */
export function linesOf({ units, sources }: Pick<Answer, 'units' | 'sources'>): Line[] {
  const known = new Set(sources.map(({ n }) => n));
  const lines: { kind: Line['kind']; inline: Inline[] }[] = [];
  let line: { kind: Line['kind']; inline: Inline[] } | null = null;
  let strong = false;
  for (const unit of units)
    for (const [at, part] of unit.text.split('\n').entries()) {
      if (at > 0) {
        line = null;
        strong = false;
      }
      let rest = part;
      if (line === null) {
        if (part.trim() === '') continue;
        const begin = BEGIN.exec(part);
        const kind = begin?.[1] ? 'item' : begin?.[2] ? 'numbered' : begin?.[3] ? 'head' : 'text';
        rest = part.slice(begin?.[0].length ?? 0);
        line = { kind, inline: [] };
        lines.push(line);
      }
      let from = 0;
      const add = (text: string) => {
        if (text !== '') line!.inline.push({ kind: 'text', text, strong, unit });
      };
      for (const { 0: mark, 1: number, index } of rest.matchAll(MARK)) {
        const n = Number(number);
        if (number !== undefined && !known.has(n)) continue;
        add(number === undefined ? rest.slice(from, index) : rest.slice(from, index).replace(/ $/, ''));
        from = index + mark.length;
        if (number === undefined) strong = !strong;
        else {
          const citation = unit.citations.find((each) => each.n === n) ?? null;
          line.inline.push({ kind: 'cite', n, citation, unit });
        }
      }
      add(rest.slice(from));
    }
  return lines;
}

/** What a question is asked with of what was said before: the last exchanges that were answered, as the node bounds them. */
export function historyOf(
  turns: readonly { readonly question: string; readonly answer: Answer }[],
  most = 12,
): { question: string; answer: string; cited: string[] }[] {
  return turns
    .filter(({ answer }) => answer.finish !== null && answer.finish.outcome !== 'refused')
    .slice(-most)
    .map(({ question, answer }) => ({
      question,
      answer: textOf(answer).slice(0, 8000),
      cited: [...new Set(answer.units.flatMap(({ citations }) => citations.map(({ chunk }) => chunk)))].slice(
        0,
        50,
      ),
    }));
}
