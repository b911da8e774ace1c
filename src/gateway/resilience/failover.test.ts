import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { createRetryBudget } from './index.ts';
import {
  answer,
  chatRequest,
  createBench,
  deaf,
  fail,
  finish,
  hang,
  route,
  say,
  scripted,
  start,
  usage,
  wait,
} from './testing/scripted.ts';

const outcomes = (attempts: readonly { backend: string; reason: string; outcome: string }[]) =>
  attempts.map(({ backend, reason, outcome }) => `${backend}: ${reason}, ${outcome}`);

test('a good answer passes through untouched, and nothing is left behind', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, answer('Hello', ' there'));
  const { events, attempts, error } = await bench.ask([route(a)]);
  assert.equal(error, null);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'text', 'text', 'finish', 'usage'],
  );
  assert.deepEqual(outcomes(attempts), ['a: first choice, answered']);
  assert.equal(a.asked[0]!.model, 'a-model');
  assert.equal(bench.clock.sleeping, 0);
  assert.equal(a.open, 0);
  assert.equal(a.aborted, 0);
  assert.equal(bench.conditions.of('a').inFlight, 0);
});

test('a failure before the first piece goes to another backend at once, and the receipt says so', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, fail('upstream_failed', 500)]);
  const b = scripted('b', bench.clock, answer('fine'));
  const { text, events, attempts, ms, notes } = await bench.ask([route(a), route(b)]);
  assert.equal(text, 'fine');
  assert.equal(ms, 0);
  assert.deepEqual(outcomes(attempts), ['a: first choice, failed', 'b: failover, answered']);
  assert.equal(attempts[0]!.code, 'upstream_failed');
  assert.deepEqual(notes, ["'a' was to answer first and did not (upstream_failed)."]);
  assert.equal(events[0]!.type === 'start' && events[0]!.backend, 'b');
});

test('a route that is silent is asked once', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, deaf]);
  const { error, attempts, ms } = await bench.ask([route(a)]);
  assert.equal(error?.code, 'first_token_timeout');
  assert.equal(error?.status, 504);
  assert.equal(attempts.length, 1);
  assert.ok(ms >= 10_000 && ms <= 10_100);
  assert.equal(a.open, 0);
  assert.equal(a.aborted, 1);
  assert.equal(bench.clock.sleeping, 0);
});

test('the only backend is asked again after waits of at most 1, 2 and 4 s', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, (ask) => (ask < 3 ? [fail('down', 503)] : answer('at last')));
  const { text, attempts } = await bench.ask([route(a)]);
  assert.equal(text, 'at last');
  assert.deepEqual(
    attempts.map(({ reason }) => reason),
    ['first choice', 'retry', 'retry', 'retry'],
  );
  for (const [index, bound] of [1000, 2000, 4000].entries()) {
    assert.ok(attempts[index + 1]!.waitMs > 0 && attempts[index + 1]!.waitMs <= bound);
  }
});

test('Retry-After is waited for when it is short and no other backend is left, and passed on when it is long', async () => {
  const bench = createBench();
  const soon = scripted('soon', bench.clock, (ask) =>
    ask === 0 ? [fail('slow_down', 429, 7)] : answer('ok'),
  );
  const { text, attempts } = await bench.ask([route(soon)]);
  assert.equal(text, 'ok');
  assert.equal(attempts[1]!.waitMs, 7000);
  const late = scripted('late', bench.clock, [fail('slow_down', 429, 600)]);
  const { error, ms } = await bench.ask([route(late)]);
  assert.equal(error?.status, 429);
  assert.equal(error?.retryAfter, 600);
  assert.equal(ms, 0);
  const after = await bench.ask([route(late)]);
  assert.equal(after.error?.code, 'backends_unavailable');
  assert.equal(after.error?.retryAfter, 600);
  assert.equal(late.asked.length, 1);
});

for (const status of [400, 403, 422]) {
  test(`a ${status} is the request's own: nobody else is asked and no breaker counts it`, async () => {
    const bench = createBench();
    const a = scripted('a', bench.clock, [fail('bad', status)]);
    const b = scripted('b', bench.clock, answer('never'));
    const { error, attempts } = await bench.ask([route(a), route(b)]);
    assert.equal(error?.status, status);
    assert.equal(attempts.length, 1);
    assert.equal(b.asked.length, 0);
    assert.equal(bench.conditions.of('a').breaker.failures, 0);
  });
}

