/**
 * Errors of grammars. The position inside the schema or pattern is part of the message.
 *
 * @module engine/grammar/errors
 */
import { InputError } from '../../base/index.ts';

/** @param pointer JSON pointer of the schema or keyword at fault, '' for the root */
export function schemaUnsupported(pointer: string, what: string): InputError {
  return new InputError('schema_unsupported', `The schema cannot be used: ${what} (at '#${pointer}').`, {
    param: 'grammar',
    details: { pointer: `#${pointer}`.slice(0, 500) },
  });
}

export function schemaInvalid(pointer: string, what: string): InputError {
  return new InputError('schema_invalid', `The schema is not valid: ${what} (at '#${pointer}').`, {
    param: 'grammar',
    details: { pointer: `#${pointer}`.slice(0, 500) },
  });
}

export function schemaUnsatisfiable(what: string): InputError {
  return new InputError('schema_unsatisfiable', `No answer can satisfy the grammar: ${what}.`, {
    param: 'grammar',
  });
}

export function grammarTooLarge(what: string, limit: number): InputError {
  return new InputError('grammar_too_large', `The grammar is too large: ${what}; at most ${limit}.`, {
    param: 'grammar',
    details: { limit },
  });
}

export function patternUnsupported(pattern: string, at: number, what: string): InputError {
  return new InputError(
    'pattern_unsupported',
    `The pattern ${JSON.stringify(pattern.slice(0, 80))} cannot be used: ${what} at character ${at}.`,
    { param: 'grammar', details: { at } },
  );
}
