/**
 * Texts that say the same: copies, and copies with a few words changed. Texts with other numbers are never the same, however
 * alike they are: "born 1884" and "born 1914" are two facts.
 *
 * @module knowledge/retrieve/duplicates
 */
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const DIGIT = /\p{N}/u;
/** Runs of so many words are compared. */
const RUN = 3;
/** Share of runs that two texts must have in common. */
const ALIKE = 0.8;

export interface Print {
  readonly runs: ReadonlySet<string>;
  /** Words with digits, in order. */
  readonly numbers: string;
}

export function printOf(text: string): Print {
  const words = text.toLowerCase().match(WORD) ?? [];
  const runs = new Set<string>();
  for (let i = 0; i + RUN <= words.length; i++) runs.add(words.slice(i, i + RUN).join(' '));
  if (runs.size === 0) runs.add(words.join(' '));
  return { runs, numbers: words.filter((word) => DIGIT.test(word)).join(' ') };
}

export function sayTheSame(a: Print, b: Print): boolean {
  if (a.numbers !== b.numbers) return false;
  const [few, many] = a.runs.size <= b.runs.size ? [a.runs, b.runs] : [b.runs, a.runs];
  // common / (few + many - common) >= ALIKE, solved for how many of the few may be missing.
  let spare = few.size - (ALIKE * (few.size + many.size)) / (1 + ALIKE);
  for (const run of few) if (!many.has(run) && --spare < -1e-9) return false;
  return spare > -1e-9;
}
