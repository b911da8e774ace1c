/**
 * The process behind the text thread: holds the tokenizers and templates of the open models and answers one request
 * at a time. `thread-process.ts` starts it, and ends it when a request takes too long.
 *
 * @module engine/text/child
 */

import { Script } from 'node:vm';
import { KithError } from '../../base/index.ts';
import { type ModelText, openModelText } from './model-text.ts';
import {
  type Envelope,
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

function answer(request: Quick): ThreadResults[Quick['op']] {
  switch (request.op) {
    case 'close':
      models.delete(request.model);
      return null;
    case 'prepare':
      return modelOf(request.model).prepare(request.prompt, request.options, request.now);
    case 'tokenize':
      return Int32Array.from(modelOf(request.model).tokenizer.encode(request.text, request.options));
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
process.on('message', ({ id, request, limitMs }: Envelope) => {
  const result = new Promise<unknown>((resolve) => {
    resolve(request.op === 'open' ? open(request) : withinTime(limitMs, () => answer(request)));
  });
  result.then(
    (value) => send({ kind: 'result', id, result: value }),
    (thrown: unknown) => send({ kind: 'error', id, error: toPlain(thrown) }),
  );
});
send({ kind: 'ready' });
