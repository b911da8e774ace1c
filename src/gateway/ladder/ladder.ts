/**
 * The lower steps of the ladder: search adapters, then a text that says what happened, or where to find help.
 *
 * @module gateway/ladder/ladder
 */
import { type Clock, InputError, type Logger } from '../../base/index.ts';
import type { Detector } from '../privacy/index.ts';
import { crisisMessage, findCrisis } from './crisis/index.ts';
import { explanation, foundLabel } from './explain/index.ts';
import { shownFinding } from './finding.ts';
import { readLocale } from './locale.ts';
import { needsForm, questionOf } from './question.ts';
import { searchAll } from './search.ts';
import type { Ladder, SearchAdapter, StandIn } from './types.ts';

export interface LadderOptions {
  /** Asked in this order; the ladder closes those that can be closed. @default none */
  readonly adapters?: readonly SearchAdapter[];
  /** ms for each adapter. @default 8000 */
  readonly timeLimitMs?: number;
  /** What is personal data. @default all built-in detectors */
  readonly detectors?: readonly Detector[];
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_ADAPTERS = 16;
const NAME = /^[\w.-]{1,64}$/;

/** Throws `InputError` for an adapter's name that is none, or is there twice. */
export function createLadder(options: LadderOptions): Ladder {
  const { adapters = [], timeLimitMs = 8000, clock, log } = options;
  checkNames(adapters.map(({ name }) => name));
  const run = {
    adapters,
    timeLimitMs,
    clock,
    log,
    ...(options.detectors && { detectors: options.detectors }),
  };

  const crisisOf = (question: string | null, language: ReturnType<typeof readLocale>['language']) =>
    question === null ? null : findCrisis(question, language);

  return {
    inDanger: (request) => crisisOf(questionOf(request), null) !== null,
    async search(request, distress) {
      const locale = readLocale(distress.locale);
      if (adapters.length === 0 || needsForm(request)) return null;
      if (crisisOf(questionOf(request), locale.language) !== null) return null;
      const outcome = await searchAll(run, request, distress);
      if (outcome === null) return null;
      const { adapter, found, notes, replaced } = outcome;
      return {
        step: 'search',
        source: adapter.name,
        text: `${foundLabel(adapter.name, locale.language ?? 'en')}\n\n${shownFinding(found)}`,
        notes: [
          ...notes,
          `No model answered (${codeOf(distress.error.code)}); this is what the search adapter '${adapter.name}' found.`,
        ],
        destination: adapter.destination,
        replaced,
      };
    },
    explain(request, distress): StandIn {
      const locale = readLocale(distress.locale);
      const crisis = crisisOf(questionOf(request), locale.language);
      const code = codeOf(distress.error.code);
      const made = { source: 'kith', destination: null, replaced: null } as const;
      if (crisis !== null) {
        return {
          ...made,
          step: 'crisis',
          text: crisisMessage(crisis.danger, locale, crisis.language),
          notes: [
            `No model answered (${code}); the message shows somebody in danger, so this is a message of Kith with numbers to call.`,
          ],
        };
      }
      return {
        ...made,
        step: 'explanation',
        text: explanation(distress.error, locale.language ?? 'en'),
        notes: [`No model answered (${code}); this is an explanation of Kith.`],
      };
    },
    async [Symbol.asyncDispose]() {
      const closed = await Promise.allSettled(
        adapters.map(async (adapter) => adapter[Symbol.asyncDispose]?.()),
      );
      closed.forEach((outcome, index) => {
        if (outcome.status === 'rejected')
          log.warn('a search adapter could not be closed', { adapter: adapters[index]?.name ?? '' });
      });
    },
  };
}

function checkNames(names: readonly string[]): void {
  if (names.length > MAX_ADAPTERS) {
    throw new InputError(
      'search_adapters_invalid',
      `There are ${names.length} search adapters; at most ${MAX_ADAPTERS} are asked one after the other.`,
    );
  }
  const wrong = names.find((name, index) => !NAME.test(name) || names.indexOf(name) !== index);
  if (wrong === undefined) return;
  throw new InputError(
    'search_adapters_invalid',
    `'${wrong.slice(0, 64)}' cannot be the name of a search adapter: each has its own, of 1 to 64 letters, digits, '.', '_' and '-'.`,
  );
}

/** Codes are words; what another code base calls one is not repeated as it is. */
const codeOf = (code: string): string => (NAME.test(code) ? code : 'unknown');
