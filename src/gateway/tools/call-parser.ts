/**
 * Finds the calls in an answer while it is written. Whatever pieces the answer comes in, the same events come out: text
 * is held back only as long as it may be the beginning of a call.
 *
 * @module gateway/tools/call-parser
 */
import type { ToolFormat } from './formats.ts';

/** Pieces of one kind in a row belong together. */
export type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly name: string }
  | { readonly type: 'arguments'; readonly text: string };

export interface CallParser {
  push(text: string): Piece[];
  /** Gives out what was held back. */
  finish(): Piece[];
  /** UTF-16 units of the answer that were given out as text, or belong to no text. */
  readonly settled: number;
  /** Where the calls begin, in UTF-16 units; null as long as there are none. */
  readonly callsAt: number | null;
  /** Calls begun. */
  readonly calls: number;
  /** No call is half written. */
  readonly whole: boolean;
}

export interface CallParserOptions {
  readonly openings: readonly string[];
  /** Calls begin where the answer begins, or not at all. */
  readonly atStart: boolean;
  readonly argumentsKey: ToolFormat['argumentsKey'];
}

export function createCallParser({ openings, atStart, argumentsKey }: CallParserOptions): CallParser {
  /** Text that may be the beginning of an opening. */
  let held = '';
  let settled = 0;
  let callsAt: number | null = null;
  let free = false;
  const objects = createObjectReader(argumentsKey);

  /** Where the first opening starts in `text`, or the longest ending that may become one; both when it is sure. */
  function find(text: string, last: boolean): { at: number; found: boolean } {
    let at = text.length;
    let found = false;
    for (const opening of openings) {
      const index = atStart ? (text.startsWith(opening) ? 0 : -1) : text.indexOf(opening);
      if (index >= 0 && index < at) {
        at = index;
        found = true;
      }
    }
    if (found || last) return { at, found };
    for (const opening of openings) {
      const from = atStart ? 0 : Math.max(0, text.length - opening.length + 1);
      const to = atStart ? Math.min(1, text.length) : text.length;
      for (let start = from; start < to && start < at; start++) {
        if (opening.startsWith(text.slice(start))) at = start;
      }
    }
    return { at, found };
  }

  function read(text: string, last: boolean): Piece[] {
    if (callsAt !== null) {
      settled += text.length;
      return objects.push(text);
    }
    held += text;
    if (free) return release(held.length);
    const { at, found } = find(held, last);
    if (!found) {
      // What begins otherwise never becomes a call.
      free = atStart && at === held.length && held !== '';
      return release(at);
    }
    const pieces = release(at);
    callsAt = settled;
    settled += held.length;
    // The opening may be a part of the object.
    const rest = held;
    held = '';
    return [...pieces, ...objects.push(rest)];
  }

  function release(to: number): Piece[] {
    const text = held.slice(0, to);
    held = held.slice(to);
    settled += text.length;
    return text === '' ? [] : [{ type: 'text', text }];
  }

  return {
    push: (text) => read(text, false),
    finish: () => read('', true),
    get settled() {
      return settled;
    },
    get callsAt() {
      return callsAt;
    },
    get calls() {
      return objects.calls;
    },
    get whole() {
      return objects.whole;
    },
  };
}

/**
 * Reads objects `{"name": …, "arguments": …}` one after the other; what stands between them is structure and says
 * nothing.
 */
function createObjectReader(argumentsKey: string) {
  let state: 'between' | 'key' | 'inKey' | 'colon' | 'value' | 'inValue' = 'between';
  let key = '';
  /** The value as far as it is read; of arguments only what was not given out. */
  let value = '';
  let depth = 0;
  let quoted = false;
  let escaped = false;
  let calls = 0;
  let out: Piece[] = [];

  function close(): void {
    state = 'key';
    if (key === 'name' && value.startsWith('"')) {
      out.push({ type: 'call', name: JSON.parse(value) as string });
      calls++;
    } else giveArguments();
    value = '';
  }

  function giveArguments(): void {
    if (key !== argumentsKey || value === '') return;
    out.push({ type: 'arguments', text: value });
    value = '';
  }

  /** One character inside a value. True when it ended before this character, which then is the object's. */
  function inValue(sign: string): boolean {
    if (quoted) {
      value += sign;
      if (escaped) escaped = false;
      else if (sign === '\\') escaped = true;
      else if (sign === '"') {
        quoted = false;
        if (depth === 0) close();
      }
      return false;
    }
    if (depth === 0 && value !== '' && (sign === ',' || sign === '}' || sign === ' ' || sign === '\n')) {
      close();
      return true;
    }
    value += sign;
    if (sign === '"') quoted = true;
    else if (sign === '{' || sign === '[') depth++;
    else if ((sign === '}' || sign === ']') && --depth === 0) close();
    return false;
  }

  function take(sign: string): void {
    switch (state) {
      case 'between':
        if (sign === '{') state = 'key';
        return;
      case 'key':
        if (sign === '}') state = 'between';
        else if (sign === '"') {
          key = '';
          state = 'inKey';
        }
        return;
      case 'inKey':
        // Names of these properties hold nothing that is escaped.
        if (sign === '"') state = 'colon';
        else key += sign;
        return;
      case 'colon':
        if (sign === ':') state = 'value';
        return;
      case 'value':
        if (sign === ' ' || sign === '\n') return;
        state = 'inValue';
        inValue(sign);
        return;
      case 'inValue':
        if (inValue(sign)) take(sign);
    }
  }

  return {
    push(text: string): Piece[] {
      out = [];
      for (let i = 0; i < text.length; i++) take(text[i]!);
      if (state === 'inValue') giveArguments();
      return out;
    },
    get calls() {
      return calls;
    },
    get whole() {
      return state === 'between';
    },
  };
}
