/** Two hundred schemas on a chat model at temperatures 0 and 1, and a few on TinyLlama. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { createEngine, type Engine } from '../../src/engine/index.ts';
import { testModel } from '../models/index.ts';
import { checkCases } from '../structured/answers.ts';
import { CASES } from '../structured/cases.ts';

let engine: Engine;

before(async () => {
  engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: createSeededRandom(1),
    threads: 1,
    device: 'cpu',
    maxActive: 8,
    context: 512,
  });
  await engine.load({ id: 'stories', path: await testModel('stories15m-q8_0') });
  await engine.load({ id: 'minimind', path: await testModel('minimind2-q8_0') });
});

after(() => engine[Symbol.asyncDispose]());

for (const model of ['stories', 'minimind']) {
  for (const temperature of [0, 1]) {
    test(`200 schemas give valid answers on ${model} at temperature ${temperature}`, async (context) => {
      const outcome = await checkCases(engine, model, CASES, { temperature, maxTokens: 300, atOnce: 8 });
      context.diagnostic(JSON.stringify(outcome));
      assert.ok(outcome.finished > 150, `${outcome.finished}`);
    });
  }
}

test('and so does TinyLlama, on every tenth', async (context) => {
  await engine.load({ id: 'tinyllama', path: await testModel('tinyllama') });
  const some = CASES.filter((_, index) => index % 10 === 0);
  const outcome = await checkCases(engine, 'tinyllama', some, { temperature: 1, maxTokens: 80, atOnce: 4 });
  context.diagnostic(JSON.stringify(outcome));
  assert.ok(outcome.finished > 12, `${outcome.finished}`);
});
