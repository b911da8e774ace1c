import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, KithError, silentLogger } from '../../base/index.ts';
import type { ChatEvent } from '../types.ts';
import { type AnswerCacheOptions, cacheNoteOf, createAnswerCache } from './cache.ts';
import { createSqliteStore } from './sqlite-store.ts';
import { collect, eventsOf, request, scope, textOf } from './testing/examples.ts';
import type { Embedder } from './types.ts';

const HOUR = 3_600_000;

function setup(changes: Partial<AnswerCacheOptions> = {}) {
  const clock = createManualClock();
  const store = createSqliteStore({ path: ':memory:', maxBytes: 1 << 20, clock, log: silentLogger });
  const cache = createAnswerCache({ store, clock, log: silentLogger, ...changes });
  let calls = 0;
  /** Answers with the number of the call. */
  const ask = async function* (): AsyncGenerator<ChatEvent> {
    calls++;
    yield* eventsOf('answer ', String(calls));
  };
  return { clock, store, cache, ask, calls: () => calls };
}

function noteOf(events: readonly ChatEvent[]) {
  const usage = events.at(-1)!;
  return usage.type === 'usage' ? cacheNoteOf(usage.receipt) : null;
}

test('the same question is answered once, and the second time the receipt says so', async () => {
  const { clock, cache, ask, calls } = setup();
  const first = await collect(cache.answer(request(), scope, ask));
  assert.equal(noteOf(first), null);
  await clock.advance(1500);
  const second = await collect(cache.answer(request(), scope, ask));
  assert.equal(textOf(second), textOf(first));
  assert.deepEqual(noteOf(second), { status: 'hit', ageMs: 1500, savedTokens: 9 });
  assert.equal(calls(), 1);
  const { hits, misses, stored, savedTokens, entries } = await cache.stats();
  assert.deepEqual(
    { hits, misses, stored, savedTokens, entries },
    { hits: 1, misses: 1, stored: 1, savedTokens: 9, entries: 1 },
  );
});

test('callers do not get the answers of each other', async () => {
  const { cache, ask, calls } = setup();
  await collect(cache.answer(request(), scope, ask));
  await collect(cache.answer(request(), { ...scope, tenant: 'key-2' }, ask));
  assert.equal(calls(), 2);
});

test('at the highest privacy level, or with a temperature, nothing is kept or looked up', async () => {
  const { cache, ask, calls } = setup();
  const warm = request({ sampler: { temperature: 0.7 } });
  for (let i = 0; i < 2; i++) {
    await collect(cache.answer(request(), { ...scope, privacy: 'maximum', optIn: true }, ask));
    await collect(cache.answer(warm, scope, ask));
  }
  assert.equal(calls(), 4);
  const { bypassed, entries } = await cache.stats();
  assert.deepEqual({ bypassed, entries }, { bypassed: 4, entries: 0 });
  for (let i = 0; i < 2; i++) await collect(cache.answer(warm, { ...scope, optIn: true }, ask));
  assert.equal(calls(), 5);
});

test('an answer past its time is asked for anew, and is still there as the last good one', async () => {
  const { clock, cache, ask, calls } = setup();
  const weather = request({ messages: [{ role: 'user', content: 'How is the weather?' }] });
  await collect(cache.answer(weather, scope, ask));
  await clock.advance(HOUR - 1);
  await collect(cache.answer(weather, scope, ask));
  assert.equal(calls(), 1);
  await clock.advance(1);
  const broken = () => {
    throw new KithError('upstream_lost', 'It is away.', { status: 502 });
  };
  await assert.rejects(collect(cache.answer(weather, scope, broken)), { code: 'upstream_lost' });
  const last = (await cache.lastGood(cache.key(weather, scope)!))!;
  assert.equal(textOf(last.events), 'answer 1');
  assert.equal(last.ageMs, HOUR);
  assert.deepEqual(noteOf(last.events), { status: 'stale', ageMs: HOUR, savedTokens: 9 });
  assert.equal(textOf(await collect(cache.answer(weather, scope, ask))), 'answer 2');
  assert.equal(textOf((await cache.lastGood(cache.key(weather, scope)!))!.events), 'answer 2');
  assert.equal(await cache.lastGood(cache.key(request(), scope)!), null);
  const { stale, expired, failed } = await cache.stats();
  assert.deepEqual({ stale, expired, failed }, { stale: 1, expired: 2, failed: 1 });
});

test('equal questions at the same time are one call; each receipt says whether it was shared', async () => {
  const { cache, ask, calls } = setup();
  const runs = await Promise.all(
    Array.from({ length: 5 }, () => collect(cache.answer(request(), scope, ask))),
  );
  assert.equal(calls(), 1);
  assert.deepEqual(
    runs.map((events) => [textOf(events), noteOf(events)?.status ?? null]),
    [['answer 1', null], ...Array.from({ length: 4 }, () => ['answer 1', 'shared'])],
  );
  const { shared, misses, inFlight } = await cache.stats();
  assert.deepEqual({ shared, misses, inFlight }, { shared: 4, misses: 1, inFlight: 0 });
});

