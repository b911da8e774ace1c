/**
 * The order of the checks, their time, and what is left out when one before them failed.
 *
 * @module gateway/checkup/checkup
 */
import { AbortedError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { Backend } from '../types.ts';
import { askFirst, checkCompletion, checkLatency, checkStreaming } from './answers.ts';
import { explainError } from './explain.ts';
import { checkEmbeddings, checkJson, checkTools } from './forms.ts';
import { checkAbort, checkBadModel, checkShortTimeout } from './refusals.ts';
import { CHECKS, type CheckName, type CheckResult, type CheckupOptions } from './types.ts';
import { type Finding, inTime, type Visit } from './visit.ts';
import { checkConnection, checkCredentials, checkModels } from './way.ts';

const CHECK_MS = 30_000;
const TOTAL_MS = 120_000;
/** A way that takes longer is none. */
const WAY_MS = 10_000;

const DOES: Readonly<Record<CheckName, (visit: Visit) => Promise<Finding> | Finding>> = {
  connection: checkConnection,
  credentials: async (visit) => {
    if (visit.model !== null) await askFirst(visit);
    return checkCredentials(visit);
  },
  models: checkModels,
  completion: async (visit) => {
    if (visit.first === null && visit.model !== null) await askFirst(visit);
    return visit.first === null
      ? {
          state: 'fail',
          message:
            visit.options.anyListed === false
              ? 'No chat model of it is configured, and it is not for a check to choose one that may cost.'
              : 'There is no chat model to ask: none is configured, and none is listed.',
          remedy: 'Name one as `defaults.chat` of this backend, or with --model.',
        }
      : checkCompletion(visit);
  },
  latency: checkLatency,
  streaming: checkStreaming,
  json: checkJson,
  tools: checkTools,
  embeddings: checkEmbeddings,
  bad_model: checkBadModel,
  short_timeout: checkShortTimeout,
  abort: checkAbort,
};

/** Say nothing where no model answers. */
const NEEDS_ANSWER: ReadonlySet<CheckName> = new Set<CheckName>([
  'latency',
  'streaming',
  'json',
  'tools',
  'bad_model',
  'short_timeout',
  'abort',
]);

/**
 * Checks one backend from the way to it up to how it lets go. One result for each check, in the order of `CHECKS`.
 *
 * It asks for short answers: about 10 requests and 500 tokens with the defaults. It ends within `totalMs`, whatever the
 * backend does, and leaves no request behind.
 *
 * @throws AbortedError when the caller's signal fires
 */
export async function* checkBackend(backend: Backend, options: CheckupOptions): AsyncGenerator<CheckResult> {
  const { clock, random, checkMs = CHECK_MS, totalMs = TOTAL_MS } = options;
  const caller = options.signal ?? new AbortController().signal;
  const began = clock.monotonic();
  const visit: Visit = {
    backend,
    options,
    clock,
    random,
    model: null,
    way: null,
    first: null,
    checkMs,
    signal: caller,
    requests: 0,
    tokens: 0,
  };
  /** Why nothing more is looked at. */
  let over: string | null = null;
  let silent: string | null = null;
  for (const name of CHECKS) {
    if (options.checks !== undefined && name !== 'connection' && !options.checks.includes(name)) continue;
    throwIfAborted(caller);
    const left = totalMs - (clock.monotonic() - began);
    if (left <= 0) over ??= `The time for all checks (${totalMs / 1000} s) is over.`;
    const why = over ?? (NEEDS_ANSWER.has(name) ? silent : null);
    if (why !== null) {
      yield skipped(name, why);
      continue;
    }
    visit.checkMs = Math.min(name === 'connection' ? WAY_MS : checkMs, checkMs, left);
    const result = await one(visit, name, caller);
    yield result;
    if (name === 'connection' && visit.way?.ok === false) over = 'Its server cannot be reached.';
    if (name === 'connection' && result.state === 'fail' && visit.way === null) over = 'It does not answer.';
    if (name === 'completion' && result.state === 'fail') silent = 'It gives no answer by which to tell.';
  }
}

async function one(visit: Visit, name: CheckName, caller: AbortSignal): Promise<CheckResult> {
  const { clock } = visit;
  const began = clock.monotonic();
  const end = new AbortController();
  visit.signal = AbortSignal.any([caller, end.signal]);
  visit.requests = 0;
  visit.tokens = 0;
  const done = new AbortController();
  clock.sleep(visit.checkMs, done.signal).then(
    () => end.abort(new AbortedError('The time of the check is over.')),
    () => {},
  );
  let finding: Finding;
  try {
    if (name !== 'connection') await chooseModel(visit);
    finding = await DOES[name](visit);
  } catch (error) {
    if (caller.aborted) throw error;
    // What a check does not foresee is a finding too, never the end of the others.
    finding = { state: 'fail', ...explainError(error), message: messageOf(error) };
  } finally {
    done.abort();
    // Whatever it still has under way ends with it.
    end.abort(new AbortedError('The check is over.'));
  }
  throwIfAborted(caller);
  return {
    name,
    state: finding.state,
    message: finding.message,
    remedy: finding.remedy ?? null,
    code: finding.code ?? null,
    measured: finding.measured ?? {},
    ms: Math.round(clock.monotonic() - began),
    requests: visit.requests,
    tokens: visit.tokens,
  };
}

function skipped(name: CheckName, message: string): CheckResult {
  return {
    name,
    state: 'skipped',
    message,
    remedy: null,
    code: null,
    measured: {},
    ms: 0,
    requests: 0,
    tokens: 0,
  };
}

async function chooseModel(visit: Visit): Promise<void> {
  const { backend, options, signal } = visit;
  visit.model ??= options.model ?? backend.defaultModel('chat');
  if (visit.model !== null || options.anyListed === false) return;
  const rows = await inTime(backend.models(), signal);
  visit.model = rows?.find(({ task }) => task === 'chat')?.id ?? null;
}
