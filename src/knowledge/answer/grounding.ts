/**
 * Sentences as a writer gave them against the sources: which of the cited ones say so, and which others do.
 *
 * @module knowledge/answer/grounding
 */
import { type Checked, type Claim, checkable, claimOf, type Judged, judge } from './claims/verify.ts';
import type { ReadSentence } from './reading.ts';
import type { Citation, Missing, SentenceStatus, Source } from './types.ts';

export interface Grounded {
  readonly status: SentenceStatus;
  readonly missing: readonly Missing[];
  /** Of the sources that the reader is told. */
  readonly citations: readonly Citation[];
  /** Numbers that were cited and are of no source. */
  readonly unknown: readonly number[];
  /** Cited sources that do not say so, where another one does. */
  readonly wrong: readonly number[];
  /** True when no cited source says so and one that was not cited does. */
  readonly found: boolean;
}

/** Sources that one sentence may be given without having cited them. */
const MOST_ADDED = 2;

export class Grounding {
  readonly #sources: ReadonlyMap<number, Source>;
  readonly #checked = new Map<string, Checked>();

  constructor(sources: readonly Source[]) {
    this.#sources = new Map(sources.map((source) => [source.n, source]));
  }

  ground({ text, cites }: ReadSentence): Grounded {
    const claim = claimOf(text.trim());
    const cited = cites.filter((n) => this.#sources.has(n));
    const unknown = cites.filter((n) => !this.#sources.has(n));
    const none = { unknown, wrong: [], found: false };
    if (cited.length > 0) {
      const judged = this.#judgeEach(claim, cited);
      const right = judged.filter(({ judged: { supported } }) => supported);
      if (right.length > 0)
        return {
          ...none,
          ...{ status: 'verified', missing: [] },
          citations: right.map((each) => this.#citation(each.n, each.judged, true)),
          wrong: cited.filter((n) => !right.some((each) => each.n === n)),
        };
      // Each source says its part.
      const together = cited.length > 1 ? judge(claim, this.#checkedOf(cited)) : null;
      if (together?.supported === true)
        return {
          ...{ ...none, status: 'verified', missing: [] },
          citations: judged
            .filter(({ judged: { words } }) => words > 0)
            .map((each) => this.#citation(each.n, each.judged, true)),
        };
      const others = claim.tells ? this.#whoSays(claim, cited) : [];
      if (others.length > 0)
        return {
          ...none,
          ...{ status: 'verified', missing: [], citations: others, wrong: cited, found: true },
        };
      const nearest = judged.reduce((best, each) =>
        each.judged.missing.length < best.judged.missing.length ? each : best,
      );
      return {
        ...{ ...none, status: 'unsupported', missing: (together ?? nearest.judged).missing },
        citations: judged.map((each) => this.#citation(each.n, each.judged, false)),
      };
    }
    if (!claim.tells) return { ...none, status: 'plain', missing: [], citations: [] };
    const citations = this.#whoSays(claim, []);
    if (citations.length > 0) return { ...none, status: 'verified', missing: [], citations, found: true };
    return { ...none, status: 'unsupported', missing: this.#missingEverywhere(claim), citations: [] };
  }

  /** A citation of a sentence that stands in the source as it is. */
  quote({ n }: Source, sentence: string): Citation {
    return this.#citation(n, { supported: true, missing: [], sentence, words: 1 }, true);
  }

  #judgeEach(claim: Claim, numbers: readonly number[]): { n: number; judged: Judged }[] {
    return numbers.map((n) => ({ n, judged: judge(claim, this.#checkedOf([n])) }));
  }

  #whoSays(claim: Claim, without: readonly number[]): Citation[] {
    const rest = [...this.#sources.keys()].filter((n) => !without.includes(n));
    return this.#judgeEach(claim, rest)
      .filter(({ judged: { supported, sentence } }) => supported && sentence !== null)
      .sort((a, b) => b.judged.words - a.judged.words || a.n - b.n)
      .slice(0, MOST_ADDED)
      .map(({ n, judged }) => this.#citation(n, judged, true));
  }

  /** What the source lacks that lacks least. */
  #missingEverywhere(claim: Claim): readonly Missing[] {
    let least: readonly Missing[] | null = null;
    for (const { judged } of this.#judgeEach(claim, [...this.#sources.keys()]))
      if (least === null || judged.missing.length < least.length) least = judged.missing;
    return least ?? [];
  }

  #checkedOf(numbers: readonly number[]): Checked {
    const key = numbers.join(' ');
    let checked = this.#checked.get(key);
    if (checked === undefined) {
      const sources = numbers.map((n) => this.#sources.get(n)!);
      checked = checkable(
        sources.map(({ title }) => title).join('\n'),
        sources.map(({ text }) => text).join('\n\n'),
      );
      this.#checked.set(key, checked);
    }
    return checked;
  }

  #citation(n: number, { sentence }: Judged, verified: boolean): Citation {
    const source = this.#sources.get(n)!;
    const chunk =
      (sentence === null ? undefined : source.chunks.find(({ text }) => text.includes(sentence))) ??
      source.chunks.find(({ row }) => row === source.hit?.chunk.row) ??
      source.chunks[0]!;
    return {
      ...{ n, chunk: chunk.id, path: source.path, title: source.title, place: chunk.place },
      ...{ sentence: verified ? sentence : null, verified },
    };
  }
}

/** The sentence with its marks before what ends it. */
export function withMarks(text: string, citations: readonly Citation[]): string {
  if (citations.length === 0) return text;
  const marks = [...new Set(citations.map(({ n }) => `[${n}]`))].join('');
  const end = /[.!?…:;。！？]*["”’)»]*\s*$/u.exec(text)!;
  return `${text.slice(0, end.index).trimEnd()} ${marks}${end[0]}`;
}
