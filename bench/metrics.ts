/**
 * `node --expose-gc bench/metrics.ts`: what looking on costs. Prints two tables:
 *
 * - one observation of a histogram, and one event of an answer (clock, first token, inter-token latency), each with the
 *   bytes of heap that it leaves behind;
 * - a scrape of a node with as many different labels as there can be, the worst case, and of a usual one.
 *
 * Options: --events N (2000000).
 *
 * @module bench/metrics
 */
import { parseArgs } from 'node:util';
import { createManualClock, Histogram, RecentHistogram, systemClock } from '../src/base/index.ts';
import type { ChatEvent } from '../src/gateway/index.ts';
import type { Exchange } from '../src/server/http/exchange.ts';
import { watchAnswer } from '../src/server/metrics/answer-facts.ts';
import { AnswerFigures } from '../src/server/metrics/answers.ts';
import { AttemptFigures } from '../src/server/metrics/attempts.ts';
import { renderFigures } from '../src/server/metrics/render.ts';
import { RequestFigures } from '../src/server/metrics/requests.ts';
import { recentAnswers } from '../src/server/metrics/view.ts';
import { table } from './lib/stats.ts';

const { values: options } = parseArgs({ options: { events: { type: 'string', default: '2000000' } } });
const events = Number(options.events);
const windowMs = 300_000;

const start = { type: 'start', backend: 'local', model: 'm' } as const;
const piece: ChatEvent = { type: 'text', choice: 0, text: 'x', logprobs: null };
const receipt = { backend: 'local', model: 'm', queueMs: 1, prefillMs: 20, decodeMs: 1000, notes: [] };

function exchange(agent: string | null, route: string): Exchange {
  return { id: 'x', route, caller: { key: null, name: 'local', agent } } as unknown as Exchange;
}

/** ns and bytes of heap per call, best of five runs. */
function cost(work: (count: number) => void): { ns: number; bytes: number } {
  work(events / 10);
  let ns = Number.POSITIVE_INFINITY;
  let bytes = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const began = process.hrtime.bigint();
    work(events);
    ns = Math.min(ns, Number(process.hrtime.bigint() - began) / events);
    bytes = Math.min(bytes, Math.max(0, process.memoryUsage().heapUsed - heap) / events);
  }
  return { ns, bytes };
}

function hotPath(): string[][] {
  const values = Float64Array.from({ length: 4096 }, (_, index) => 0.05 * 1.0047 ** (index % 3000));
  const histogram = new Histogram();
  const recent = new RecentHistogram(windowMs);
  const figures = new AnswerFigures(windowMs);
  const { watch } = watchAnswer(exchange('a', '/v1/chat/completions'), 'chat', 'm', systemClock, [figures]);
  watch.event!(start);
  const rows: [string, (count: number) => void][] = [
    [
      'histogram: observe',
      (count) => {
        for (let n = 0; n < count; n++) histogram.observe(values[n & 4095]!);
      },
    ],
    [
      'histogram with window: observe',
      (count) => {
        for (let n = 0; n < count; n++) recent.observe(values[n & 4095]!, 1000);
      },
    ],
    [
      'the clock alone',
      (count) => {
        let sum = 0;
        for (let n = 0; n < count; n++) sum += systemClock.monotonic();
        if (sum < 0) throw new Error('time ran backwards');
      },
    ],
    [
      'one text event of an answer, clock included',
      (count) => {
        for (let n = 0; n < count; n++) watch.event!(piece);
      },
    ],
  ];
  return rows.map(([name, work]) => {
    const { ns, bytes } = cost(work);
    return [name, `${ns.toFixed(1)} ns`, `${bytes.toFixed(2)} B`];
  });
}

/** Figures of `count` combinations of labels, each with answers in its window. */
function filled(count: number) {
  const clock = createManualClock();
  const answers = new AnswerFigures(windowMs);
  const requests = new RequestFigures(windowMs);
  for (let n = 0; n < count * 20; n++) {
    const which = n % count;
    const { watch } = watchAnswer(
      exchange(`agent-${which % 40}`, `/v1/route-${which % 7}`),
      'chat',
      'm',
      clock,
      [answers],
    );
    watch.event!({ ...start, model: `model-${which % 3}` });
    for (let token = 0; token < 10; token++) watch.event!(piece);
    watch.event!({ type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 });
    watch.event!({ type: 'usage', promptTokens: 9, cachedTokens: 3, completionTokens: 10, receipt });
    watch.end(null);
    requests.observe(
      {
        ...{
          id: 'x',
          method: 'POST',
          route: `/v1/route-${which}`,
          status: 200 + (n % 5),
          code: null,
          limit: null,
        },
        ...{ ms: n, bytesIn: 10, bytesOut: 10, caller: null, counted: true, of: {} },
      },
      0,
    );
  }
  return { answers, requests };
}

function scrape(name: string, count: number): string[] {
  const { answers, requests } = filled(count);
  const figures = {
    ...{ version: '0', startedAt: 0, now: 0, requests, answers, active: 0, status: null, fresh: true },
    attempts: new AttemptFigures(300_000),
    ...{ loop: { p50: 0, p99: 0, max: 0 }, firing: [], webhookFailures: 0, traceFailures: 0, vault: null },
    logLines: { trace: 0, debug: 0, info: 0, warn: 0, error: 0, fatal: 0 },
  };
  let ms = Number.POSITIVE_INFINITY;
  let view = Number.POSITIVE_INFINITY;
  let bytes = 0;
  for (let run = 0; run < 15; run++) {
    const began = performance.now();
    bytes = renderFigures(figures, 'prometheus').length;
    const between = performance.now();
    recentAnswers(answers.sets, 0);
    ms = Math.min(ms, between - began);
    view = Math.min(view, performance.now() - between);
  }
  return [name, `${ms.toFixed(1)} ms`, `${view.toFixed(1)} ms`, `${Math.round(bytes / 1000)} kB`];
}

console.log(table(['hot path', 'time', 'heap'], hotPath()));
console.log();
console.log(
  table(
    ['scrape', '/metrics', 'JSON view', 'size'],
    [scrape('5 combinations of labels', 5), scrape('as many as there can be', 500)],
  ),
);
