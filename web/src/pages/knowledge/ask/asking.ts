/**
 * Questions to knowledge bases and their answers, for as long as the page lives: they go on while the reader looks elsewhere.
 *
 * @module web/pages/knowledge/ask/asking
 */
import { createStore } from 'solid-js/store';
import { announce, announceAnswer } from '../../../app/announce.tsx';
import { faultIn } from '../../../data/node-error.ts';
import { onLock } from '../../../data/owner.ts';
import { answer } from '../desk.ts';
import { k } from '../words/index.ts';
import { type Answer, emptyAnswer, historyOf, takeEvent, textOf } from './answer-state.ts';

export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly answer: Answer;
}

const [asked, set] = createStore<Record<string, readonly Turn[] | undefined>>({});
const aborts = new Map<string, AbortController>();
const drafts = new Map<string, string>();
let nextId = 1;

onLock(() => {
  for (const abort of aborts.values()) abort.abort();
  for (const kb of Object.keys(asked)) set(kb, undefined);
  drafts.clear();
});

export const turnsOf = (kb: string): readonly Turn[] => asked[kb] ?? [];
export const isAnswering = (kb: string): boolean => {
  const state = turnsOf(kb).at(-1)?.answer.state;
  return state === 'waiting' || state === 'writing';
};
export const draftOf = (kb: string): string => drafts.get(kb) ?? '';
export const keepDraft = (kb: string, text: string): void => void drafts.set(kb, text);

/** Stops the answer: the connection closes, and with it the work in the node. */
export const stop = (kb: string): void => aborts.get(kb)?.abort();

export function beginAnew(kb: string): void {
  stop(kb);
  set(kb, undefined);
}

/** Asks the last question again: the answer is made anew. */
export function askAgain(kb: string): Promise<void> {
  const last = turnsOf(kb).at(-1);
  if (last === undefined || isAnswering(kb)) return Promise.resolve();
  set(kb, turnsOf(kb).slice(0, -1));
  return ask(kb, last.question, true);
}

export async function ask(kb: string, question: string, fresh = false): Promise<void> {
  if (isAnswering(kb)) return;
  const before = turnsOf(kb);
  const id = nextId++;
  const abort = new AbortController();
  aborts.set(kb, abort);
  set(kb, [...before, { id, question, answer: emptyAnswer }]);
  const change = (take: (now: Answer) => Answer) =>
    set(kb, (turns) =>
      turns?.map((turn) => (turn.id === id ? { ...turn, answer: take(turn.answer) } : turn)),
    );
  announce(k('ask.writing'));
  try {
    const asked = { question, history: historyOf(before), ...(fresh ? { fresh } : {}) };
    for await (const event of answer(kb, asked, abort.signal)) change((now) => takeEvent(now, event));
    change((now) => ({ ...now, state: 'done' }));
    announce(k('ask.done'));
    const turn = turnsOf(kb).find((each) => each.id === id);
    if (turn !== undefined) announceAnswer(textOf(turn.answer));
  } catch (error) {
    if (abort.signal.aborted) change((now) => ({ ...now, state: 'stopped' }));
    else change((now) => ({ ...now, state: 'failed', fault: faultIn(error) }));
  } finally {
    if (aborts.get(kb) === abort) aborts.delete(kb);
  }
}