for (const status of [401, 404]) {
  test(`a ${status} is not asked of the same backend again, but of another`, async () => {
    const bench = createBench();
    const a = scripted('a', bench.clock, [fail('not_here', status)]);
    const b = scripted('b', bench.clock, answer('mine'));
    assert.equal((await bench.ask([route(a), route(b)])).text, 'mine');
    const alone = await bench.ask([route(a)]);
    assert.equal(alone.error?.status, status);
    assert.equal(alone.attempts.length, 1);
    assert.equal(bench.conditions.of('a').breaker.failures, 0);
  });
}

test('a prompt that is too long goes to a larger context once', async () => {
  const bench = createBench();
  const long = [fail('context_length_exceeded', 400)];
  const small = scripted('small', bench.clock, long);
  const tiny = scripted('tiny', bench.clock, answer('never'));
  const large = scripted('large', bench.clock, answer('it fits'));
  const routes = [
    route(small, { context: 4096 }),
    route(tiny, { context: 2048 }),
    route(large, { context: 32_768 }),
  ];
  const { text, attempts } = await bench.ask(routes);
  assert.equal(text, 'it fits');
  assert.deepEqual(outcomes(attempts), ['small: first choice, failed', 'large: larger context, answered']);
  const middle = scripted('middle', bench.clock, long);
  const twice = await bench.ask([routes[0]!, route(middle, { context: 8192 }), routes[2]!]);
  assert.equal(twice.error?.code, 'context_length_exceeded');
  assert.equal(twice.attempts.length, 2);
});

test('a connection that was dead already is tried again at once and counts for nothing', async () => {
  const bench = createBench();
  const stale = [fail('connection_stale', 502)];
  const a = scripted('a', bench.clock, (ask) => (ask === 0 ? stale : answer('alive')));
  const { text, attempts, ms } = await bench.ask([route(a), route(scripted('b', bench.clock, answer('no')))]);
  assert.equal(text, 'alive');
  assert.equal(ms, 0);
  assert.deepEqual(outcomes(attempts), ['a: first choice, failed', 'a: stale connection, answered']);
  const dead = scripted('dead', bench.clock, stale);
  const b = scripted('b', bench.clock, answer('b'));
  assert.equal((await bench.ask([route(dead), route(b)])).text, 'b');
  assert.equal(dead.asked.length, 2);
  assert.equal(bench.conditions.of('dead').breaker.failures, 1);
});

test('after its first piece an answer that breaks off ends in an error, never as if it were whole', async () => {
  const bench = createBench();
  for (const [script, code] of [
    [[start, say('half')], 'stream_cut'],
    [[start, say('half'), fail('upstream_reset', 502)], 'stream_cut'],
    [[start, say('half'), hang], 'stream_stalled'],
    [[start, say('half'), deaf], 'stream_stalled'],
  ] as const) {
    const a = scripted('a', bench.clock, script);
    const b = scripted('b', bench.clock, answer('another'));
    const { text, error } = await bench.ask([route(a), route(b)]);
    assert.equal(text, 'half');
    assert.equal(error?.code, code);
    assert.equal(b.asked.length, 0);
    assert.equal(a.open, 0);
    assert.equal(bench.clock.sleeping, 0);
    bench.conditions.of('a').breaker.reset();
  }
});

test('an answer that breaks off is continued by a backend that can, with the text so far', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, say('one '), say('two '), hang]);
  const b = scripted('b', bench.clock, answer('three ', 'four'));
  const { text, events, error, attempts, notes } = await bench.ask(
    [route(a), route(b, { continues: true })],
    {},
    { prefill: 'zero ', maxTokens: 10 },
  );
  assert.equal(error, null);
  assert.equal(text, 'one two three four');
  assert.equal(b.asked[0]!.prefill, 'zero one two ');
  assert.equal(b.asked[0]!.maxTokens, 8);
  assert.deepEqual(outcomes(attempts), ['a: first choice, stalled', 'b: continuation, answered']);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'text', 'text', 'text', 'text', 'finish', 'usage'],
  );
  const last = events.at(-1)!;
  assert.equal(last.type === 'usage' && last.completionTokens, 4);
  assert.deepEqual(notes, ["The answer of 'a' broke off (stream_stalled); 'b' went on from its text."]);
});

