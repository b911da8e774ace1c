/**
 * What to do about what the log shows, in plain words, where the cause is known.
 *
 * @module cli/log-analysis/advice
 */
import { formatPercent, formatPlural } from '../../base/index.ts';
import type { Evidence } from './analyse.ts';

const requests = (count: number): string => formatPlural(count, 'request');

/** What to do when requests met a limit, by its name. */
const limits: Readonly<Record<string, string>> = {
  'engine.maxQueue':
    'raise it, or engine.maxActive where memory allows; clients should wait as long as retry-after says',
  'engine.maxWaitMs':
    'the machine is busier than it can be: raise engine.maxActive, or choose a smaller model',
  'engine.memoryBytes': 'choose a smaller model or context, or raise it where memory is free',
  'engine.kvCells': 'raise engine.kvCells, or send shorter prompts',
  requestsPerMinute: 'raise the rate of the key, or server.requestsPerMinute for callers without one',
  tokensPerMinute: 'raise the tokens of the key, or server.tokensPerMinute for callers without one',
  failuresPerMinute: 'somebody tries keys: look at where requests with status 401 come from',
  bodiesBytes: 'many large bodies came at once: send fewer at a time',
};

/** What to do about an error code. */
const codes: Readonly<Record<string, string>> = {
  context_length_exceeded:
    'were longer than the context: set engine.overflow to slide, raise engine.context, or send shorter prompts',
  model_not_found: 'asked for models that are not here: `kith models list` shows those that are',
  model_loading:
    'came while their model was still being loaded: raise engine.maxWaitMs, or make it the default so that it loads at the start',
  memory_exhausted: 'found no memory left: choose a smaller model or context',
  engine_lost: 'were lost when the engine process died: `kith logs` says why under "engine process ended"',
  engine_unavailable: 'found no engine: run `kith doctor`',
  internal_error: 'met an error of the node itself: `kith logs` has its cause under the request id',
  template_failed:
    "could not be put into the model's chat template: its file may be made for another purpose",
  model_corrupt: 'met a damaged model file: run `kith doctor --full`',
  invalid_api_key: 'came without a valid key: `kith keys list` shows the keys',
  wrong_model_task: 'used a chat model for embeddings or the other way round',
  request_timeout: 'did not arrive in time: the network is slow, or server.requestTimeoutMs too short',
};

/** Fewer than these are no pattern. */
const few = 3;
/** Share of the requests whose clients left that is worth a word. */
const leavers = 0.1;

export function advise(evidence: Evidence): string[] {
  const advice: string[] = [];
  for (const [limit, what] of Object.entries(limits)) {
    const count = evidence.count('limit', limit);
    if (count > 0) advice.push(`${requests(count)} met ${limit}: ${what}.`);
  }
  for (const [code, what] of Object.entries(codes)) {
    const count = evidence.count('code', code);
    if (count > 0) advice.push(`${requests(count)} ${what}.`);
  }
  const large = evidence.count('status', '413');
  if (large > 0) advice.push(`${requests(large)} had a body over server.bodyBytes: raise it.`);
  const left = evidence.count('status', '499');
  if (left >= few && left > evidence.requests * leavers) {
    advice.push(
      `${requests(left)} (${formatPercent(left / evidence.requests)}) ended because the client went away first: compare its time limit with the times to first token above.`,
    );
  }
  const refused = evidence.count('message', 'connection refused');
  if (refused > 0)
    advice.push(`Connections were refused ${formatPlural(refused, 'time')}: raise server.maxConnections.`);
  if (evidence.deaths > 0) {
    advice.push(
      `The engine process died ${formatPlural(evidence.deaths, 'time')}${evidence.breakers > 0 ? ' and was left alone for a while' : ''}: run \`kith doctor\`, and look for "engine process ended" in \`kith logs\`.`,
    );
  }
  if (evidence.count('message', 'default model failed') > 0)
    advice.push('The default model did not load: `kith doctor` says what is wrong with it.');
  if (evidence.count('message', 'alert webhook failed') > 0)
    advice.push('Alerts could not be delivered: check alerts.webhook.');
  if (evidence.count('message', 'traces could not be sent') > 0)
    advice.push('The collector did not take traces: check telemetry.otlpUrl and telemetry.headers.');
  if (evidence.broken > 0)
    advice.push(
      `${formatPlural(evidence.broken, 'line')} of the log could not be read: the process was killed, or the disk was full.`,
    );
  return advice;
}
