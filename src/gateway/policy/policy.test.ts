import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { KithError } from '../../base/index.ts';
import type { Balancing, Candidate, Needs } from './index.ts';
import { candidate, createBench, names, needs, nodes } from './testing/candidates.ts';

/** Opens the breaker of a backend. */
function breakDown({ conditions }: ReturnType<typeof createBench>, backend: string): void {
  const { breaker } = conditions.of(backend);
  for (let call = 0; call < 5; call++) breaker.settle(breaker.admit(), 'failure');
}

const a = candidate('a');

for (const [what, bad, need, code, reason] of [
  [
    'privacy',
    {},
    { privacy: (one: Candidate) => (one.backend.name === 'a' ? 'it logs prompts' : null) },
    'privacy_unmet',
    /it logs prompts/,
  ],
  ['region', { region: 'us' }, { regions: ['eu'] }, 'region_unmet', /region us is not among eu/],
  ['an unknown region', { region: null }, { regions: ['eu'] }, 'region_unmet', /unknown/],
  ['tools', { tools: false }, { tools: true }, 'capability_missing', /tools/],
  ['JSON', { json: false }, { json: true }, 'capability_missing', /JSON/],
  ['vision', { vision: false }, { vision: true }, 'capability_missing', /images/],
  ['context', { context: 100 }, { promptTokens: 100 }, 'context_length_exceeded', /100 tokens/],
  [
    'budget',
    { price: { prompt: 10, completion: 30 } },
    { budget: 0.001, promptTokens: 1000, completionTokens: 0 },
    'budget_exceeded',
    /0.010/,
  ],
  [
    'a spent budget of its own',
    {},
    { left: ({ backend }: Candidate) => (backend.name === 'a' ? 0 : null) },
    'budget_exceeded',
    /a budget for it is spent/,
  ],
  [
    'a budget of its own that is nearly spent',
    { price: { prompt: 1, completion: 1 } },
    {
      budget: 1,
      left: ({ backend }: Candidate) => (backend.name === 'a' ? 0.0001 : null),
      promptTokens: 1000,
      completionTokens: 0,
    },
    'budget_exceeded',
    /0\.0001 is left/,
  ],
  ['an unknown price', { price: null }, { budget: 1 }, 'budget_exceeded', /price is not known/],
] as const) {
  test(`${what} keeps a candidate out, with the reason, and the refusal names it`, () => {
    const { policy } = createBench();
    const out = { ...a, ...bad } as Candidate;
    const fine = candidate('fine', { region: 'eu' });
    const asked = needs(need as Partial<Needs>);
    assert.deepEqual(names(policy.decide([out, fine], asked)), ['fine']);
    const row = policy.explain([out, fine], asked).candidates.find(({ backend }) => backend === 'a')!;
    assert.match(row.why, reason);
    assert.equal(row.rank, null);
    assert.equal(row.score, null);
    assert.throws(() => policy.decide([out], asked), { code });
    assert.equal(policy.explain([out], asked).chosen, null);
  });
}

test('an open breaker and a pause keep a candidate out, and the refusal says when to come back', async () => {
  const bench = createBench();
  breakDown(bench, 'a');
  bench.conditions.of('b').cool(7000);
  const both = [a, candidate('b')];
  assert.throws(() => bench.policy.decide(both, needs()), {
    code: 'backends_unavailable',
    status: 503,
    retryAfter: 7,
  });
  await bench.clock.advance(7000);
  assert.deepEqual(names(bench.policy.decide(both, needs())), ['b']);
  await bench.clock.advance(53_000);
  assert.equal(bench.policy.decide(both, needs()).length, 2);
});

test('the refusal is that of the candidate that came nearest, and without candidates there is no such model', () => {
  const bench = createBench();
  breakDown(bench, 'a');
  const rows = [a, candidate('b', { tools: false })];
  assert.throws(() => bench.policy.decide(rows, needs({ tools: true })), { code: 'backends_unavailable' });
  assert.throws(() => bench.policy.decide([], needs()), { code: 'no_backend', status: 404 });
});

test("the owner's order decides while all is well; errors cost places, a failure the place at once", async () => {
  const bench = createBench();
  const rows = [
    candidate('one', { order: 0 }),
    candidate('two', { order: 1 }),
    candidate('three', { order: 2 }),
  ];
  assert.deepEqual(names(bench.policy.decide(rows, needs())), ['one', 'two', 'three']);
  const { conditions, clock } = bench;
  conditions.of('two').firstToken(1);
  conditions.of('one').firstToken(60_000);
  assert.equal(names(bench.policy.decide(rows, needs()))[0], 'one', 'slowness alone takes no place');
  await clock.advance(100_000);
  conditions.of('one').firstToken(100);
  conditions.of('one').begin();
  conditions.of('one').end('failure');
  assert.deepEqual(names(bench.policy.decide(rows, needs())), ['two', 'three', 'one']);
  conditions.of('one').probed(true);
  assert.equal(
    names(bench.policy.decide(rows, needs()))[0],
    'one',
    'one failure in five calls is not enough',
  );
  for (let call = 0; call < 3; call++) {
    conditions.of('one').begin();
    conditions.of('one').end('failure');
  }
  conditions.of('one').probed(true);
  assert.notEqual(names(bench.policy.decide(rows, needs()))[0], 'one');
  await clock.advance(60_000);
  assert.equal(names(bench.policy.decide(rows, needs()))[0], 'one', 'errors are forgotten');
});

