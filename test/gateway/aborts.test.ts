/**
 * Clients that leave, connections that died while they were kept, and the breaker: what counts against a server and what
 * does not. Times are printed.
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, before, test } from 'node:test';
import { createManualClock } from '../../src/base/index.ts';
import { createMockUpstream, type MockUpstream } from '../upstreams/index.ts';
import { createAnswerer } from './answerer.ts';
import { say, speak } from './plays.ts';
import {
  ask,
  FORMS,
  type Form,
  isTypedError,
  isWhole,
  openGateway,
  row,
  type TestGateway,
  until,
} from './support.ts';

let mock: MockUpstream;
before(async () => {
  mock = await createMockUpstream();
});
after(async () => {
  await mock[Symbol.asyncDispose]();
});

/** Leaves as soon as `there` says that the request has come so far; ms until the server saw it. */
async function leave(bench: TestGateway, form: Form, there: 'asked' | 'begun'): Promise<number> {
  const nth = mock.seen.length;
  let at = 0;
  let destroy = () => {};
  const answer = ask(bench.url, {
    form,
    onSent(request) {
      destroy = () => {
        at = performance.now();
        request.destroy();
      };
      if (there === 'asked') until(() => mock.seen.length > nth).then(destroy, () => {});
    },
    onText(text) {
      if (there === 'begun' && at === 0 && text.includes('"content":"a "')) destroy();
    },
  });
  if (form === 'JSON' && there === 'begun') {
    await until(() => mock.seen.length > nth && mock.seen[nth]!.tokens === 2);
    destroy();
  }
  await until(() => mock.seen.length > nth);
  const gone = await mock.seen[nth]!.gone;
  const { ended } = await answer;
  assert.ok(!ended);
  return gone - at;
}

row('a client leaves', 'form', 'times', 'median ms', 'longest ms', 'breaker');
row('---', '---', '---', '---', '---', '---');

for (const form of FORMS) {
  for (const there of ['asked', 'begun'] as const) {
    test(`${form}: a client that leaves when the answer was ${there} ends it at the server, and 50 open no breaker`, async () => {
      mock.custom((stage) => {
        if (there === 'begun') speak(stage, ['a ', 'b ']);
      });
      const times: number[] = [];
      await using bench = await openGateway([{ name: 'mock', base: mock.base('custom') }]);
      for (let time = 0; time < 50; time++) times.push(await leave(bench, form, there));
      await until(() => bench.inFlight === 0 && bench.busy === 0);
      times.sort((a, b) => a - b);
      const { state, failures } = bench.of('mock').breaker;
      row(
        there === 'asked' ? 'before the first token' : 'after two tokens',
        form,
        times.length,
        times[25]!.toFixed(1),
        times.at(-1)!.toFixed(1),
        state,
      );
      assert.deepEqual([state, failures], ['closed', 0]);
      assert.equal(bench.of('mock').demoted, false);
      assert.ok(times[25]! < 1000);
      mock.custom((stage) => say(stage, ['well']));
      isWhole(await ask(bench.url, { form }), 'well');
    });
  }
}

test('200 clients that leave at once are no failure of a server, whatever the moment', async () => {
  mock.custom((stage) => speak(stage, ['a ', 'b ']));
  await using bench = await openGateway([{ name: 'mock', base: mock.base('custom') }]);
  const from = mock.seen.length;
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      ask(bench.url, {
        form: index % 2 === 0 ? 'JSON' : 'stream',
        // From at once to some turns of the event loop later.
        onSent(request) {
          let turns = index % 40;
          const later = () => (turns-- === 0 ? request.destroy() : setImmediate(later));
          later();
        },
      }),
    ),
  );
  await until(() => bench.inFlight === 0 && bench.busy === 0);
  const seen = mock.seen.slice(from);
  await Promise.all(seen.map(({ gone }) => gone));
  const { state, failures } = bench.of('mock').breaker;
  row('at once, 200 together', 'both', `200, ${seen.length} reached the server`, '', '', state);
  assert.deepEqual([state, failures], ['closed', 0]);
});

