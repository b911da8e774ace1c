/**
 * Keeps text from outside from becoming control tokens.
 *
 * A rendered prompt is tokenized with special tokens recognised, because the template writes them. A message that
 * contains `<|im_end|>` would then end its own turn and could go on as the system. So every such place in a message
 * gets its first character replaced by a private-use stand-in before rendering; the tokenizer does not recognise
 * it, and the character comes back before the piece is tokenized as plain text. Lengths stay the same, so templates
 * that trim or cut do what they always do.
 *
 * The ends of a message get the same treatment when they could complete a special token together with the
 * template's own text. When no place is found, which is nearly always, nothing changes at all.
 *
 * @module engine/text/guard
 */

import { InputError } from '../../base/index.ts';
import type { FullTokenizer } from '../tokenizer/index.ts';
import { MAX_DEPTH } from './limits.ts';

export interface Guarded<T> {
  /** The values with stand-ins in them. */
  readonly value: T;
  /** A whole special-token text was found, not only a possible half of one. */
  readonly whole: boolean;
  /** Puts the replaced characters back. */
  restore(text: string): string;
}

export interface Guard {
  /** Null when nothing needs guarding. `taken` is text that stand-ins must not occur in (the template). */
  protect<T>(value: T, taken: string): Guarded<T> | null;
  /** True if a role would spell a token that starts or ends a conversation (`end` in `<|end|>`). */
  isRoleUnsafe(role: string): boolean;
}

const FIRST_STAND_IN = 0xe000;
const LAST_STAND_IN = 0xf8ff;

/** Every string in a JSON-like value, keys included. */
function mapStrings(value: unknown, map: (text: string, isKey: boolean) => string, depth = 0): unknown {
  if (typeof value === 'string') return map(value, false);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) {
    throw new InputError('input_too_deep', `Tools and variables may nest ${MAX_DEPTH} levels at most.`, {
      details: { limit: MAX_DEPTH },
    });
  }
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [map(key, true), mapStrings(item, map, depth + 1)]),
  );
}

export function createGuard(tokenizer: FullTokenizer): Guard {
  const { texts, guarded, eog } = tokenizer.vocabulary;
  const heads = new Set<string>();
  const tails = new Set<string>();
  let longest = 0;
  const turnWords = new Set<string>();
  for (const id of guarded) {
    const text = texts[id]!;
    longest = Math.max(longest, text.length);
    for (let i = 1; i < text.length; i++) {
      heads.add(text.slice(0, i));
      tails.add(text.slice(i));
    }
    if (eog.has(id) || id === tokenizer.bos) {
      turnWords.add(text.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '').toLowerCase());
    }
  }

  /** Places whose character must be replaced; `whole` hears of complete special texts. */
  function placesOf(text: string, isKey: boolean, whole: () => void): Set<number> {
    const places = new Set<number>();
    tokenizer.specials.occurrences(text, (id, at) => {
      if (!guarded.has(id)) return;
      places.add(at);
      whole();
    });
    // Keys are names a template asks for; only a whole special text in them is worth breaking that.
    if (isKey) return places;
    for (let length = 1; length < longest && length <= text.length; length++) {
      if (heads.has(text.slice(text.length - length))) places.add(text.length - length);
      if (tails.has(text.slice(0, length))) places.add(0);
    }
    return places;
  }

  function protect<T>(value: T, taken: string): Guarded<T> | null {
    const everything: string[] = [taken];
    const originals = new Set<string>();
    let whole = false;
    mapStrings(value, (text, isKey) => {
      const wellFormed = text.toWellFormed();
      everything.push(wellFormed);
      for (const at of placesOf(wellFormed, isKey, () => (whole = true))) {
        originals.add(String.fromCodePoint(wellFormed.codePointAt(at)!));
      }
      return text;
    });
    if (originals.size === 0) return null;

    const used = new Set(everything.flatMap((text) => text.match(/[\uE000-\uF8FF]/g) ?? []));
    for (const id of guarded) for (const unit of texts[id]!.match(/[\uE000-\uF8FF]/g) ?? []) used.add(unit);
    const standIns = new Map<string, string>();
    const back = new Map<string, string>();
    let next = FIRST_STAND_IN;
    for (const original of originals) {
      while (next <= LAST_STAND_IN && used.has(String.fromCharCode(next))) next++;
      if (next > LAST_STAND_IN) {
        throw new InputError(
          'input_unprintable',
          'The messages use every private-use character; none is left to guard special tokens with.',
          { param: 'messages' },
        );
      }
      const standIn = String.fromCharCode(next++);
      standIns.set(original, standIn);
      back.set(standIn, original);
    }
    const replaced = mapStrings(value, (text, isKey) => {
      const wellFormed = text.toWellFormed();
      const places = placesOf(wellFormed, isKey, () => undefined);
      if (places.size === 0) return text;
      let out = '';
      let from = 0;
      for (const at of [...places].sort((a, b) => a - b)) {
        const original = String.fromCodePoint(wellFormed.codePointAt(at)!);
        out += wellFormed.slice(from, at) + standIns.get(original)!;
        from = at + original.length;
      }
      return out + wellFormed.slice(from);
    });
    const pattern = new RegExp(`[${[...back.keys()].join('')}]`, 'g');
    return {
      value: replaced as T,
      whole,
      restore: (text) => text.replace(pattern, (standIn) => back.get(standIn)!),
    };
  }

  return { protect, isRoleUnsafe: (role) => turnWords.has(role.toLowerCase()) };
}
