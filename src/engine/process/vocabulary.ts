/** A check that text models and encoders share. @module engine/process/vocabulary */
import { KithError } from '../../base/index.ts';

/** Every token that the tokenizer makes needs a row in the lookup table. */
export function checkVocabulary(tokens: number, rows: number): void {
  if (tokens <= rows) return;
  throw new KithError(
    'model_invalid',
    `The model file names ${tokens} tokens, but its lookup table has only ${rows} rows.`,
    { status: 422, details: { tokens, rows } },
  );
}
