/**
 * Classes of personal data, spans, and the interface of detectors.
 *
 * @module gateway/privacy/types
 */
import type { PatternSource } from './pattern/index.ts';
import type { TextView } from './view.ts';

/**
 * `id`: numbers of identity papers, taxes, social security and passports; `secret`: keys, tokens, passwords;
 * `ip` and `mac`: network addresses; `birth`: dates of birth; `plate`: licence plates; `other`: what an owner's own
 * pattern found; `text`: no personal data, but a
 * text that looks like a placeholder and is replaced so that it comes back as it was.
 */
export const PII_CLASSES = [
  'secret',
  'card',
  'iban',
  'id',
  'email',
  'phone',
  'ip',
  'mac',
  'birth',
  'plate',
  'address',
  'name',
  'other',
  'text',
] as const;
export type PiiClass = (typeof PII_CLASSES)[number];

export interface Span {
  readonly class: PiiClass;
  /** UTF-16 offset of the first unit. */
  readonly start: number;
  /** UTF-16 offset after the last unit. */
  readonly end: number;
  /** 0 to 1. Not a probability: it orders spans that overlap, and what is under the threshold is dropped. */
  readonly confidence: number;
  /** Which form within the class: `us_ssn`, `jwt`, ... For reports to the owner. */
  readonly kind?: string;
}

/**
 * Finds spans of some classes. `view.text` is the text with invisible characters left out and look-alike digits, signs
 * and spaces made plain; offsets are in `view.text`. A detector must be linear in its length: it looks a bounded way
 * ahead and behind of each place, and counts what it does with `view.steps`.
 */
export interface Detector {
  readonly name: string;
  readonly classes: readonly PiiClass[];
  /** What it was made of, where it can be made again in another thread. */
  readonly source?: PatternSource;
  detect(view: TextView): readonly Span[];
}