test('kept connections that the server closed meanwhile cost nobody an answer, and open no breaker', async () => {
  await using bench = await openGateway([{ name: 'mock', base: mock.base('stale-connection') }], {
    retries: 0,
  });
  const before = mock.connections;
  for (let time = 0; time < 30; time++) {
    const answer = await ask(bench.url, { form: time % 2 === 0 ? 'JSON' : 'stream' });
    assert.equal(answer.error, null);
    assert.ok(answer.ended);
  }
  const { state, failures } = bench.of('mock').breaker;
  row('stale connections', 'both', `30, over ${mock.connections - before} connections`, '', '', state);
  assert.deepEqual([state, failures], ['closed', 0]);
});

test('connections that are all closed while they are kept, again and again, open no breaker', async () => {
  await using server = await createAnswerer('one');
  await using bench = await openGateway([{ name: 'one', base: server.base }], { retries: 0 });
  const agent = new Agent({ keepAlive: true });
  for (let round = 0; round < 10; round++) {
    const all = Array.from({ length: 8 }, () => ask(bench.url, { agent, prompt: 'Hi there' }));
    for (const answer of await Promise.all(all)) isWhole(answer, 'Hi there');
    // A restart between two requests: resets, as those of a proxy that was replaced.
    await server.kill();
    await server.revive();
  }
  agent.destroy();
  const { state, failures } = bench.of('one').breaker;
  row('restarts between requests', 'JSON', '80 over 10 restarts', '', '', state);
  assert.deepEqual([state, failures], ['closed', 0]);
});

test('the breaker opens with the fifth failed call, recovers unaided, and can be closed by hand', async () => {
  const clock = createManualClock();
  const changes: string[] = [];
  await using bench = await openGateway([{ name: 'mock', base: mock.base('custom') }], {
    clock,
    retries: 0,
    onBreaker: (backend, state) => changes.push(`${backend} ${state}`),
  });
  let works = false;
  mock.custom((stage) => {
    if (works) say(stage, ['well']);
    else stage.response.writeHead(500).end();
  });
  const from = mock.seen.length;
  const fails = async (times: number) => {
    for (let time = 0; time < times; time++)
      isTypedError(
        await ask(bench.url, { form: time % 2 === 0 ? 'JSON' : 'stream' }),
        /^upstream_server_error$/,
      );
  };
  await fails(4);
  assert.equal(bench.of('mock').breaker.state, 'closed');
  await fails(1);
  assert.equal(bench.of('mock').breaker.state, 'open');
  const refused = await ask(bench.url);
  isTypedError(refused, /^backends_unavailable$/);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '60']);
  assert.equal(mock.seen.length - from, 5, 'it is left alone');

  await clock.advance(59_999);
  assert.equal((await ask(bench.url)).error?.code, 'backends_unavailable');
  await clock.advance(1);
  // Its trial fails: another minute.
  await fails(1);
  assert.equal(bench.of('mock').breaker.state, 'open');
  works = true;
  await clock.advance(60_000);
  for (const expected of ['half_open', 'half_open', 'closed']) {
    isWhole(await ask(bench.url), 'well');
    assert.equal(bench.of('mock').breaker.state, expected);
  }
  works = false;
  await fails(5);
  assert.equal(bench.of('mock').breaker.state, 'open');
  works = true;
  assert.equal(bench.gateway.reset('mock'), true);
  assert.equal(bench.gateway.reset('nobody'), false);
  isWhole(await ask(bench.url), 'well');
  assert.deepEqual(
    changes.map((change) => change.replace('mock ', '')),
    ['open', 'half_open', 'open', 'half_open', 'closed', 'open', 'closed'],
  );
  row('breaker', 'both', changes.map((change) => change.replace('mock ', '')).join(', '), '', '', 'closed');
});
