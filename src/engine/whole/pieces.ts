/**
 * Token bytes for the text stream from a library that only gives text: tokens whose text ends inside a character are
 * kept back and given together with the one that completes it.
 *
 * @module engine/whole/pieces
 */

/** A character has at most four bytes, so after that many byte tokens a replacement character is what the model wrote. */
const MOST_PARTS = 4;
const REPLACEMENT = '\uFFFD';

/**
 * For one stream; `bytes` must be called once per token, in order. `detokenize(tokens, before)` gives the text of
 * `tokens` as it stands after `before`.
 */
export function createPieces(detokenize: (tokens: readonly number[], before: readonly number[]) => string): {
  bytes(token: number): Uint8Array;
} {
  const encoder = new TextEncoder();
  let before: number[] = [];
  let open: number[] = [];
  return {
    bytes(token) {
      open.push(token);
      const text = detokenize(open, before);
      if (text.endsWith(REPLACEMENT) && open.length < MOST_PARTS) return new Uint8Array(0);
      before = [...before, ...open].slice(-8);
      open = [];
      return encoder.encode(text);
    },
  };
}
