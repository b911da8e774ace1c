/**
 * What compiling one grammar may cost, counted: properties and keywords that are copied, values that are compared,
 * schemas that are looked at. Never a clock, so that a schema is accepted or refused the same on any machine.
 *
 * @module engine/grammar/work
 */
import { grammarTooLarge } from './errors.ts';

/** Some tenths of a microsecond each. States and edges have bounds of their own. */
export const MAX_WORK = 200_000;

export interface Work {
  /** Call before the work is done. @throws InputError `grammar_too_large` */
  charge(count: number): void;
  /** As `charge`, for something as long as this text: texts are copied and compared many characters at a time. */
  chargeText(text: string): void;
  /** A state or an edge was written. */
  wrote(): void;
  /** Everything counted so far, states and edges included. */
  readonly spent: number;
}

export function createWork(limit: number = MAX_WORK): Work {
  let charged = 0;
  let written = 0;
  const charge = (count: number): void => {
    // What is refused is not done and does not count.
    if (charged + count > limit) throw grammarTooLarge('the work of putting its schemas together', limit);
    charged += count;
  };
  return {
    charge,
    chargeText: (text) => charge(1 + (text.length >> 6)),
    wrote() {
      written++;
    },
    get spent() {
      return charged + written;
    },
  };
}