test('a continuation that breaks off too is continued in turn; one that is refused ends in the error', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, say('1')]);
  const b = scripted('b', bench.clock, [start, say('2'), fail('reset', 502)]);
  const c = scripted('c', bench.clock, answer('3'));
  const refuses = scripted('refuses', bench.clock, [fail('prefill_unsupported', 400)]);
  const continues = { continues: true };
  const three = await bench.ask([
    route(a),
    route(b, continues),
    route(refuses, continues),
    route(c, continues),
  ]);
  assert.equal(three.text, '123');
  assert.equal(three.error, null);
  assert.equal(c.asked[0]!.prefill, '12');
  const refused = await bench.ask([route(a), route(refuses, continues)]);
  assert.equal(refused.text, '1');
  assert.equal(refused.error?.code, 'stream_cut');
});

test('at temperature 0 a backend that says the same again goes on, one that says something else never does', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, say('one tw'), fail('reset', 502)]);
  const other = scripted('other', bench.clock, answer('one ', 'too many'));
  const short = scripted('short', bench.clock, answer('one'));
  const same = scripted('same', bench.clock, answer('one ', 'two ', 'three'));
  const greedy = { sampler: { temperature: 0 } };
  const rescued = await bench.ask(
    [a, other, short, same].map((one) => route(one)),
    {},
    greedy,
  );
  assert.equal(rescued.text, 'one two three');
  assert.equal(rescued.error, null);
  assert.deepEqual(outcomes(rescued.attempts), [
    'a: first choice, cut',
    'other: replay, lost',
    'short: replay, lost',
    'same: replay, answered',
  ]);
  assert.deepEqual(rescued.notes, [
    "The answer of 'a' broke off (reset); 'same' gave the same answer and went on.",
  ]);
  const lost = await bench.ask(
    [a, other].map((one) => route(one)),
    {},
    greedy,
  );
  assert.equal(lost.text, 'one tw');
  assert.equal(lost.error?.code, 'stream_cut');
  assert.equal(other.open + short.open, 0);
});

test('an answer held to a form is not continued, since the form would begin anew', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, say('{"a":')]);
  const b = scripted('b', bench.clock, answer('1}'));
  const { error } = await bench.ask(
    [route(a), route(b, { continues: true })],
    {},
    { grammar: { type: 'json' } as never },
  );
  assert.equal(error?.code, 'stream_cut');
  assert.equal(b.asked.length, 0);
});

test('an answer that is passed on whole is asked of another backend from the start when it breaks off', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [start, say('half'), fail('reset', 502)]);
  const b = scripted('b', bench.clock, answer('the ', 'whole'));
  const { text, error, attempts } = await bench.ask([route(a), route(b)], { whole: true });
  assert.equal(error, null);
  assert.equal(text, 'the whole');
  assert.deepEqual(outcomes(attempts), ['a: first choice, cut', 'b: failover, answered']);
});

test('an answer without its usage is whole, and says that its tokens are not known', async () => {
  const bench = createBench();
  for (const end of [[], [hang], [fail('reset', 502)]]) {
    const a = scripted('a', bench.clock, [start, say('four'), say('four'), finish, ...end]);
    for (const how of [{}, { whole: true }]) {
      const { error, events, notes } = await bench.ask([route(a)], how);
      assert.equal(error, null);
      assert.deepEqual(events.at(-1)?.type === 'usage' && events.at(-1), {
        ...(events.at(-1) as object),
        promptTokens: 7,
        cachedTokens: null,
        completionTokens: null,
      });
      assert.match(notes[0]!, /did not say how many tokens/);
      assert.equal(a.open, 0);
    }
  }
});

