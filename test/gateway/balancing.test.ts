/**
 * How requests are spread over servers that count them, and what becomes of a server that dies and comes back under
 * load. Figures are printed.
 */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { createManualClock, createSeededRandom } from '../../src/base/index.ts';
import type { GatewayOptions } from '../../src/gateway/index.ts';
import { type Answerer, createAnswerer } from './answerer.ts';
import { ask, isWhole, openGateway, type Place, row, until } from './support.ts';

const servers: Answerer[] = [];

beforeEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
  for (const name of ['one', 'two', 'three']) servers.push(await createAnswerer(name));
});
after(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

const place = ({ name, base }: Answerer): Place => ({ name, base, group: 'all' });
const open = (options: Partial<GatewayOptions> = {}) => openGateway(servers.map(place), options);
const counts = () => servers.map(({ asked }) => asked);

async function inTurn(url: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) isWhole(await ask(url, { prompt: 'Hi there' }), 'Hi there');
}

/** Answers of a server come when `release` says so. */
function gate(server: Answerer): { release(): void } {
  const gates: (() => void)[] = [];
  server.answer = ({ question }) =>
    new Promise((resolve) => gates.push(() => resolve(question.split(/(?<= )/))));
  return {
    release() {
      for (const one of gates.splice(0)) one();
    },
  };
}

row('balancing', 'asks', 'one', 'two', 'three');
row('---', '---', '---', '---', '---');

test('round-robin asks each in turn', async () => {
  await using bench = await open({ policy: { balancing: 'round-robin' } });
  for (let round = 1; round <= 20; round++) {
    await inTurn(bench.url, 3);
    assert.deepEqual(counts(), [round, round, round]);
  }
  row('round-robin', 60, ...counts());
});

test('least-connections asks the one with the fewest calls under way', async () => {
  await using bench = await open({ policy: { balancing: 'least-connections' } });
  const slow = gate(servers[0]!);
  const held = ask(bench.url, { prompt: 'Hi there' });
  await until(() => servers[0]!.open === 1);
  await inTurn(bench.url, 30);
  row('least-connections, one holds its call', 31, ...counts());
  assert.deepEqual(counts(), [1, 15, 15]);
  slow.release();
  isWhole(await held, 'Hi there');

  const gates = servers.map(gate);
  const before = counts();
  const many = Array.from({ length: 30 }, () => ask(bench.url));
  await until(() => servers.reduce((sum, { open: now }) => sum + now, 0) === 30);
  const spread = counts().map((count, index) => count - before[index]!);
  row('least-connections, 30 at once', 30, ...spread);
  assert.deepEqual(spread, [10, 10, 10]);
  for (const one of gates) one.release();
  await Promise.all(many);
});

test('random asks as its seed says, each with the same chance', async () => {
  const expected = [0, 0, 0];
  const random = createSeededRandom(7);
  // Two numbers are drawn for each decision; the first decides.
  for (let time = 0; time < 120; time++) {
    expected[Math.floor(random.float() * 3)]!++;
    random.float();
  }
  await using bench = await open({ policy: { balancing: 'random' }, random: createSeededRandom(7) });
  await inTurn(bench.url, 120);
  row('random, seed 7', 120, ...counts());
  assert.deepEqual(counts(), expected);
  assert.ok(counts().every((count) => count >= 25));
});

test('latency leaves a slow server quickly, and comes back to it when it is fast again', async () => {
  const clock = createManualClock();
  await using bench = await open({ policy: { balancing: 'latency' }, clock });
  const takes = (server: Answerer, ms: number) => {
    server.answer = async ({ question }) => {
      await clock.advance(ms);
      return question.split(/(?<= )/);
    };
  };
  takes(servers[0]!, 20);
  takes(servers[1]!, 20);
  takes(servers[2]!, 2000);
  await inTurn(bench.url, 120);
  const slow = counts();
  row('latency, three is 100 times slower', 120, ...slow);
  assert.ok(slow[2]! <= 6, 'a few asks find out, the others go elsewhere');
  assert.ok(slow[0]! > 30 && slow[1]! > 30);
  takes(servers[2]!, 20);
  await clock.advance(60_000);
  for (let second = 0; second < 120; second++) {
    await inTurn(bench.url, 1);
    await clock.advance(1000);
  }
  const fast = counts().map((count, index) => count - slow[index]!);
  row('latency, three is as fast', 120, ...fast);
  assert.ok(fast[2]! > 20, 'it is used again');
});

test('a server killed and revived under steady load costs no client an error, and is used again', async () => {
  const clock = createManualClock();
  await using bench = await open({ clock, probeMs: 10_000 });
  const { url } = bench;
  const two = servers[1]!;
  let asks = 0;
  /** 12 clients, each answer moves the time by 10 ms. */
  async function load(times: number): Promise<number[]> {
    const before = counts();
    let left = times;
    const client = async () => {
      while (left-- > 0) {
        const form = asks++ % 2 === 0 ? 'JSON' : 'stream';
        const prompt = `Hi number ${asks}`;
        isWhole(await ask(url, { form, prompt, body: { temperature: 0 } }), prompt);
        await clock.advance(10);
      }
    };
    await Promise.all(Array.from({ length: 12 }, client));
    return counts().map((count, index) => count - before[index]!);
  }

  const well = await load(150);
  assert.deepEqual(well, [50, 50, 50]);
  row('all are well', 150, ...well);
  // In the middle of its answers, with calls of its own waiting.
  const gated = gate(two);
  const during = load(300);
  await until(() => two.open >= 4);
  await two.kill();
  gated.release();
  const dead = await during;
  row('two is killed with 4 calls under way', 300, ...dead);
  assert.ok(dead[1]! < 20, 'what it had when it died and a few more');
  const gone = await load(150);
  row('two is dead', 150, ...gone);
  assert.equal(gone[1], 0, 'nobody waits for it');

  two.answer = ({ question }) => question.split(/(?<= )/);
  await two.revive();
  // Its breaker's minute and a probe's turn.
  await clock.advance(75_000);
  await until(() => !bench.of('two').demoted);
  const back = await load(150);
  row('two is back', 150, ...back);
  assert.ok(back[1]! >= 45, 'its share of the traffic returns');
  assert.equal(bench.of('two').breaker.state, 'closed');
  assert.equal(bench.inFlight, 0);
});
