import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, isKithError, silentLogger, systemClock } from '../src/base/index.ts';
import { createEngine, type Engine, type GenerateRequest } from '../src/engine/index.ts';
import { testModel } from './models/index.ts';
import { checkCases, write } from './structured/answers.ts';
import { CASES } from './structured/cases.ts';

let engine: Engine;

before(async () => {
  engine = createEngine({
    log: silentLogger,
    clock: systemClock,
    random: createSeededRandom(1),
    threads: 1,
    device: 'cpu',
    maxActive: 8,
    kvCells: 256,
  });
  await engine.load({ id: 'tiny', path: await testModel('stories15m-q8_0') });
});

after(() => engine[Symbol.asyncDispose]());

const request = (changes: Partial<GenerateRequest>): GenerateRequest => ({
  model: 'tiny',
  prompt: { kind: 'text', text: 'Once upon a time' },
  sampler: { temperature: 1, seed: 5, topK: 0, topP: 1, minP: 0 },
  maxTokens: 200,
  stop: [],
  ...changes,
});
const schema = (value: unknown): Partial<GenerateRequest> => ({
  grammar: { kind: 'json_schema', schema: value },
});

test('the same seed gives the same answer, and log probabilities are those of the model', async () => {
  // First of all and computed anew: cached prefixes, and cells that others left out of order, round otherwise.
  const ask = request({ ...schema({ type: 'string', maxLength: 30 }), cachePrompt: false });
  assert.deepEqual(await write(engine, ask), await write(engine, ask));
  for await (const event of engine.generate({ ...ask, sampler: { ...ask.sampler, topLogprobs: 2 } })) {
    if (event.type !== 'text') continue;
    for (const { logprob } of event.logprobs ?? []) assert.ok(Number.isFinite(logprob) && logprob <= 0);
  }
});

test('all of 200 schemas give valid answers at temperature 1, more at once than the cache holds', async (context) => {
  const { finished, cut, tokens } = await checkCases(engine, 'tiny', CASES, {
    temperature: 1,
    maxTokens: 160,
    atOnce: 16,
  });
  context.diagnostic(`${finished} finished, ${cut} cut by maxTokens, ${tokens} tokens`);
  assert.ok(finished > 180, `${finished}`);
  const [model] = (await engine.status()).models;
  assert.ok(Number(model?.counters.preemptions) > 0, 'no sequence lost its cells');
});

test('the model cannot end before the answer is complete, and the answer ends by itself', async () => {
  const wantsToEnd = { temperature: 0, logitBias: [[2, 100]] as [number, number][] };
  const bounds = schema({ type: 'array', items: { type: 'boolean' }, minItems: 3, maxItems: 3 });
  const closed = await write(engine, request({ ...bounds, sampler: wantsToEnd }));
  assert.equal(closed.reason, 'stop');
  assert.equal((JSON.parse(closed.text) as unknown[]).length, 3);
  // A number can always go on; here the end token decides, as soon as it may.
  const number = await write(
    engine,
    request({ ...schema({ type: 'integer', minimum: 100 }), sampler: wantsToEnd }),
  );
  assert.equal(number.reason, 'stop');
  assert.match(number.text, /^\d{3}$/);
  const never = { temperature: 0, logitBias: [[2, -100]] as [number, number][] };
  const done = await write(engine, request({ ...schema({ const: 'done' }), sampler: never }));
  assert.deepEqual([done.text, done.reason], ['"done"', 'stop']);
});

test('maxTokens cuts with finish length, a stop string with finish stop', async () => {
  const long = schema({ type: 'string', minLength: 400 });
  const cut = await write(engine, request({ ...long, maxTokens: 5 }));
  assert.deepEqual([cut.reason, cut.tokens], ['length', 5]);
  const stopped = await write(engine, request({ ...schema({ const: 'one two three' }), stop: [' two'] }));
  assert.deepEqual([stopped.text, stopped.reason], ['"one', 'stop']);
});

test('expressions and sequences hold as schemas do', async () => {
  const regex = await write(
    engine,
    request({ grammar: { kind: 'regex', pattern: '(yes|no): [a-z]{5}\\.' } }),
  );
  assert.match(regex.text, /^(yes|no): [a-z]{5}\.$/);
  const parts = await write(
    engine,
    request({
      grammar: {
        kind: 'sequence',
        parts: [
          { kind: 'literal', text: 'call ' },
          { kind: 'json_schema', schema: { type: 'boolean' } },
        ],
      },
    }),
  );
  assert.match(parts.text, /^call (true|false)$/);
});

test('what cannot be held to is refused before anything is generated', async () => {
  const refused = async (changes: Partial<GenerateRequest>): Promise<string> => {
    try {
      await write(engine, request(changes));
    } catch (error) {
      assert.ok(isKithError(error), String(error));
      return error.code;
    }
    return 'nothing';
  };
  assert.equal(await refused(schema({ type: 'string', format: 'jwt' })), 'schema_unsupported');
  assert.equal(await refused(schema(false)), 'schema_unsatisfiable');
  assert.equal(await refused({ grammar: { kind: 'ebnf' } as never }), 'grammar_invalid');
});
