/**
 * The access log: one line for each request, with names, times and counts, without content. The path as it was sent
 * never stands in it, since people put words into paths and queries; the route's pattern does.
 *
 * @module server/metrics/access-log
 */
import type { LogFields, Logger } from '../../base/index.ts';
import type { RequestFacts } from '../types.ts';
import { type AnswerFacts, tokensPerSecond } from './answer-facts.ts';

/** Lines of answers beyond these are summed into the last, so that no request writes a line without end. */
const maxReasons = 16;

/** Requests of clients are `info`; health probes, scrapes, the page's files and the command line's own are `debug`. */
export function logRequest(log: Logger, facts: RequestFacts, answers: readonly AnswerFacts[]): void {
  log[facts.counted ? 'info' : 'debug']('request', lineOf(facts, answers));
}

export function lineOf(facts: RequestFacts, answers: readonly AnswerFacts[]): LogFields {
  return {
    request: facts.id,
    method: facts.method,
    route: facts.route,
    status: facts.status,
    ...(facts.code === null ? {} : { code: facts.code }),
    ...(facts.limit === null ? {} : { limit: facts.limit }),
    ms: tenth(facts.ms),
    bytesIn: facts.bytesIn,
    bytesOut: facts.bytesOut,
    ...(facts.caller?.key == null ? {} : { key: facts.caller.key }),
    ...(facts.caller?.agent == null ? {} : { agent: facts.caller.agent }),
    ...(answers.length === 0 ? {} : answerFields(answers)),
  };
}

/** Unknown values are left out. Of several answers to one request counts are added and waits are the longest. */
function answerFields(answers: readonly AnswerFacts[]): LogFields {
  const first = answers[0]!;
  const known = <T>(value: (facts: AnswerFacts) => T | null): T[] =>
    answers.map(value).filter((each) => each !== null);
  const sum = (values: readonly number[]) =>
    values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0);
  const longest = (values: readonly number[]) =>
    values.length === 0 ? undefined : tenth(Math.max(...values));
  const rate = known(tokensPerSecond)[0];
  const reasons = answers.flatMap(({ reasons }) => reasons);
  const fields = {
    model: first.model ?? undefined,
    backend: first.backend ?? undefined,
    promptTokens: sum(known(({ promptTokens }) => promptTokens)),
    cachedTokens: sum(known(({ cachedTokens }) => cachedTokens)),
    completionTokens: sum(known(({ completionTokens }) => completionTokens)),
    ttftMs: longest(known(({ firstAt, startedAt }) => (firstAt === null ? null : firstAt - startedAt))),
    queueMs: longest(known(({ queueMs }) => queueMs)),
    tokensPerSecond: rate === undefined ? undefined : tenth(rate),
    finish: reasons.length === 0 ? undefined : reasons.slice(0, maxReasons),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
