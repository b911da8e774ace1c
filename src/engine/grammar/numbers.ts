/**
 * Numbers within bounds, digit by digit.
 *
 * Integers are those that a double holds exactly, up to 2^53 - 1. Numbers with a bound have no exponent and at most 15
 * digits: any two of those are different doubles and none is the double of a longer bound, so that "less than" on digits
 * is "less than" after parsing.
 *
 * @module engine/grammar/numbers
 */
import type { NetworkBuilder } from './network.ts';

export interface NumberBounds {
  readonly integer: boolean;
  readonly minimum: number | null;
  readonly exclusiveMinimum: number | null;
  readonly maximum: number | null;
  readonly exclusiveMaximum: number | null;
}

/** Any number JSON.parse reads as a finite one, without forms that nobody writes. */
export const FREE_NUMBER =
  '-?(?:0|[1-9][0-9]{0,20})(?:\\.[0-9]{1,25})?|-?[1-9](?:\\.[0-9]{1,20})?[eE][+\\-]?(?:[0-9]{1,2}|[12][0-9]{2}|30[0-7])';

const DIGITS = 15;
const LARGEST = 10 ** DIGITS - 1;
const SAFE_DIGITS = 16;

/** A bound on the magnitude. */
interface Bound {
  readonly whole: string;
  readonly fraction: string;
  readonly exclusive: boolean;
}

/** Writes every number within the bounds; nothing when there is none. */
export function writeNumber(builder: NetworkBuilder, from: number, bounds: NumberBounds, to: number): void {
  const largest = bounds.integer ? Number.MAX_SAFE_INTEGER : LARGEST;
  const low = tighter(bounds.minimum, bounds.exclusiveMinimum, Math.max) ?? {
    value: -largest,
    exclusive: false,
  };
  const high = tighter(bounds.maximum, bounds.exclusiveMaximum, Math.min) ?? {
    value: largest,
    exclusive: false,
  };
  const least = low.value < -largest ? { value: -largest, exclusive: false } : low;
  const most = high.value > largest ? { value: largest, exclusive: false } : high;
  if (least.value > most.value) return;
  if (most.value >= 0) {
    const floor = least.value < 0 ? { value: 0, exclusive: false } : least;
    writeMagnitude(builder, from, bound(floor), bound(most), bounds.integer, to);
  }
  if (least.value < 0) {
    const minus = builder.state();
    builder.byte(from, 0x2d, 0x2d, minus);
    const floor = most.value >= 0 ? { value: 0, exclusive: true } : { ...most, value: -most.value };
    writeMagnitude(
      builder,
      minus,
      bound(floor),
      bound({ ...least, value: -least.value }),
      bounds.integer,
      to,
    );
  }
}

interface Limit {
  readonly value: number;
  readonly exclusive: boolean;
}

function tighter(
  inclusive: number | null,
  exclusive: number | null,
  pick: (a: number, b: number) => number,
): Limit | null {
  if (exclusive !== null && (inclusive === null || pick(inclusive, exclusive) === exclusive)) {
    return { value: exclusive, exclusive: true };
  }
  return inclusive === null ? null : { value: inclusive, exclusive: false };
}

function bound({ value, exclusive }: Limit): Bound {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  const point = Number(exponent) + 1;
  // 324 zeros at most: the smallest double.
  if (point <= 0) return { whole: '0', fraction: '0'.repeat(-point) + digits, exclusive };
  const padded = digits.padEnd(point, '0');
  return { whole: padded.slice(0, point), fraction: padded.slice(point), exclusive };
}

function writeMagnitude(
  builder: NetworkBuilder,
  from: number,
  low: Bound,
  high: Bound,
  integer: boolean,
  to: number,
): void {
  const longest = Math.min(integer ? SAFE_DIGITS : DIGITS, high.whole.length);
  for (let whole = low.whole.length; whole <= longest; whole++) {
    const fraction = integer ? 0 : DIGITS - whole;
    const lowDigits = low.whole.length === whole ? low.whole + low.fraction : null;
    const highDigits = high.whole.length === whole ? high.whole + high.fraction : null;
    const digitOf = (digits: string, at: number): number =>
      at < digits.length ? digits.charCodeAt(at) - 48 : 0;
    const zerosFrom = (digits: string, at: number): boolean => !/[1-9]/.test(digits.slice(at));
    const known = new Map<number, number>();
    /** State before digit `at`, when all digits so far are those of the lower and of the upper bound. */
    const before = (at: number, onLow: boolean, onHigh: boolean): number => {
      const key = at * 4 + (onLow ? 2 : 0) + (onHigh ? 1 : 0);
      const seen = known.get(key);
      if (seen !== undefined) return seen;
      const state = at === 0 ? from : builder.state();
      known.set(key, state);
      if (at >= whole) {
        const reached = !onLow || (zerosFrom(lowDigits!, at) && !low.exclusive);
        const within = !onHigh || !(zerosFrom(highDigits!, at) && high.exclusive);
        if (reached && within) builder.skip(state, to);
        if (at >= whole + fraction) return state;
      }
      let source = state;
      if (at === whole) {
        source = builder.state();
        builder.byte(state, 0x2e, 0x2e, source);
      }
      const first = Math.max(onLow ? digitOf(lowDigits!, at) : 0, at === 0 && whole > 1 ? 1 : 0);
      const last = onHigh ? digitOf(highDigits!, at) : 9;
      for (let digit = first; digit <= last; digit++) {
        const next = before(
          at + 1,
          onLow && digit === digitOf(lowDigits!, at),
          onHigh && digit === digitOf(highDigits!, at),
        );
        builder.byte(source, 48 + digit, 48 + digit, next);
      }
      return state;
    };
    before(0, lowDigits !== null, highDigits !== null);
  }
}