test('with a weight on cost the cheaper one is asked first', () => {
  const rows = [
    candidate('dear', { order: 0, price: { prompt: 10, completion: 30 } }),
    candidate('cheap', { order: 1, price: { prompt: 0.1, completion: 0.3 } }),
  ];
  const need = needs({ promptTokens: 2000, completionTokens: 500 });
  assert.equal(names(createBench().policy.decide(rows, need))[0], 'dear');
  assert.equal(names(createBench({ weights: { cost: 1 } }).policy.decide(rows, need))[0], 'cheap');
});

test('a conversation keeps its node, moves up in quality and not down', () => {
  const { policy, conditions } = createBench();
  const rows = nodes(4);
  const talk = needs({ conversation: 'c' });
  const first = policy.decide(rows, talk)[0]!;
  policy.remember('c', first);
  for (let ask = 0; ask < 10; ask++) assert.equal(policy.decide(rows, talk)[0], first);
  assert.match(policy.explain(rows, talk).candidates[0]!.why, /conversation/);
  const high = candidate('high', { quality: 2, order: 0 });
  const low = candidate('low', { quality: 1, order: 1 });
  assert.equal(policy.decide([high, low], talk)[0], high, 'up');
  policy.remember('c', high);
  assert.deepEqual(names(policy.decide([low, high], talk)), ['high', 'low'], 'not down');
  breakDown({ policy, conditions } as never, 'high');
  assert.deepEqual(names(policy.decide([low, high], talk)), ['low'], 'down only when nothing else is left');
  policy.remember('c', low);
  conditions.of('high').breaker.reset();
  conditions.of('high').probed(true);
  assert.equal(policy.decide([low, high], talk)[0], high, 'and up again');
});

test('a node that failed is left even by the conversations that kept to it', () => {
  const { policy, conditions } = createBench();
  const rows = nodes(2);
  policy.remember('c', rows[0]!);
  conditions.of('n0').probed(false);
  assert.equal(policy.decide(rows, needs({ conversation: 'c' }))[0], rows[1]);
});

test('no more conversations are remembered than allowed, and the one not used for longest goes first', () => {
  const { policy } = createBench({ conversations: 100 });
  for (let talk = 0; talk < 1000; talk++) policy.remember(`c${talk % 150}`, a);
  assert.equal(policy.stickiness.size, 100);
  policy.remember('x'.repeat(300), a);
  assert.equal(policy.stickiness.of('x'.repeat(300)), null);
  policy.stickiness.forget('c0');
  assert.equal(policy.stickiness.of('c0'), null);
});

test('every explanation is what the next decision is, each candidate has its place or its reason', () => {
  const row = fc.record({
    group: fc.constantFrom('g', 'h', 'i'),
    order: fc.nat(3),
    quality: fc.nat(2),
    tools: fc.boolean(),
    context: fc.constantFrom(null, 10, 1000),
    failures: fc.nat(6),
    inFlight: fc.nat(3),
    latency: fc.nat(5000),
  });
  const ask = fc.record({
    tools: fc.boolean(),
    promptTokens: fc.constantFrom(null, 5, 500),
    conversation: fc.constantFrom(null, 'c', 'd'),
  });
  const kinds = fc.constantFrom<Balancing>('round-robin', 'least-connections', 'random', 'latency');
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 6 }),
      fc.array(ask, { minLength: 1, maxLength: 8 }),
      kinds,
      fc.nat(),
      (rows, asks, balancing, seed) => {
        const { policy, conditions } = createBench({ balancing }, seed);
        const candidates = rows.map(({ failures, inFlight, latency, ...facts }, index) => {
          const condition = conditions.of(`b${index}`);
          for (let call = 0; call < failures; call++) {
            condition.begin();
            condition.breaker.settle(condition.breaker.admit(), 'failure');
            condition.end('failure');
          }
          for (let call = 0; call < inFlight; call++) condition.begin();
          if (latency > 0) condition.firstToken(latency);
          return candidate(`b${index}`, facts);
        });
        for (const options of asks) {
          const need = needs(options);
          const explanation = policy.explain(candidates, need);
          assert.deepEqual(policy.explain(candidates, need), explanation, 'explaining uses nothing up');
          assert.equal(explanation.candidates.length, candidates.length);
          for (const line of explanation.candidates) {
            assert.equal(line.excluded === null, line.rank !== null);
            assert.ok(line.why.length > 0);
            if (line.excluded === null) {
              const parts = Object.values(line.parts!);
              assert.ok(parts.every((part) => part >= 0 && part <= 1));
              assert.ok(Number.isFinite(line.score!));
            }
          }
          const told = explanation.candidates
            .filter(({ rank }) => rank !== null)
            .map(({ backend }) => backend);
          if (told.length === 0) {
            assert.throws(
              () => policy.decide(candidates, need),
              (error: KithError) => error.details.refusal === true,
            );
            continue;
          }
          const decided = policy.decide(candidates, need);
          assert.deepEqual(names(decided), told);
          policy.remember(need.conversation, decided[0]!);
        }
      },
    ),
    { numRuns: 300 },
  );
});
