/**
 * How an answer that broke off is gone on with, by another backend, without the caller seeing the seam.
 *
 * First by continuation: the text so far is the prefill of the next ask. Where no backend takes it, and the request is
 * one whose answer does not depend on chance, by replay: another backend answers anew, and as long as it says letter for
 * letter what was said already, nothing is passed on; from there on it is the answer. One that says something else is no
 * help: two answers are never mixed.
 *
 * @module gateway/resilience/continuation
 */
import type { ChatEvent } from '../types.ts';
import type { Continued, Live } from './ask.ts';
import { type Failure, isTotal } from './failure.ts';
import { type Opened, tryStep } from './open.ts';
import { type ChatReading, keptCharacters } from './reading.ts';
import type { Run } from './run.ts';
import type { Route } from './types.ts';

type ChatRun = Run<ChatEvent, ChatReading>;
type ChatLive = Live<ChatEvent, ChatReading>;

export interface Seam extends Opened<ChatEvent, ChatReading> {
  /** What was said before this attempt and is not part of it; null for a replay, which has all of it. */
  readonly before: Continued | null;
}

/** Routes that were asked to go on with this answer: each at most once in each way. */
export interface Helpers {
  readonly continued: Set<Route>;
  readonly replayed: Set<Route>;
}

/** The next backend that goes on from `from`; null when there is none. `cut`: the one that broke off. */
export async function goOnFrom(
  run: ChatRun,
  cut: Route,
  broken: Failure,
  from: Continued,
  helpers: Helpers,
): Promise<Seam | null> {
  if ((!broken.elsewhere && !broken.again) || isTotal(broken)) return null;
  const others = run.ask.routes.filter((route) => route !== cut);
  // The one that broke off comes last, and not at all when it fell silent.
  for (const route of broken.again ? [...others, cut] : others) {
    if (!route.continues || helpers.continued.has(route) || !isWilling(run, route)) continue;
    if (route === cut && !run.options.budget.take()) continue;
    helpers.continued.add(route);
    const opened = await tryStep(run, { route, reason: 'continuation', waitMs: 0 }, from);
    if (opened !== null)
      return { live: opened.live, held: opened.held.filter(({ type }) => type !== 'start'), before: from };
    if (run.isFiltered) return null;
  }
  if (run.ask.replays !== true) return null;
  for (const route of others) {
    if (helpers.replayed.has(route) || !isWilling(run, route)) continue;
    helpers.replayed.add(route);
    const opened = await tryStep(run, { route, reason: 'replay', waitMs: 0 });
    const seam = opened === null ? null : await replay(run, opened.live, from.text);
    if (seam !== null || run.isFiltered) return seam;
  }
  return null;
}

function isWilling(run: ChatRun, { backend }: Route): boolean {
  const { coolMs, breaker } = run.options.conditions.of(backend.name);
  return coolMs === 0 && breaker.admits;
}

/** Reads on until all of `said` was said again; null when it was not. */
async function replay(run: ChatRun, live: ChatLive, said: string): Promise<Seam | null> {
  const { attempt, reading } = live;
  try {
    for (;;) {
      const text = reading.text ?? '';
      const same = said.startsWith(text) || text.startsWith(said);
      if (same && text.length >= said.length) {
        const surplus = text.slice(said.length);
        const held: ChatEvent[] =
          surplus === '' ? [] : [{ type: 'text', choice: 0, text: surplus, logprobs: null }];
        return { live, held, before: null };
      }
      const { done, value } = same ? await attempt.next() : { done: true, value: null };
      if (done || value?.type === 'finish') {
        run.lose(live);
        return null;
      }
      reading.take(value!);
    }
  } catch (error) {
    run.fail(live, error, true);
    return null;
  }
}

/** The whole text so far, for the next one to go on from; null when it cannot be continued. */
export function continuationOf({ reading }: ChatLive, before: Continued | null): Continued | null {
  if (reading.text === null) return null;
  const text = (before?.text ?? '') + reading.text;
  if (text.length > keptCharacters) return null;
  return { text, tokens: (before?.tokens ?? 0) + reading.tokens };
}
