/**
 * How cues of danger are written, and how a message is read for them.
 *
 * @module gateway/ladder/crisis/cues
 */

/**
 * Regular expressions over a message as `plainText` makes it: small letters without accents, `'` for every apostrophe, one
 * space between words. `~` stands for up to 30 characters of the same sentence, `~~` for up to 60. `kq` stands where people
 * close to the writer begin and end; expressions without it see the message without these marks.
 */
export interface Cues {
  /** People close to the writer: `my old friend`. What it matches is marked with `kq` before and after it. */
  readonly kin: string;
  /** Idioms and names, taken out first. */
  readonly not: readonly string[];
  readonly selfHarm: readonly string[];
  readonly violence: readonly string[];
  readonly medical: readonly string[];
}

export const KINDS = ['medical', 'selfHarm', 'violence'] as const;
export type Danger = (typeof KINDS)[number];

export interface CompiledCues {
  readonly kin: RegExp;
  readonly not: RegExp;
  readonly kinds: Readonly<Record<Danger, readonly { readonly cue: RegExp; readonly marked: boolean }[]>>;
}

/** What was taken out stands as `_`, which ends a gap as the end of a sentence does. */
export const TAKEN_OUT = ' _ ';

const expand = (source: string): string =>
  source.replaceAll('~~', '[^.!?\\n_]{0,60}?').replaceAll('~', '[^.!?\\n_]{0,30}?');

/**
 * People are marked once in a message instead of being spelled out in every cue: those long alternatives took V8 hundreds
 * of milliseconds to compile when the first message came.
 */
export function compile(cues: Cues): CompiledCues {
  const each = (sources: readonly string[]) =>
    sources.map((source) => ({ cue: new RegExp(expand(source)), marked: source.includes('kq') }));
  return {
    kin: new RegExp(`\\b${cues.kin}\\b`, 'g'),
    not: new RegExp(cues.not.map((source) => `(?:${expand(source)})`).join('|'), 'g'),
    kinds: { medical: each(cues.medical), selfHarm: each(cues.selfHarm), violence: each(cues.violence) },
  };
}

export function plainText(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\u2018\u2019\u02bc`´]/g, "'")
    .replaceAll('ß', 'ss')
    .replaceAll('…', '.')
    .replace(/\r?\n/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    .trim();
}

/**
 * Passages in quotation marks say what somebody else says, when the message is about wording: a novel, a translation, a
 * song.
 */
export function withoutQuotations(text: string): string {
  return text.replace(
    /"[^"\n]{1,200}"|[“„][^“”\n]{1,200}[“”]|«[^»\n]{1,200}»|(?<=^|[\s(])'[^'\n]{3,200}'(?=[\s.,!?)]|$)/gu,
    TAKEN_OUT,
  );
}
