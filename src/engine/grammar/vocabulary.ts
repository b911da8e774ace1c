/**
 * A model's tokens as a tree of their bytes, in one array per field, in the order of a depth-first walk.
 *
 * @module engine/grammar/vocabulary
 */
import type { Tokenizer } from '../types.ts';

export interface TokenTree {
  readonly vocab: number;
  /** Tokens that end a generation. */
  readonly endings: Int32Array;
  readonly nodes: number;
  /** Last byte of the node's text. */
  readonly bytes: Uint8Array;
  /** Length of the node's text. */
  readonly depths: Uint16Array;
  /** First node that is not below this one. */
  readonly after: Int32Array;
  /** Tokens whose text is the node's: `tokens[from[node] .. from[node + 1])`. */
  readonly from: Int32Array;
  readonly tokens: Int32Array;
  readonly deepest: number;
}

/** Longer tokens (rows of spaces, mostly) are left out of constrained text. */
const MAX_BYTES = 1024;

/**
 * Tokens without text (control tokens) and tokens that end a generation are not in the tree.
 *
 * @param vocab rows of logits; may be more than the tokenizer has tokens
 */
export function createTokenTree(
  tokenizer: Pick<Tokenizer, 'bytes' | 'eog' | 'size'>,
  vocab: number,
): TokenTree {
  const texts: { token: number; text: Buffer }[] = [];
  for (let token = 0; token < Math.min(tokenizer.size, vocab); token++) {
    if (tokenizer.eog.has(token)) continue;
    const bytes = tokenizer.bytes(token);
    if (bytes.length === 0 || bytes.length > MAX_BYTES) continue;
    texts.push({ token, text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) });
  }
  texts.sort((a, b) => Buffer.compare(a.text, b.text) || a.token - b.token);
  const bytes: number[] = [];
  const depths: number[] = [];
  const after: number[] = [];
  const from: number[] = [];
  const tokens: number[] = [];
  const path: number[] = [];
  let deepest = 0;
  let last: Buffer = Buffer.alloc(0);
  for (const { token, text } of texts) {
    let shared = 0;
    while (shared < last.length && shared < text.length && last[shared] === text[shared]) shared++;
    while (path.length > shared) after[path.pop()!] = bytes.length;
    for (let at = shared; at < text.length; at++) {
      path.push(bytes.length);
      bytes.push(text[at]!);
      depths.push(at + 1);
      from.push(tokens.length);
      after.push(0);
    }
    tokens.push(token);
    deepest = Math.max(deepest, text.length);
    last = text;
  }
  while (path.length > 0) after[path.pop()!] = bytes.length;
  from.push(tokens.length);
  return {
    vocab,
    endings: Int32Array.from(tokenizer.eog).filter((token) => token >= 0 && token < vocab),
    nodes: bytes.length,
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    after: Int32Array.from(after),
    from: Int32Array.from(from),
    tokens: Int32Array.from(tokens),
    deepest,
  };
}
