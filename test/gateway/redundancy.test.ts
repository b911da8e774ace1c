/**
 * The same question to several servers at once: the first good answer, the one that most agree on, and one more server
 * asked when the first is slow. What became of each is printed.
 */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { createManualClock } from '../../src/base/index.ts';
import { type Answerer, createAnswerer } from './answerer.ts';
import { type Answer, ask, FORMS, isWhole, openGateway, row, until } from './support.ts';

const servers: Answerer[] = [];

beforeEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
  for (const name of ['one', 'two', 'three']) servers.push(await createAnswerer(name));
});
after(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

const right = ['Paris ', 'is ', 'the ', 'capital.'];
const open = (options: Parameters<typeof openGateway>[1] = {}) =>
  openGateway(
    servers.map(({ name, base }) => ({ name, base, group: 'all' })),
    options,
  );
const all = { 'x-kith-redundancy': '3', 'x-kith-decide': 'agreement' };
const outcomes = ({ receipt }: Answer) =>
  receipt!.route.attempts.map(({ backend, outcome }) => `${backend} ${outcome}`).join(', ');

row('redundancy', 'answer from', 'attempts', 'notes');
row('---', '---', '---', '---');
const printed = (name: string, answer: Answer) =>
  row(name, answer.receipt!.backend, outcomes(answer), answer.receipt!.notes.join(' '));

for (const form of FORMS) {
  for (const liar of [0, 1, 2]) {
    test(`${form}: where server ${liar + 1} of three lies, what the others agree on is the answer`, async () => {
      for (const server of servers) server.answer = () => right;
      servers[liar]!.answer = () => ['Lyon.'];
      await using bench = await open();
      const answer = await ask(bench.url, { form, headers: all });
      printed(`${servers[liar]!.name} lies, ${form}`, answer);
      isWhole(answer, right.join(''));
      const { notes, route } = answer.receipt!;
      assert.notEqual(answer.receipt!.backend, servers[liar]!.name);
      assert.match(notes.join(' '), /2 of 3 backends agreed/);
      assert.equal(route.attempts.length, 3);
      assert.ok(servers.every(({ asked }) => asked === 1));
      assert.equal(bench.inFlight, 0);
      // To lie is no failure of a server: it may be right the next time.
      assert.ok(bench.gateway.backends().every(({ breaker }) => breaker.failures === 0));
    });
  }
}

test('agreement does not wait for a third whose answer changes nothing, nor fail with one that is dead', async () => {
  for (const server of servers) server.answer = () => right;
  let left = () => {};
  servers[2]!.answer = () => new Promise((resolve) => (left = () => resolve([])));
  await using bench = await open();
  const hung = await ask(bench.url, { headers: all });
  printed('three hangs', hung);
  isWhole(hung, right.join(''));
  assert.match(hung.receipt!.notes.join(' '), /2 of 3 backends agreed/);
  await until(() => servers[2]!.left === 1);
  left();
  await servers[2]!.kill();
  const dead = await ask(bench.url, { headers: all });
  printed('three is dead', dead);
  isWhole(dead, right.join(''));
  assert.match(dead.receipt!.notes.join(' '), /'three' was asked too and did not answer/);
  assert.equal(bench.inFlight, 0);
});

test('of redundant asks the first good answer counts, and the others are stopped', async () => {
  const held: (() => void)[] = [];
  for (const server of [servers[0]!, servers[2]!])
    server.answer = () => new Promise((resolve) => held.push(() => resolve(right)));
  servers[1]!.answer = () => right;
  await using bench = await open();
  for (const form of FORMS) {
    const answer = await ask(bench.url, { form, headers: { 'x-kith-redundancy': '3' } });
    printed(`two is first, ${form}`, answer);
    isWhole(answer, right.join(''));
    assert.equal(answer.receipt!.backend, 'two');
  }
  await until(() => servers[0]!.left === 2 && servers[2]!.left === 2);
  for (const one of held) one();
  assert.equal(bench.inFlight, 0);
});

test('a hedge answers when the first is slow, and is not asked when it is not', async () => {
  const clock = createManualClock();
  let held = () => {};
  servers[0]!.answer = () => new Promise((resolve) => (held = () => resolve(right)));
  servers[1]!.answer = () => right;
  await using bench = await open({ clock, policy: { hedgeMs: 200 } });
  const pending = ask(bench.url, { form: 'stream' });
  await until(() => servers[0]!.open === 1);
  await clock.advance(199);
  assert.equal(servers[1]!.asked, 0);
  await clock.advance(1);
  const answer = await pending;
  printed('one is slow, hedged after 200 ms', answer);
  isWhole(answer, right.join(''));
  assert.equal(answer.receipt!.backend, 'two');
  assert.deepEqual(
    answer.receipt!.route.attempts.map(({ reason }) => reason),
    ['first choice', 'hedge'],
  );
  await until(() => servers[0]!.left === 1);
  held();
  servers[2]!.answer = () => right;
  // Turn of the second: it answers at once.
  const quick = await ask(bench.url);
  printed('two is quick', quick);
  assert.deepEqual([quick.receipt!.backend, quick.receipt!.route.attempts.length], ['two', 1]);
  assert.equal(bench.inFlight, 0);
  assert.equal(clock.sleeping, 0);
});
