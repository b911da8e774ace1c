/**
 * Ids that say what they name: `chatcmpl-01hf7yat00qb4k9zxw3m5n8rtv`.
 *
 * After the prefix stand 26 characters of lower-case Crockford base 32: ten for the time (48 bits, ms since the
 * epoch, so ids of one prefix sort by time) and sixteen for 80 random bits. Pattern: `ID_PATTERN`.
 *
 * @module base/ids
 */
import type { Clock } from './clock.ts';
import { InputError } from './errors.ts';
import type { Random } from './random.ts';

/** Crockford's alphabet: no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export const ID_PATTERN = /^[a-z][a-z0-9_]{0,31}-[0-7][0-9a-hjkmnp-tv-z]{25}$/;

export interface Ids {
  /** A new id. `prefix` is a lower-case word such as `chatcmpl`, `cmpl` or `req`. */
  next(prefix: string): string;
}

/** Prefixes that were checked; there are a handful, all of them written in code. */
const maxPrefixes = 64;

export function createIds(clock: Clock, random: Random): Ids {
  const checked = new Set<string>();
  let time = Number.NaN;
  let encoded = '';
  return {
    next(prefix) {
      const now = clock.now();
      if (now !== time) {
        time = now;
        encoded = encodeTime(now);
      }
      const id = `${prefix}-${encoded}${encodeRandom(random.bytes(10))}`;
      if (checked.has(prefix)) return id;
      if (!ID_PATTERN.test(id)) {
        throw new InputError(
          'id_prefix_invalid',
          `"${prefix}" cannot start an id: use a letter, then letters, digits or _ (lower case, at most 32).`,
        );
      }
      if (checked.size < maxPrefixes) checked.add(prefix);
      return id;
    },
  };
}

/** True for a string that `next(prefix)` could have made. */
export function isId(prefix: string, value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(`${prefix}-`) && ID_PATTERN.test(value);
}

/** Time in an id, ms since the epoch, or null when `id` is not one. */
export function idTime(id: string): number | null {
  if (!ID_PATTERN.test(id)) return null;
  let time = 0;
  for (const char of id.slice(-26, -16)) time = time * 32 + ALPHABET.indexOf(char);
  return time;
}

function encodeTime(ms: number): string {
  let rest = Math.min(Math.max(0, Math.floor(ms)), 2 ** 48 - 1);
  let text = '';
  for (let digit = 0; digit < 10; digit++) {
    text = ALPHABET[rest % 32]! + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Two characters for each ten bits. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => ALPHABET[bits >>> 5]! + ALPHABET[bits & 31]!);

/** Five bits a character, most significant first: 10 bytes are 16 characters, and five of them eight. */
function encodeRandom(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 5) {
    const a = bytes[at]!;
    const b = bytes[at + 1]!;
    const c = bytes[at + 2]!;
    const d = bytes[at + 3]!;
    const e = bytes[at + 4]!;
    text += PAIRS[(a << 2) | (b >>> 6)]! + PAIRS[((b & 63) << 4) | (c >>> 4)]!;
    text += PAIRS[((c & 15) << 6) | (d >>> 2)]! + PAIRS[((d & 3) << 8) | e]!;
  }
  return text;
}
