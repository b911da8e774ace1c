/** @module gateway/backends/recorded/recorded.test */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AbortedError, createManualClock, createSeededRandom, InputError } from '../../../base/index.ts';
import type { ChatEvent, ChatRequest } from '../../types.ts';
import { UpstreamError } from '../../upstream/index.ts';
import { createRecordedBackend } from './index.ts';

const DEMO = readFileSync(join(import.meta.dirname, '../../../../test/upstreams/recorded/demo.json'), 'utf8');

function backendOf(content = DEMO) {
  const clock = createManualClock();
  const random = createSeededRandom(1);
  const files = [{ name: 'demo.json', content }];
  const backend = createRecordedBackend({
    name: 'demo',
    files,
    defaults: { chat: 'recorded' },
    clock,
    random,
  });
  return { backend, clock };
}

const chat = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: null,
  n: 1,
  sampler: {},
  maxTokens: null,
  stop: [],
  overflow: null,
  keepTokens: 0,
  timeoutMs: null,
  signal: new AbortController().signal,
  messages: [{ role: 'user', content }],
  ...more,
});

async function collect(answer: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of answer) events.push(event);
  return events;
}

test('recorded events are given with a receipt that says that they are', async () => {
  const events = await collect(backendOf().backend.chat(chat('Hello')));
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'text', 'text', 'finish', 'usage'],
  );
  const usage = events.at(-1)!;
  assert.ok(usage.type === 'usage' && usage.promptTokens === 3);
  assert.deepEqual(usage.receipt.notes, ['This is a recorded answer.']);
});

test('recorded streams go through the decoder of their API', async () => {
  const tools = [{ name: 'get_weather', description: null, parameters: null, strict: false }];
  const events = await collect(backendOf().backend.chat(chat('How is the weather?', { tools })));
  const call = events.find((event) => event.type === 'tool_call');
  assert.ok(call?.type === 'tool_call' && call.name === 'get_weather');
  const completion = await collect(
    backendOf().backend.complete({ ...chat(''), prompts: ['Once'], echo: false }),
  );
  assert.ok(completion.some((event) => event.type === 'text' && event.text === ' upon a time'));
  await assert.rejects(
    collect(backendOf().backend.chat(chat('cut me'))),
    (error) => error instanceof UpstreamError && error.failure === 'cut',
  );
});

test('recorded refusals are errors, and what was not recorded is refused by name', async () => {
  const { backend } = backendOf();
  await assert.rejects(
    collect(backend.chat(chat('busy?'))),
    (error) => error instanceof UpstreamError && error.retryAfterMs === 3000,
  );
  await assert.rejects(
    collect(backend.chat(chat('Something else'))),
    (error) => error instanceof InputError && error.code === 'not_recorded',
  );
  await assert.rejects(
    collect(backend.chat(chat('Hello', { model: 'other' }))),
    (error) => error instanceof InputError && error.code === 'model_not_found' && error.status === 404,
  );
});

test('recorded vectors are given as unit rows', async () => {
  const { backend } = backendOf();
  const signal = new AbortController().signal;
  const answer = await backend.embed({ model: 'recorded-embed', inputs: ['x'], truncate: false, signal });
  assert.deepEqual(
    [...answer.vectors].map((each) => each.toFixed(3)),
    ['0.600', '0.800'],
  );
  await assert.rejects(
    backend.embed({ model: 'recorded-embed', inputs: ['x', 'y'], truncate: false, signal }),
    (error) => error instanceof InputError && error.code === 'not_recorded',
  );
});

test('answers wait as long as recorded, and an abort ends the wait', async () => {
  const slow = JSON.parse(DEMO);
  for (const entry of slow.answers) entry.delayMs = 1000;
  const { backend, clock } = backendOf(JSON.stringify(slow));
  const stop = new AbortController();
  const answer = backend.chat(chat('Hello', { signal: stop.signal }))[Symbol.asyncIterator]();
  assert.equal((await answer.next()).value.type, 'start');
  const text = answer.next();
  await clock.advance(1000);
  assert.equal((await text).value.type, 'text');
  const aborted = answer.next();
  stop.abort();
  await assert.rejects(aborted, AbortedError);
});

test('a file that is none is refused with the place of its fault', () => {
  for (const [content, what] of [
    ['{', /demo\.json/],
    ['{"version":2}', /version/],
    [
      '{"version":1,"models":[{"id":"a"}],"answers":[{"match":{"mdel":"a"},"answer":{"events":[]}}]}',
      /answers\.0/,
    ],
  ] as const) {
    assert.throws(
      () => backendOf(content),
      (error) => error instanceof InputError && what.test(error.message),
    );
  }
});
