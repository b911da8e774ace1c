/**
 * `node src/gateway/cache/testing/bench.ts`: what the cache costs. Medians of 9 rounds, with the fastest and slowest.
 *
 * @module gateway/cache/testing/bench
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeededRandom, silentLogger, systemClock } from '../../../base/index.ts';
import { createAnswerCache } from '../cache.ts';
import { DEFAULT_THRESHOLDS } from '../intent.ts';
import { answerKey } from '../key.ts';
import { createSemanticIndex } from '../semantic.ts';
import { createSqliteStore } from '../sqlite-store.ts';
import { collect, eventsOf, keyNamed, request, scope } from './examples.ts';

const ROUNDS = 9;

async function measure(name: string, unit: 'µs' | 'ms', times: number, work: () => unknown): Promise<void> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < times; i++) await work();
    // The first round warms up.
    if (round > 0) rounds.push((performance.now() - start) / times);
  }
  rounds.sort((a, b) => a - b);
  const shown = [rounds[ROUNDS >> 1]!, rounds[0]!, rounds.at(-1)!].map((ms) =>
    (unit === 'µs' ? ms * 1000 : ms).toFixed(unit === 'µs' ? 1 : 2).padStart(8),
  );
  console.log(`${name.padEnd(34)}${shown[0]} ${unit}   (${shown[1]!.trim()} to ${shown[2]!.trim()})`);
}

function sized(bytes: number) {
  const turn = 'The quick brown fox jumps over the lazy dog. ';
  const content = turn.repeat(Math.ceil(bytes / turn.length)).slice(0, bytes);
  return request({ messages: [{ role: 'user', content }] });
}

const folder = mkdtempSync(join(tmpdir(), 'kith-cache-bench-'));
try {
  for (const kib of [1, 32]) {
    const asked = sized(kib * 1024);
    await measure(`key, ${kib} KiB prompt`, 'µs', 2000, () => answerKey(asked, scope));
  }
  const store = createSqliteStore({
    path: join(folder, 'answers.db'),
    maxBytes: 64 * 2 ** 20,
    clock: systemClock,
    log: silentLogger,
  });
  await using cache = createAnswerCache({ store, clock: systemClock, log: silentLogger });
  const ask = async function* () {
    yield* eventsOf('x'.repeat(800));
  };
  const asked = sized(1024);
  await collect(cache.answer(asked, scope, ask));
  await measure('hit, 1 KiB prompt, 0.8 KB answer', 'µs', 500, () =>
    collect(cache.answer(asked, scope, ask)),
  );
  let n = 0;
  await measure('miss and keep', 'µs', 100, async () => {
    const fresh = request({ messages: [{ role: 'user', content: `question ${n++}` }] });
    await collect(cache.answer(fresh, scope, ask));
    await cache.settled();
  });
  const uncached = request({ sampler: { temperature: 0.7 }, messages: asked.messages });
  await measure('not cacheable', 'µs', 2000, () => collect(cache.answer(uncached, scope, ask)));

  const dimension = 384;
  const random = createSeededRandom(1);
  const vector = () => {
    const raw = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
    const norm = Math.hypot(...raw);
    return raw.map((value) => value / norm);
  };
  const index = createSemanticIndex({ dimension, maxEntries: 10_000, thresholds: DEFAULT_THRESHOLDS });
  for (let i = 0; i < 10_000; i++) {
    index.add({ topic: 't', text: `who is number ${i}`, vector: vector() }, keyNamed(String(i)));
  }
  const question = { topic: 't', text: 'who is number 5', vector: vector() };
  await measure('nearest of 10,000 x 384', 'ms', 10, () => index.find(question));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
