/**
 * Texts to token rows that fit the model's window, and rows to groups that one message may carry.
 *
 * @module engine/process/embedding
 */

import { InputError } from '../../base/index.ts';

/** A group is one message and one turn in the engine process's queue, so others get theirs in between. */
const GROUP_TOKENS = 16_384;
const GROUP_ROWS = 256;

/**
 * @param tail the token every text ends with ([SEP], EOS), or null: it is kept when the text is cut.
 * @throws {InputError} `input_too_long` naming the index and the tokens; `input_empty`.
 */
export function fitWindow(
  row: Int32Array,
  index: number,
  options: { readonly context: number; readonly truncate: boolean; readonly tail: number | null },
): Int32Array {
  const { context, truncate, tail } = options;
  if (row.length === 0) {
    throw new InputError('input_empty', `Input ${index} has no tokens.`, {
      param: 'input',
      details: { index },
    });
  }
  if (row.length <= context) return row;
  if (!truncate) {
    throw inputTooLong(index, row.length, context);
  }
  const cut = row.slice(0, context);
  if (tail !== null && row.at(-1) === tail) cut[context - 1] = tail;
  return cut;
}

/** @param tokens of the input; null when there are more than `context` and nobody counted them. */
export function inputTooLong(index: number, tokens: number | null, context: number): InputError {
  const has = tokens === null ? `more than ${context} tokens` : `${tokens} tokens`;
  return new InputError(
    'input_too_long',
    `Input ${index} has ${has}; the model takes at most ${context}. Shorten it, or ask for truncation.`,
    { param: 'input', details: { index, ...(tokens === null ? {} : { tokens }), context } },
  );
}

/** Consecutive rows, at most `GROUP_ROWS` rows or `GROUP_TOKENS` tokens (one longer row is a group alone). */
export function groupRows(rows: readonly Int32Array[]): Int32Array[][] {
  const groups: Int32Array[][] = [];
  let group: Int32Array[] = [];
  let tokens = 0;
  for (const row of rows) {
    if (group.length > 0 && (group.length >= GROUP_ROWS || tokens + row.length > GROUP_TOKENS)) {
      groups.push(group);
      group = [];
      tokens = 0;
    }
    group.push(row);
    tokens += row.length;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
