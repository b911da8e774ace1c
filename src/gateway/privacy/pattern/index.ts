/**
 * Detectors for what an owner knows to be private: customer numbers, project names, badges.
 *
 * @module gateway/privacy/pattern
 */
import { InputError } from '../../../base/index.ts';
import type { Detector, PiiClass } from '../types.ts';
import { parsePattern } from './parse.ts';
import { compile, search } from './program.ts';

/** A pattern as plain data. */
export interface PatternSource {
  /** 1 to 60 letters, digits, `_` and `-`. */
  readonly name: string;
  readonly pattern: string;
  /** @default 'other' */
  readonly class?: PiiClass;
  /** @default false */
  readonly ignoreCase?: boolean;
}

/** Owners mean what they write. */
const confidence = 0.97;

/**
 * A detector that finds what fits a regular expression. It takes time in proportion to the text, whatever the pattern:
 * back-references and looking around are refused, and the rest is searched by a state machine. All that any match covers
 * is found, so `*` and `+` reach as far as they can. `^` and `$` are the ends of lines.
 *
 * @throws InputError `pattern_invalid`
 * @example createPatternDetector({ name: 'customer', pattern: '\\bKD-\\d{6}\\b' })
 */
export function createPatternDetector(source: PatternSource): Detector {
  const { name, pattern, class: found = 'other', ignoreCase = false } = source;
  if (!/^[\w-]{1,60}$/.test(name))
    throw new InputError(
      'pattern_invalid',
      `The name '${name.slice(0, 60)}' of a pattern has other characters than letters, digits, _ and -, or is too long (60).`,
      { param: 'name' },
    );
  const program = compile(name, parsePattern(name, pattern, ignoreCase ? 'iu' : 'u'));
  return {
    name,
    classes: [found],
    source,
    detect: (view) =>
      search(program, view).map(({ start, end }) => ({ class: found, start, end, confidence, kind: name })),
  };
}