test('the caller leaving stops the backend within the same turn and says nothing about its health', async () => {
  const bench = createBench();
  for (const script of [
    [start, deaf],
    [start, say('half'), hang],
  ]) {
    const a = scripted('a', bench.clock, script);
    const b = scripted('b', bench.clock, answer('never'));
    const caller = new AbortController();
    const { answer: events, attempts } = bench.failover.chat(chatRequest({ signal: caller.signal }), [
      route(a),
      route(b),
    ]);
    const reading = (async () => {
      for await (const _ of events);
    })();
    reading.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort();
    assert.equal(a.aborted, 1);
    await assert.rejects(reading, { code: 'aborted' });
    assert.equal(attempts.length, 1);
    assert.equal(attempts[0]!.outcome, 'left');
    assert.equal(b.asked.length, 0);
    assert.equal(bench.conditions.of('a').breaker.failures, 0);
    assert.equal(bench.conditions.of('a').inFlight, 0);
    assert.equal(bench.clock.sleeping, 0);
    assert.equal(a.open, 0);
  }
});

test('a reader that stops in the middle closes the backend', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, answer('1', '2', '3'));
  for await (const event of bench.failover.chat(chatRequest(), [route(a)]).answer)
    if (event.type === 'text') break;
  assert.equal(a.open, 0);
  assert.equal(bench.clock.sleeping, 0);
  assert.equal(bench.conditions.of('a').breaker.failures, 0);
});

test('the time a reader takes does not count as a stall of the backend', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, answer('1', '2'));
  const events = bench.failover.chat(chatRequest(), [route(a)]).answer;
  await events.next();
  await events.next();
  await bench.clock.advance(50_000);
  const rest: string[] = [];
  for await (const { type } of events) rest.push(type);
  assert.deepEqual(rest, ['text', 'finish', 'usage']);
});

test('the whole-answer limit and the limit of the request end an answer that trickles', async () => {
  const bench = createBench();
  const trickle = () => [start, ...Array.from({ length: 100 }, () => [say('.'), wait(1000)]).flat()];
  const a = scripted('a', bench.clock, trickle);
  const b = scripted('b', bench.clock, answer('never'));
  const routes = [route(a), route(b, { continues: true })];
  assert.equal((await bench.ask(routes)).error?.code, 'answer_timeout');
  assert.equal(bench.conditions.of('a').breaker.failures, 1);
  const own = await bench.ask(routes, {}, { timeoutMs: 5000 });
  assert.equal(own.error?.code, 'request_timeout');
  assert.equal(bench.conditions.of('a').breaker.failures, 1);
  const silent = await bench.ask(
    [route(scripted('s', bench.clock, [hang])), route(b)],
    {},
    { timeoutMs: 5000 },
  );
  assert.equal(silent.error?.code, 'request_timeout');
  assert.equal(b.asked.length, 0);
});

test('the breaker opens on the fifth failed call, is passed over, and recovers with single trial calls', async () => {
  const bench = createBench(1, { retries: 0 });
  let well = false;
  const a = scripted('a', bench.clock, () => (well ? answer('a') : [fail('down', 500)]));
  const b = scripted('b', bench.clock, answer('b'));
  const routes = [route(a), route(b)];
  for (let ask = 0; ask < 8; ask++) assert.equal((await bench.ask(routes)).text, 'b');
  assert.equal(a.asked.length, 5);
  const passed = await bench.ask(routes);
  assert.deepEqual(outcomes(passed.attempts), ['a: first choice, skipped', 'b: failover, answered']);
  well = true;
  await bench.clock.advance(60_000);
  for (let ask = 0; ask < 3; ask++) {
    assert.equal(bench.conditions.of('a').breaker.state, 'half_open');
    assert.equal((await bench.ask(routes)).text, 'a');
  }
  assert.equal(bench.conditions.of('a').breaker.state, 'closed');
});

