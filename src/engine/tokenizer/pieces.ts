/**
 * Tokens back to bytes.
 *
 * @module engine/tokenizer/pieces
 */

import { fromByteLevel } from './byte-level.ts';
import { textBytes } from './utf8.ts';
import { ATTRIBUTE, type Vocabulary } from './vocabulary.ts';

const NOTHING = new Uint8Array(0);
const HIDDEN = ATTRIBUTE.unknown | ATTRIBUTE.control;
const SPACE = 0x20;
const APOSTROPHE = 0x27;

export interface Pieces {
  /** Bytes of a token; none for control and unknown tokens unless `special`, and none for ids out of range. */
  bytes(token: number, special: boolean): Uint8Array;
  /** Bytes of a sequence, spaces cleaned as the vocabulary asks. */
  join(tokens: Int32Array | readonly number[], special: boolean): Uint8Array;
}

function hexByte(text: string): Uint8Array {
  const byte = Number.parseInt(text.slice(3, 5), 16);
  return Number.isNaN(byte) ? NOTHING : Uint8Array.of(byte);
}

export function createPieces(vocabulary: Vocabulary): Pieces {
  const { texts, attributes } = vocabulary;
  const known = new Map<number, Uint8Array>();

  function piece(token: number): Uint8Array {
    const text = texts[token]!;
    const attribute = attributes[token]!;
    if ((attribute & (HIDDEN | ATTRIBUTE.userDefined)) !== 0) return textBytes(text);
    if ((attribute & ATTRIBUTE.normal) !== 0) {
      return vocabulary.escapeSpaces ? textBytes(text.replaceAll('\u2581', ' ')) : fromByteLevel(text);
    }
    return (attribute & ATTRIBUTE.byte) !== 0 ? hexByte(text) : NOTHING;
  }

  function bytes(token: number, special: boolean): Uint8Array {
    if (!Number.isInteger(token) || token < 0 || token >= texts.length) return NOTHING;
    if (!special && (attributes[token]! & HIDDEN) !== 0) return NOTHING;
    let found = known.get(token);
    if (found === undefined) {
      found = piece(token);
      known.set(token, found);
    }
    return found;
  }

  function join(tokens: Int32Array | readonly number[], special: boolean): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < tokens.length; i++) {
      let part = bytes(tokens[i]!, special);
      // The space that encoding put in front of the text.
      if (i === 0 && vocabulary.addSpacePrefix && part[0] === SPACE) part = part.subarray(1);
      parts.push(part);
    }
    const joined = new Uint8Array(Buffer.concat(parts));
    return vocabulary.cleanSpaces ? cleanSpaces(joined) : joined;
  }

  return { bytes, join };
}

const isOneOf = (byte: number | undefined, characters: string): boolean =>
  byte !== undefined && byte < 0x80 && byte > 0 && characters.includes(String.fromCharCode(byte));

/** Removes the space before `?!.,`, around a lone apostrophe, and before 's, 'm, 're and 've, in that order. */
export function cleanSpaces(input: Uint8Array): Uint8Array {
  let bytes = input;
  bytes = filter(bytes, (at, out) => {
    if (bytes[at - 1] === SPACE && isOneOf(bytes[at], '?!.,')) out.pop();
    out.push(bytes[at]!);
    return at + 1;
  });
  let taken = -1;
  bytes = filter(bytes, (at, out) => {
    // A space that went with the apostrophe before does not count again.
    const lone = bytes[at - 1] === SPACE && taken !== at - 1 && bytes[at + 1] === SPACE;
    if (bytes[at] === APOSTROPHE && lone) {
      out.pop();
      taken = at + 1;
    }
    out.push(bytes[at]!);
    return taken === at + 1 ? at + 2 : at + 1;
  });
  return filter(bytes, (at, out) => {
    const next = bytes[at + 1];
    const contraction = isOneOf(next, 'sm') || (isOneOf(next, 'rv') && bytes[at + 2] === 0x65);
    if (bytes[at] === APOSTROPHE && bytes[at - 1] === SPACE && contraction) out.pop();
    out.push(bytes[at]!);
    return at + 1;
  });
}

/** One pass from the second byte on; `step` appends to (or takes from) `out` and returns the next position. */
function filter(bytes: Uint8Array, step: (at: number, out: number[]) => number): Uint8Array {
  if (bytes.length < 2) return bytes;
  const out: number[] = [bytes[0]!];
  for (let at = 1; at < bytes.length; ) at = step(at, out);
  return Uint8Array.from(out);
}
