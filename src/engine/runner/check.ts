/**
 * Checks a forward pass before native code sees it: a bad shape would abort the process.
 *
 * @module engine/runner/check
 */
import { KithError } from '../../base/index.ts';
import { SINGLE_ROWS } from './single-rows.ts';
import { type ForwardPart, type RunnerInfo, wantedRows } from './types.ts';

function invalid(message: string): KithError {
  return new KithError('forward_invalid', message, { status: 400 });
}

export interface PassShape {
  readonly rows: number;
  readonly outputs: number;
  /** Each row is to have the bits that it has alone. */
  readonly each: boolean;
  /** One more than the highest cell that any row sees or writes. */
  readonly cellsUsed: number;
}

/** @throws KithError `forward_invalid` naming the value */
export function checkParts(parts: readonly ForwardPart[], info: RunnerInfo): PassShape {
  if (parts.length === 0) throw invalid('A forward pass needs at least one part.');
  let rows = 0;
  let outputs = 0;
  let each = false;
  let highest = -1;
  const hasBlocks = info.to > info.from;
  const written = hasBlocks ? new Set<number>() : null;
  for (const part of parts) {
    const { count, start, cells, tokens, hidden } = part;
    if (!Number.isInteger(count) || count < 1)
      throw invalid(`A part has ${count} rows; it needs at least 1.`);
    if (!Number.isInteger(start) || start < 0) throw invalid(`A part starts at position ${start}.`);
    rows += count;
    if (rows > info.maxRows) throw invalid(`A pass of more than ${info.maxRows} rows was asked for.`);
    outputs += wantedRows(part);
    each ||= part.outputs === 'each';
    if (each && rows > SINGLE_ROWS)
      throw invalid(`A pass of more than ${SINGLE_ROWS} rows, each as if alone, was asked for.`);
    if (info.embeds) {
      if (tokens === null || tokens.length !== count) {
        throw invalid(`A part of ${count} rows came with ${tokens?.length ?? 'no'} tokens.`);
      }
      for (const token of tokens) {
        if (token < 0 || token >= info.vocab)
          throw invalid(`Token ${token} is outside the vocabulary of ${info.vocab}.`);
      }
    } else {
      if (hidden === null || hidden.length !== count * info.embedding) {
        throw invalid(
          `A part of ${count} rows came with ${hidden?.length ?? 'no'} hidden values; it needs ${count * info.embedding}.`,
        );
      }
      for (let i = 0; i < hidden.length; i++)
        if (!Number.isFinite(hidden[i])) throw invalid('A hidden state is not finite.');
    }
    if (written === null) continue;
    const end = start + count;
    if (cells.length < end)
      throw invalid(`A part that ends at position ${end} came with ${cells.length} cells.`);
    for (let p = 0; p < end; p++) {
      const cell = cells[p]!;
      if (cell < 0 || cell >= info.kvCells)
        throw invalid(`KV cell ${cell} is outside the ${info.kvCells} cells.`);
      if (cell > highest) highest = cell;
    }
    for (let p = start; p < end; p++) {
      if (written.has(cells[p]!)) throw invalid(`KV cell ${cells[p]} is written twice in one pass.`);
      written.add(cells[p]!);
    }
  }
  return { rows, outputs, each, cellsUsed: highest + 1 };
}