test('a caller who leaves ends the call only when nobody else waits; half an answer is not kept', async () => {
  const { cache } = setup();
  let aborted = 0;
  const endless = async function* (signal: AbortSignal): AsyncGenerator<ChatEvent> {
    signal.addEventListener('abort', () => aborted++);
    yield* eventsOf().slice(0, 1);
    for (;;) yield { type: 'text', choice: 0, text: 'x', logprobs: null };
  };
  const [first, second] = [1, 2].map(() => cache.answer(request(), scope, endless)[Symbol.asyncIterator]());
  await first!.next();
  await second!.next();
  await first!.return!();
  assert.equal(aborted, 0);
  await second!.next();
  await second!.return!();
  assert.equal(aborted, 1);
  const { failed, entries } = await cache.stats();
  assert.deepEqual({ failed, entries }, { failed: 0, entries: 0 });
});

test('a failure is not kept and goes to all who wait', async () => {
  const { cache, ask } = setup();
  let calls = 0;
  const failing = async function* (): AsyncGenerator<ChatEvent> {
    calls++;
    yield* eventsOf('a').slice(0, 2);
    throw new KithError('engine_lost', 'It died.');
  };
  const runs = await Promise.allSettled(
    [1, 2, 3].map(() => collect(cache.answer(request(), scope, failing))),
  );
  assert.ok(runs.every((run) => run.status === 'rejected' && run.reason.code === 'engine_lost'));
  assert.equal(calls, 1);
  assert.equal(textOf(await collect(cache.answer(request(), scope, ask))), 'answer 1');
});

test('requests with another time limit do not share a call, but share what was kept', async () => {
  const { cache, ask, calls } = setup();
  const runs = [1000, 2000].map((timeoutMs) => collect(cache.answer(request({ timeoutMs }), scope, ask)));
  await Promise.all(runs);
  assert.equal(calls(), 2);
  await collect(cache.answer(request({ timeoutMs: 3000 }), scope, ask));
  assert.equal(calls(), 2);
});

test('what is cleared is not answered again, nor is what was under way when it was cleared', async () => {
  const { cache, ask, calls } = setup();
  await collect(cache.answer(request(), scope, ask));
  assert.equal(await cache.clear({ model: 'other' }), 0);
  assert.equal(await cache.clear({ model: 'small' }), 1);
  const under = cache.answer(request(), scope, ask)[Symbol.asyncIterator]();
  await under.next();
  await cache.clear();
  while ((await under.next()).done !== true);
  await cache.settled();
  assert.equal((await cache.stats()).entries, 0);
  await collect(cache.answer(request(), scope, ask));
  assert.equal(calls(), 3);
});

/** Vectors by hand: texts with the same first letter are near. */
const embedder: Embedder = {
  model: 'letters',
  async embed(texts) {
    return texts.map((text) => {
      const vector = new Float32Array(64);
      vector[text.toLowerCase().charCodeAt(0) % 64] = 1;
      return vector;
    });
  },
};
const ask2 = (content: string) => request({ messages: [{ role: 'user', content }] });

test('a question that means the same is answered from the cache for those who allow it, by topic', async () => {
  const { cache, ask, calls } = setup({ similar: { embedder, dimension: 64 } });
  const allowing = { ...scope, similar: true };
  await collect(cache.answer(ask2('Who was born in 1884?'), allowing, ask));
  const second = await collect(cache.answer(ask2('Who, please, was born in 1884?'), allowing, ask));
  assert.deepEqual([calls(), noteOf(second)?.status], [1, 'similar']);
  assert.equal(noteOf(second)?.similarity, 1);
  const third = await collect(cache.answer(ask2('Who was born in 1884?'), allowing, ask));
  assert.equal('similarity' in noteOf(third)!, false, 'the very question is no similar one');
  const others = [
    [ask2('Who was born in 1914?'), allowing],
    [ask2('Who was not born in 1884?'), allowing],
    [ask2('Who, well, was born in 1884?'), scope],
    [ask2('Who, well, was born in 1884?'), { ...allowing, tenant: 'key-2' }],
    [ask2('Who, well, was born in 1884?'), { ...allowing, privacy: 'medium' }],
    [ask2('Who, well, was born in 1884?'), { ...allowing, model: 'large' }],
    [{ ...ask2('Who, well, was born in 1884?'), maxTokens: 50 }, allowing],
    [{ ...ask2('Who, well, was born in 1884?'), n: 2 }, allowing],
  ] as const;
  for (const [index, [question, who]] of others.entries()) {
    await collect(cache.answer(question, who, ask));
    assert.equal(calls(), index + 2);
  }
  await cache.clear();
  await collect(cache.answer(ask2('Who, please, was born in 1884?'), allowing, ask));
  assert.equal(calls(), others.length + 2);
});

test('an embedder that fails costs the comparison, not the answer', async () => {
  const failing: Embedder = { model: 'none', embed: async () => Promise.reject(new Error('no model')) };
  const { cache, ask } = setup({ similar: { embedder: failing, dimension: 64 } });
  const events = await collect(cache.answer(ask2('Who are you?'), { ...scope, similar: true }, ask));
  assert.equal(textOf(events), 'answer 1');
});
