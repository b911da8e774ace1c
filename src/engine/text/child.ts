/**
 * The process behind the text thread: holds the tokenizers and templates of the open models and answers one request
 * at a time. A long one it leaves after a while, and goes on when it is told to. `thread-process.ts` starts it, and ends it when a request takes too long.
 *
 * @module engine/text/child
 */

import { flushCompileCache } from 'node:module';
import { Script } from 'node:vm';
import { KithError } from '../../base/index.ts';
import type { Steps } from '../tokenizer/index.ts';
import { type ModelText, openModelText } from './model-text.ts';
import {
  type Envelope,
  type Forget,
  Paused,
  type ThreadMessage,
  type ThreadRequest,
  type ThreadResults,
  toPlain,
} from './protocol.ts';

const models = new Map<string, ModelText>();

function modelOf(id: string): ModelText {
  const model = models.get(id);
  if (model !== undefined) return model;
  throw new KithError('text_failed', `The model ${JSON.stringify(id)} is not open in the text process.`);
}

type Quick = Exclude<ThreadRequest, { op: 'open' }>;
type Work = Steps<ThreadResults['prepare' | 'tokenize']>;

/** ms of work on one request before the others get their turn. */
const SLICE_MS = 50;
/** Work that was left, by ticket. */
const left = new Map<number, Work>();

function slice(work: Work, ticket: number): ThreadResults['prepare' | 'tokenize'] | Paused {
  const began = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    const ms = performance.now() - began;
    if (ms < SLICE_MS) continue;
    left.set(ticket, work);
    return new Paused(ticket, ms);
  }
}

function* tokenize({ model, text, options }: Extract<Quick, { op: 'tokenize' }>): Work {
  const tokens = yield* modelOf(model).tokenizer.encodeSteps(text, options, options, null);
  return Int32Array.from(tokens);
}

function answer(request: Quick, id: number): ThreadResults[Quick['op']] | Paused {
  switch (request.op) {
    case 'close':
      models.delete(request.model);
      return null;
    case 'prepare':
      return slice(modelOf(request.model).prepare(request.prompt, request.options, request.now), id);
    case 'tokenize':
      return slice(tokenize(request), id);
    case 'continue': {
      const work = left.get(request.ticket);
      if (work === undefined) throw new KithError('text_failed', 'The text process has lost that work.');
      left.delete(request.ticket);
      return slice(work, id);
    }
    case 'detokenize':
      return modelOf(request.model).detokenize(request.tokens, request.special);
  }
}

async function open(request: Extract<ThreadRequest, { op: 'open' }>): Promise<ThreadResults['open']> {
  const model = await openModelText(request.path, request.template);
  models.set(request.model, model);
  return model.info;
}

/** More than the parent waits, so that the parent decides as long as it lives. */
const GRACE_MS = 1_000;
const JOB = '__kithTextJob';
const callJob = new Script(`${JOB}()`);

/** The parent ends this process when time is up. Should the parent be gone by then, this ends the loop. */
function withinTime<T>(limitMs: number, job: () => T): T {
  Object.defineProperty(globalThis, JOB, { value: job, configurable: true });
  return callJob.runInThisContext({ timeout: Math.ceil(limitMs) + GRACE_MS }) as T;
}

const send = (message: ThreadMessage): void => {
  process.send?.(message);
};

process.on('disconnect', () => process.exit(0));
process.on('message', (message: Envelope | Forget) => {
  if ('forget' in message) {
    left.delete(message.forget);
    return;
  }
  const { id, request, limitMs } = message;
  const result = new Promise<unknown>((resolve) => {
    resolve(request.op === 'open' ? open(request) : withinTime(limitMs, () => answer(request, id)));
  });
  result.then(
    (value) =>
      send(
        value instanceof Paused
          ? { kind: 'paused', id, ticket: value.ticket, ms: value.ms }
          : { kind: 'result', id, result: value },
      ),
    (thrown: unknown) => send({ kind: 'error', id, error: toPlain(thrown) }),
  );
});
send({ kind: 'ready' });
// It ends by a kill, after which nothing that was compiled would be there for the next start.
flushCompileCache();