test('without any backend left the error says what each did and when to come back', async () => {
  const bench = createBench(1, { retries: 1 });
  const a = scripted('a', bench.clock, [fail('down', 503)]);
  const b = scripted('b', bench.clock, [hang]);
  const { error, attempts } = await bench.ask([route(a), route(b)]);
  assert.equal(error?.code, 'no_backend_answered');
  assert.equal(error?.status, 503);
  assert.match(error!.message, /'a' \(down\), 'b' \(first_token_timeout\)/);
  assert.deepEqual(
    attempts.map(({ backend, reason }) => `${backend} ${reason}`),
    ['a first choice', 'b failover', 'a retry'],
  );
  assert.equal((await bench.ask([])).error?.code, 'no_backend');
});

test('an embedding goes to the next backend too', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, [fail('down', 500)]);
  const b = scripted('b', bench.clock, []);
  const request = { model: null, inputs: ['x'], truncate: false, signal: new AbortController().signal };
  const { answer: value, attempts } = bench.failover.embed(request, [route(a), route(b)]);
  assert.equal((await value).receipt.backend, 'b');
  assert.deepEqual(outcomes(attempts), ['a: first choice, failed', 'b: failover, answered']);
  assert.equal(bench.clock.sleeping, 0);
});

test('a backend that throws at once, or sends an endless row of starts, is failed over', async () => {
  const bench = createBench();
  const throwing = {
    ...scripted('throwing', bench.clock, []),
    name: 'throwing',
    chat: () => {
      throw new TypeError('oops');
    },
  };
  const endless = scripted(
    'endless',
    bench.clock,
    Array.from({ length: 1000 }, () => start),
  );
  const b = scripted('b', bench.clock, answer('b'));
  const { text, attempts } = await bench.ask([route(throwing), route(endless), route(b)]);
  assert.equal(text, 'b');
  assert.deepEqual(
    attempts.map(({ code }) => code),
    ['backend_failed', 'answer_malformed', null],
  );
  assert.equal(usage.do, 'usage');
});

test('a backend that is down is not burdened: retries stay within a tenth of the asks, and a few', async () => {
  const clock = createManualClock();
  const budget = createRetryBudget({ now: clock.monotonic, windowMs: 10_000_000 });
  const bench = createBench(1, { budget }, { breaker: { failures: 1e9 } });
  const a = scripted('a', bench.clock, [fail('down', 503)]);
  let retries = 0;
  for (let ask = 1; ask <= 200; ask++) {
    const { attempts, error } = await bench.ask([route(a)]);
    assert.equal(error?.code, 'down');
    retries += attempts.filter(({ reason }) => reason === 'retry').length;
    assert.ok(retries <= Math.max(3, ask / 10));
  }
  assert.equal(retries, 20);
});

test('a pause is bounded, and a reset by hand ends it, the breaker and the demotion', async () => {
  const bench = createBench();
  const condition = bench.conditions.of('a');
  condition.cool(1e12);
  assert.equal(condition.coolMs, 600_000);
  for (let call = 0; call < 5; call++) {
    const ticket = condition.breaker.admit();
    condition.begin();
    condition.breaker.settle(ticket, 'failure');
    condition.end('failure');
  }
  assert.equal(condition.demoted, true);
  condition.reset();
  assert.deepEqual([condition.coolMs, condition.breaker.state, condition.demoted], [0, 'closed', false]);
});

test('of many asks at once while a backend dies and comes back, none fails', async () => {
  const bench = createBench();
  const a = scripted('a', bench.clock, () => {
    const now = bench.clock.monotonic();
    return now > 2000 && now < 70_000 ? [wait(20), fail('gone', 502)] : [wait(20), ...answer('a')];
  });
  const b = scripted('b', bench.clock, () => [wait(20), ...answer('b')]);
  const routes = [route(a), route(b)];
  const texts: Promise<string>[] = [];
  const read = async () => {
    let text = '';
    for await (const event of bench.failover.chat(chatRequest(), routes).answer)
      if (event.type === 'text') text += event.text;
    return text;
  };
  for (let tick = 0; tick < 1500; tick++) {
    texts.push(read(), read());
    await bench.clock.advance(100);
  }
  await bench.clock.advance(1000);
  const said = await Promise.all(texts);
  assert.ok(said.every((text) => text === 'a' || text === 'b'));
  assert.equal(said.at(-1), 'a', 'recovered unaided');
  assert.equal(a.open + b.open + bench.clock.sleeping, 0);
});
