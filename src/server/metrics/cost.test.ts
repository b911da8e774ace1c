import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import type { ChatEvent, RouteReport } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { watchAnswer } from './answer-facts.ts';
import { AnswerFigures } from './answers.ts';

const exchange = {
  id: '01',
  route: '/v1/chat/completions',
  caller: { key: null, name: 'local', agent: null },
} as unknown as Exchange;

const usage = (tokens: number | null, cost: number | null): Extract<ChatEvent, { type: 'usage' }> => ({
  ...{ type: 'usage', promptTokens: tokens, cachedTokens: null, completionTokens: tokens },
  receipt: {
    ...{ backend: 'far', model: 'm', queueMs: null, prefillMs: null, decodeMs: null, notes: [] },
    route: { cost } as RouteReport,
  },
});

function answer(figures: AnswerFigures, last: ChatEvent | null, error: Error | null = null): void {
  const { watch } = watchAnswer(exchange, 'chat', 'm', createManualClock(), [figures]);
  watch.event!({ type: 'start', backend: 'far', model: 'm' });
  if (last !== null) watch.event!(last);
  watch.end(error);
}

test('what answers cost is added up, and what is not known is counted, not added', () => {
  const figures = new AnswerFigures(1000);
  answer(figures, usage(5, 0.25));
  answer(figures, usage(5, 0));
  answer(figures, usage(null, null));
  answer(figures, null, new Error('it broke'));
  const [set] = [...figures.sets];
  assert.deepEqual([set!.cost, set!.unpriced], [0.25, 1]);
  assert.deepEqual([set!.promptTokens, set!.uncounted], [10, 1]);
});

test('vectors have a prompt and nothing else to count', () => {
  const figures = new AnswerFigures(1000);
  for (const tokens of [[3, 4], [null]]) {
    const { watch } = watchAnswer(exchange, 'embedding', 'm', createManualClock(), [figures]);
    const { receipt } = usage(0, 1);
    watch.embedded!({ tokens, receipt });
    watch.end(null);
  }
  const [set] = [...figures.sets];
  assert.deepEqual([set!.promptTokens, set!.uncounted, set!.cost], [7, 1, 2]);
});
