import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answer,
  createBench,
  deaf,
  fail,
  finish,
  route,
  say,
  scripted,
  start,
  usage,
  wait,
} from './testing/scripted.ts';

const outcomes = (attempts: readonly { backend: string; reason: string; outcome: string }[]) =>
  attempts.map(({ backend, reason, outcome }) => `${backend}: ${reason}, ${outcome}`);

test('of redundant asks the first that begins to answer wins, and the others are stopped before it is read', async () => {
  const bench = createBench();
  const slow = scripted('slow', bench.clock, [wait(500), ...answer('slow')]);
  const fast = scripted('fast', bench.clock, [wait(100), ...answer('fast')]);
  const never = scripted('never', bench.clock, [deaf]);
  const spare = scripted('spare', bench.clock, answer('spare'));
  const { text, attempts, ms } = await bench.ask(
    [slow, fast, never, spare].map((one) => route(one)),
    { redundancy: 3 },
  );
  assert.equal(text, 'fast');
  assert.equal(ms, 100);
  assert.deepEqual(outcomes(attempts), [
    'slow: first choice, lost',
    'fast: redundant, answered',
    'never: redundant, lost',
  ]);
  for (const one of [slow, fast, never]) assert.equal(one.open, 0);
  assert.deepEqual([slow.aborted, fast.aborted, never.aborted], [1, 0, 1]);
  assert.equal(spare.asked.length, 0);
  assert.equal(bench.clock.sleeping, 0);
  assert.equal(bench.conditions.of('never').breaker.failures, 0);
});

test('a redundant ask that fails draws the next backend; all failing is one error', async () => {
  const bench = createBench(1, { retries: 0 });
  const bad = ['x', 'y'].map((name) => scripted(name, bench.clock, [fail('down', 500)]));
  const good = scripted('z', bench.clock, answer('z'));
  assert.equal(
    (
      await bench.ask(
        [...bad, good].map((one) => route(one)),
        { redundancy: 2 },
      )
    ).text,
    'z',
  );
  const { error } = await bench.ask(
    bad.map((one) => route(one)),
    { redundancy: 2 },
  );
  assert.equal(error?.code, 'no_backend_answered');
  assert.equal(bench.clock.sleeping, 0);
});

test('a refusal of the content ends redundant asks too', async () => {
  const bench = createBench();
  const strict = scripted('strict', bench.clock, [fail('content_filter', 400)]);
  const lax = scripted('lax', bench.clock, [wait(100), ...answer('lax')]);
  for (const decide of ['first', 'agreement'] as const) {
    const { error, text } = await bench.ask([route(strict), route(lax)], { redundancy: 2, decide });
    assert.equal(error?.code, 'content_filter');
    assert.equal(text, '');
    assert.equal(lax.open, 0);
    assert.equal(bench.clock.sleeping, 0);
  }
});

test('one more backend is asked when the first is slower than it usually is', async () => {
  const bench = createBench();
  let pause = 100;
  const a = scripted('a', bench.clock, () => [start, wait(pause), say('a'), finish, usage]);
  const b = scripted('b', bench.clock, answer('b'));
  const routes = [route(a), route(b)];
  for (let ask = 0; ask < 20; ask++) {
    const { text } = await bench.ask(routes, { hedgeMs: 'auto' });
    assert.equal(text, 'a');
  }
  assert.equal(b.asked.length, 0);
  await bench.clock.advance(1000);
  pause = 5000;
  const { text, ms, attempts } = await bench.ask(routes, { hedgeMs: 'auto' });
  assert.equal(text, 'b');
  assert.ok(ms >= 93 && ms <= 107, String(ms));
  assert.deepEqual(outcomes(attempts), ['a: first choice, lost', 'b: hedge, answered']);
  assert.equal(a.open, 0);
  assert.equal(bench.clock.sleeping, 0);
});

test('hedges are paid from the retry budget', async () => {
  const bench = createBench(1, { budget: { deposit() {}, take: () => false, left: 0 } });
  const a = scripted('a', bench.clock, [start, wait(500), say('a'), finish, usage]);
  const b = scripted('b', bench.clock, answer('b'));
  assert.equal((await bench.ask([route(a), route(b)], { hedgeMs: 100 })).text, 'a');
  assert.equal(b.asked.length, 0);
});

test('with one backend lying, the answer that most give is the one, and the receipt says how many agreed', async () => {
  const bench = createBench();
  const liar = scripted('liar', bench.clock, answer('1914'));
  const one = scripted('one', bench.clock, [wait(50), ...answer('Born in  ', '1884')]);
  const two = scripted('two', bench.clock, [wait(90), ...answer('born IN 1884\n')]);
  const { text, notes, attempts, error } = await bench.ask(
    [liar, one, two].map((each) => route(each)),
    {
      redundancy: 3,
      decide: 'agreement',
    },
  );
  assert.equal(error, null);
  assert.equal(text, 'Born in  1884');
  assert.deepEqual(notes, ['2 of 3 backends agreed on this answer.']);
  assert.deepEqual(outcomes(attempts), [
    'liar: first choice, lost',
    'one: redundant, answered',
    'two: redundant, answered',
  ]);
  assert.equal(one.asked[0]!.sampler.temperature, 0);
  assert.equal(bench.clock.sleeping, 0);
});

test('agreement does not wait for a backend that could not change it, nor needs one that fails', async () => {
  const bench = createBench(1, { retries: 0 });
  const yes = ['p', 'q'].map((name) => scripted(name, bench.clock, answer('yes')));
  const never = scripted('never', bench.clock, [start, deaf]);
  const how = { redundancy: 3, decide: 'agreement' } as const;
  const early = await bench.ask(
    [...yes, never].map((one) => route(one)),
    how,
  );
  assert.equal(early.ms, 0);
  assert.equal(never.open, 0);
  const down = scripted('down', bench.clock, [fail('down', 500)]);
  const two = await bench.ask(
    [yes[0]!, yes[1]!, down].map((one) => route(one)),
    how,
  );
  assert.deepEqual(two.notes.at(-1), '2 of 3 backends agreed on this answer.');
  const no = scripted('no', bench.clock, answer('no'));
  const split = await bench.ask(
    [no, yes[0]!].map((one) => route(one)),
    { ...how, redundancy: 2 },
  );
  assert.equal(split.text, 'no');
  assert.deepEqual(split.notes, ['1 of 2 backends agreed on this answer.']);
  const lost = await bench.ask(
    [down].map((one) => route(one)),
    how,
  );
  assert.equal(lost.error?.code, 'down');
  assert.equal(bench.clock.sleeping, 0);
});

test('an answer that breaks off is no vote: its backend is replaced', async () => {
  const bench = createBench();
  const cut = scripted('cut', bench.clock, [start, say('ye')]);
  const spare = scripted('spare', bench.clock, answer('yes'));
  const yes = scripted('yes', bench.clock, answer('yes'));
  const { text, notes } = await bench.ask(
    [cut, yes, spare].map((one) => route(one)),
    {
      redundancy: 2,
      decide: 'agreement',
    },
  );
  assert.equal(text, 'yes');
  assert.equal(notes.at(-1), '2 of 2 backends agreed on this answer.');
});
