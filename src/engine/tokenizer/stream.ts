/**
 * Text of a generation as it comes: token by token, whole characters only, ending before the first stop string.
 *
 * @module engine/tokenizer/stream
 */

import type { Tokenizer } from '../types.ts';
import { incompleteTail } from './utf8.ts';

export interface TextChunk {
  /** Text that is safe to show now. May be empty. */
  readonly text: string;
  /** Tokens that the text given out so far covers completely and that were not counted before. */
  readonly tokens: number;
  /** The stop string that ended the text, or null. */
  readonly stop: string | null;
}

export interface TextStream {
  /** Takes the next token. After a stop, everything is ignored. */
  push(token: number): TextChunk;
  /** Gives out what was held back: half a character becomes U+FFFD, half a stop string is plain text. */
  finish(): TextChunk;
  /** The stop string that ended the text, or null. */
  readonly stop: string | null;
}

export interface TextStreamOptions {
  /** Show control tokens as their text. @default false */
  readonly special?: boolean;
}

const NOTHING: TextChunk = { text: '', tokens: 0, stop: null };

interface StopMatch {
  readonly at: number;
  readonly stop: string;
}

/** The match that starts first (of those, the stop listed first). */
function firstMatch(text: string, stops: readonly string[]): StopMatch | null {
  let best: StopMatch | null = null;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at >= 0 && (best === null || at < best.at)) best = { at, stop };
  }
  return best;
}

/** Where the longest end of `text` starts that is the beginning, not the whole, of a stop; text.length if none. */
function partialMatch(text: string, stops: readonly string[]): number {
  let first = text.length;
  for (const stop of stops) {
    for (let at = Math.max(0, text.length - stop.length + 1); at < first; at++) {
      if (stop.startsWith(text.slice(at))) first = at;
    }
  }
  return first;
}

export function createTextStream(
  tokenizer: Pick<Tokenizer, 'bytes'>,
  stops: readonly string[],
  options: TextStreamOptions = {},
): TextStream {
  const wanted = stops.map((stop) => stop.toWellFormed()).filter((stop) => stop !== '');
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const special = options.special ?? false;
  /** Bytes of an incomplete character. */
  let tail = new Uint8Array(0);
  /** Decoded text that may be the beginning of a stop. */
  let held = '';
  let given = 0;
  /** Where (in UTF-16 units of the whole text) each token not yet counted ends; null while its character is open. */
  const ends: (number | null)[] = [];
  let counted = 0;
  let stopped: string | null = null;
  let finished = false;

  function give(text: string, stop: string | null): TextChunk {
    given += text.length;
    const before = counted;
    while (counted < ends.length) {
      const end = ends[counted];
      if (end === null || end === undefined || end > given) break;
      counted++;
    }
    const tokens = counted - before;
    if (counted > 1024) {
      ends.splice(0, counted);
      counted = 0;
    }
    return { text, tokens, stop };
  }

  function release(last: boolean): TextChunk {
    const match = firstMatch(held, wanted);
    // A longer stop may still complete from further left; only then is a match not yet final.
    const open = last ? held.length : partialMatch(held, wanted);
    if (match !== null && match.at <= open) {
      stopped = match.stop;
      const text = held.slice(0, match.at);
      held = '';
      return give(text, stopped);
    }
    const text = held.slice(0, open);
    held = held.slice(open);
    return give(text, null);
  }

  function push(token: number): TextChunk {
    if (stopped !== null || finished) return NOTHING;
    const bytes = tokenizer.bytes(token, special);
    const all = new Uint8Array(tail.length + bytes.length);
    all.set(tail);
    all.set(bytes, tail.length);
    const open = incompleteTail(all);
    held += decoder.decode(all.subarray(0, all.length - open));
    tail = all.slice(all.length - open);
    const end = given + held.length;
    // Tokens before this one are complete unless the open character is older than this token.
    if (open <= bytes.length) for (let i = counted; i < ends.length; i++) ends[i] ??= end;
    ends.push(open === 0 ? end : null);
    return release(false);
  }

  function finish(): TextChunk {
    if (stopped !== null || finished) return NOTHING;
    finished = true;
    held += decoder.decode(tail);
    tail = new Uint8Array(0);
    const end = given + held.length;
    for (let i = counted; i < ends.length; i++) ends[i] ??= end;
    return release(true);
  }

  return {
    push,
    finish,
    get stop() {
      return stopped;
    },
  };
}
