/**
 * What stands in the place of an answer, by language. Each reason: why, then what can be done.
 *
 * @module gateway/ladder/explain/texts
 */
import type { Language } from '../locale.ts';
import type { Reason } from './reason.ts';
import { DE, EN, NL } from './texts-germanic.ts';
import { ES, FR, IT, PT } from './texts-romance.ts';

export interface Texts {
  /** First line of an explanation. */
  readonly unanswered: string;
  /** First line of what an adapter found, `{source}` its name. */
  readonly found: string;
  /** First line of a message to somebody in danger. */
  readonly help: string;
  /** Before what can be done. */
  readonly remedy: string;
  /** `{seconds}` to wait. */
  readonly wait: string;
  /** Before the stable code. */
  readonly code: string;
  readonly reasons: Readonly<Record<Reason, readonly [why: string, remedy: string]>>;
}

export const TEXTS: Readonly<Record<Language, Texts>> = {
  en: EN,
  de: DE,
  fr: FR,
  es: ES,
  it: IT,
  pt: PT,
  nl: NL,
};
