/**
 * The access log: one line for each request, with names, times and counts, without content. The path as it was sent
 * never stands in it, since people put words into paths and queries; the route's pattern does.
 *
 * It is written for every request, so the fields are put together as JSON here: the general way through the logger costs
 * as much as passing a small answer on does.
 *
 * @module server/metrics/access-log
 */
import { type Logger, redactText } from '../../base/index.ts';
import type { RequestFacts } from '../types.ts';
import { type AnswerFacts, tokensPerSecond } from './answer-facts.ts';

/** Lines of answers beyond these are summed into the last, so that no request writes a line without end. */
const maxReasons = 16;

/** Requests of clients are `info`; health probes, scrapes, the page's files and the command line's own are `debug`. */
export function logRequest(log: Logger, facts: RequestFacts, answers: readonly AnswerFacts[]): void {
  const level = facts.counted ? 'info' : 'debug';
  if (log.enabled(level)) log.line(level, 'request', lineOf(facts, answers));
}

/** The fields as JSON, without braces. */
export function lineOf(facts: RequestFacts, answers: readonly AnswerFacts[]): string {
  const { caller } = facts;
  let line = `"request":"${facts.id}","method":${quoted(facts.method)},"route":${facts.route === null ? 'null' : quoted(facts.route)},"status":${facts.status}`;
  if (facts.code !== null) line += `,"code":${quoted(facts.code)}`;
  if (facts.limit !== null) line += `,"limit":${quoted(facts.limit)}`;
  line += `,"ms":${tenth(facts.ms)},"bytesIn":${facts.bytesIn},"bytesOut":${facts.bytesOut}`;
  if (caller !== null && caller.key !== null) line += `,"key":${quoted(caller.key)}`;
  if (caller !== null && caller.agent !== null) line += `,"agent":${quoted(caller.agent)}`;
  return answers.length === 0 ? line : line + answerFields(answers);
}

/** Unknown values are left out. Of several answers to one request counts are added and waits are the longest. */
function answerFields(answers: readonly AnswerFacts[]): string {
  const first = answers[0]!;
  let promptTokens: number | null = null;
  let cachedTokens: number | null = null;
  let completionTokens: number | null = null;
  let ttftMs: number | null = null;
  let queueMs: number | null = null;
  let rate: number | null = null;
  const reasons: string[] = [];
  for (const facts of answers) {
    promptTokens = sum(promptTokens, facts.promptTokens);
    cachedTokens = sum(cachedTokens, facts.cachedTokens);
    completionTokens = sum(completionTokens, facts.completionTokens);
    ttftMs = longest(ttftMs, facts.firstAt === null ? null : facts.firstAt - facts.startedAt);
    queueMs = longest(queueMs, facts.queueMs);
    rate ??= tokensPerSecond(facts);
    for (const reason of facts.reasons) if (reasons.length < maxReasons) reasons.push(reason);
  }
  let line = '';
  if (first.model !== null) line += `,"model":${quoted(first.model)}`;
  if (first.backend !== null) line += `,"backend":${quoted(first.backend)}`;
  if (promptTokens !== null) line += `,"promptTokens":${promptTokens}`;
  if (cachedTokens !== null) line += `,"cachedTokens":${cachedTokens}`;
  if (completionTokens !== null) line += `,"completionTokens":${completionTokens}`;
  if (ttftMs !== null) line += `,"ttftMs":${tenth(ttftMs)}`;
  if (queueMs !== null) line += `,"queueMs":${tenth(queueMs)}`;
  if (rate !== null) line += `,"tokensPerSecond":${tenth(rate)}`;
  if (reasons.length > 0) line += `,"finish":["${reasons.join('","')}"]`;
  return line;
}

const sum = (total: number | null, value: number | null) => (value === null ? total : (total ?? 0) + value);
const longest = (most: number | null, value: number | null) =>
  value === null ? most : Math.max(most ?? value, value);

/** Names that were quoted: routes, models, agents come again and again. One that had to be redacted is not kept. */
const known = new Map<string, string>();
const maxKnown = 1000;

function quoted(text: string): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  const safe = redactText(text);
  const json = JSON.stringify(safe);
  if (safe === text && known.size < maxKnown) known.set(text, json);
  return json;
}

/** JSON knows no numbers but finite ones. */
function tenth(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 10) / 10 : null;
}
