/**
 * Answers being written: at most one in a conversation, several conversations at once. They go on while the reader looks
 * elsewhere on the page.
 *
 * @module web/data/answering
 */
import { createStore } from 'solid-js/store';
import { type Message, streamAnswer } from './answer-stream.ts';
import type { Turn } from './archive.ts';
import { conversation, emptyAnswer, hold, save, setAnswer, setTurns, turnsOf } from './conversations.ts';
import { isGone, NodeError } from './node-error.ts';
import type { AnswerSettings } from './preferences.ts';
import { termHeaders } from './terms.ts';

interface Run {
  /** Turn being answered. */
  readonly turn: string;
  readonly abort: AbortController;
}

const [runs, setRuns] = createStore<Record<string, Run | undefined>>({});
/** Turns whose answer broke because the node went away while this page was open; they start again when it is back. */
const [broken, setBroken] = createStore<Record<string, string | undefined>>({});

/** The work of each run, by conversation. */
const works = new Map<string, Promise<void>>();

const saveEveryMs = 2_000;

export const answeringTurn = (id: string): string | null => runs[id]?.turn ?? null;
export const answeringAny = (): boolean => Object.values(runs).some((run) => run !== undefined);
/** True when an answer waits for the node to come back. */
export const willResume = (): boolean => Object.values(broken).some((turn) => turn !== undefined);
export const resumes = (id: string, turn: string): boolean => broken[id] === turn;

export interface Ending {
  readonly conversation: string;
  readonly turn: string;
}
const listeners = new Set<(ending: Ending) => void>();
/** Calls back when an answer has ended, however it did. Returns what ends that. */
export function onEnding(listener: (ending: Ending) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Messages of a conversation up to the question of `turn`. Answers that never came leave their question out, too. */
export function messagesOf(turns: readonly Turn[], turn: string, system: string): Message[] {
  const messages: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }];
  for (const { id, question, answer } of turns) {
    if (id === turn) return [...messages, { role: 'user', content: question }];
    if (answer.text === '') continue;
    messages.push({ role: 'user', content: question }, { role: 'assistant', content: answer.text });
  }
  return messages;
}

/** Asks a turn's question (again). What the turn said before is replaced when the new answer begins. */
export function answer(id: string, turn: string): Promise<void> {
  const turns = turnsOf(id);
  const settings = conversation(id)?.settings;
  if (!turns || !settings || runs[id]) return Promise.resolve();
  const work = run(id, turn, turns, settings);
  works.set(id, work);
  return work;
}

async function run(
  id: string,
  turn: string,
  turns: readonly Turn[],
  settings: AnswerSettings,
): Promise<void> {
  const abort = new AbortController();
  const release = hold(id);
  setBroken(id, undefined);
  setRuns(id, { turn, abort });
  setAnswer(id, turn, { ...emptyAnswer() });
  const text = pacedText((whole) => setAnswer(id, turn, { state: 'writing', text: whole }));
  const saving = setInterval(() => void save(id), saveEveryMs);
  let left = false;
  const leave = () => {
    text.flush();
    void save(id);
    left = true;
  };
  const back = () => {
    left = false;
  };
  addEventListener('pagehide', leave);
  addEventListener('pageshow', back);
  try {
    await save(id, true);
    await write(id, turn, turns, settings, abort.signal, text.add);
    text.flush();
    setAnswer(id, turn, { state: 'done' });
  } catch (error) {
    text.flush();
    if (abort.signal.aborted) setAnswer(id, turn, { state: 'stopped' });
    else {
      const fault =
        error instanceof NodeError
          ? error.fault
          : { code: 'page_error', message: String(error), status: 0, requestId: null };
      if (isGone(fault)) setBroken(id, turn);
      setAnswer(id, turn, { state: isGone(fault) ? 'lost' : 'failed', fault });
    }
  } finally {
    clearInterval(saving);
    removeEventListener('pagehide', leave);
    removeEventListener('pageshow', back);
    setRuns(id, undefined);
    works.delete(id);
    release();
    // A page that leaves breaks its own connections: that is no fault to remember.
    if (!left) void save(id);
    for (const listener of listeners) listener({ conversation: id, turn });
  }
}

async function write(
  id: string,
  turn: string,
  turns: readonly Turn[],
  settings: AnswerSettings,
  signal: AbortSignal,
  add: (text: string) => void,
): Promise<void> {
  const { system, model, temperature, top_p, max_tokens, seed } = settings;
  const messages = messagesOf(turns, turn, system);
  const options = { model, temperature, top_p, max_tokens, seed };
  for await (const part of streamAnswer(messages, options, termHeaders(settings, id), signal)) {
    if (part.type === 'text') add(part.text);
    else if (part.type === 'start') {
      setAnswer(id, turn, { requestId: part.requestId, backend: part.backend, step: part.step });
    } else if (part.type === 'finish') setAnswer(id, turn, { finish: part.reason, model: part.model });
    else setAnswer(id, turn, { usage: part.usage, receipt: part.receipt });
  }
}

/** Gathers pieces of text and hands the whole on, at most once a frame. */
function pacedText(show: (whole: string) => void): { add(piece: string): void; flush(): void } {
  let whole = '';
  let shown = '';
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = undefined;
    if (shown === whole) return;
    shown = whole;
    show(whole);
  };
  return {
    flush,
    add(piece) {
      whole += piece;
      if (frame !== 0) return;
      frame = requestAnimationFrame(flush);
      // Pages in the background get no frames.
      timer = setTimeout(flush, 500);
    },
  };
}

/** Stops the answer: the connection closes, and with it the work in the node. Settles when it has ended. */
export function stop(id: string): Promise<void> {
  runs[id]?.abort.abort();
  return works.get(id) ?? Promise.resolve();
}

export function ask(id: string, turn: Turn): Promise<void> {
  setTurns(id, [...(turnsOf(id) ?? []), turn]);
  return answer(id, turn.id);
}

/** The node is back: what broke starts again. */
export function resumeBroken(): void {
  for (const [id, turn] of Object.entries(broken)) if (turn !== undefined) void answer(id, turn);
}

export function giveUp(id: string): void {
  setBroken(id, undefined);
}
