/**
 * The 16 scenarios after the catalogue of FailoverBench (September 2026) with its baseline of two retries, 30 s and one
 * fallback, over real sockets: whole and streamed. Where a scenario takes seconds, the gateway's clock is moved by hand.
 * Each row is printed.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createManualClock, type ManualClock } from '../../src/base/index.ts';
import type { Usage } from '../../src/gateway/accounting/index.ts';
import type { Play } from '../upstreams/faults.ts';
import { createMockUpstream, FAULTS, type MockUpstream } from '../upstreams/index.ts';
import { conclude, goesOn, saidIn, say, speak } from './plays.ts';
import {
  type Answer,
  ask,
  FORMS,
  type Form,
  isWhole,
  MODEL,
  openGateway,
  row,
  type TestGateway,
  until,
  verdictOf,
} from './support.ts';

const words = Array.from({ length: 60 }, (_, index) => `t${index} `);
const text = words.join('');
const some = words.slice(0, 40);
const limits = { firstTokenMs: 10_000, interTokenMs: 10_000, totalMs: 30_000 };

let primary: MockUpstream;
let fallback: MockUpstream;

before(async () => {
  primary = await createMockUpstream();
  fallback = await createMockUpstream();
});
after(async () => {
  await primary[Symbol.asyncDispose]();
  await fallback[Symbol.asyncDispose]();
});

interface Stand {
  readonly bench: TestGateway;
  readonly clock: ManualClock;
  readonly usages: readonly Usage[];
  readonly form: Form;
  /** Requests that each got in this scenario. */
  readonly asked: { readonly primary: number; readonly fallback: number };
}

interface Scenario {
  readonly name: string;
  readonly primary: Play;
  readonly fallback?: Play;
  /** Moves the clock; @default it stands still, so that nothing waits or runs out */
  readonly drive?: (stand: Stand) => Promise<void>;
  /** @default the answer is whole */
  readonly check?: (answer: Answer, stand: Stand) => void;
  /** Seconds of the gateway's clock that it takes. @default 0 */
  readonly seconds?: number;
}

const status =
  (code: number, message = 'Not now.', headers: Record<string, string> = {}): Play =>
  ({ response }) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { message, type: 'error', param: null, code: null } }));
  };

/** Until the first server has the request and nothing comes of it. */
const untilAsked = ({ asked }: Stand) => until(() => asked.primary === 1);
/** Until the first piece of its answer was read. */
const untilBegun = ({ bench }: Stand) => until(() => bench.of('primary').latencyMs !== null);

const scenarios: readonly Scenario[] = [
  {
    name: 'S01 429 with Retry-After',
    primary: (stage) =>
      stage.nth === 1 ? status(429, 'Slow down.', { 'retry-after': '5' })(stage) : say(stage, words),
    check(answer, { bench }) {
      isWhole(answer, text);
      assert.equal(answer.receipt!.backend, 'fallback');
      assert.equal(bench.of('primary').coolMs, 5000, 'it is left alone for as long as it said');
    },
  },
  { name: 'S02 persistent 429', primary: status(429) },
  { name: 'S03 one 500', primary: (stage) => (stage.nth === 1 ? status(500)(stage) : say(stage, words)) },
  { name: 'S04 persistent 503', primary: status(503) },
  { name: 'S05 reset before headers', primary: FAULTS.reset },
  {
    name: 'S06 no response for 120 s',
    primary: FAULTS['never-answers'],
    seconds: 10,
    async drive(stand) {
      await untilAsked(stand);
      await stand.clock.advance(10_000);
    },
    check(answer, { asked }) {
      isWhole(answer, text);
      assert.equal(asked.primary, 1, 'a silent server is asked once');
    },
  },
  {
    name: 'S07 first token after 20 s',
    primary: (stage) => speak(stage, []),
    seconds: 10,
    async drive(stand) {
      await untilAsked(stand);
      await stand.clock.advance(10_000);
    },
  },
  {
    name: 'S08 cut after 40 of 60 tokens',
    primary: (stage) => {
      speak(stage, some);
      stage.response.socket?.destroySoon();
    },
  },
  {
    name: 'S09 stall of 30 s',
    primary: (stage) => speak(stage, some),
    seconds: 10,
    async drive(stand) {
      await untilBegun(stand);
      await stand.clock.advance(10_000);
    },
  },
  {
    name: 'S10 malformed chunk',
    primary: (stage) => {
      speak(stage, some);
      stage.response.end('data: {"choices":[{"index":0,"delta":{"content":"wo\n\n');
    },
  },
  {
    name: 'S11 missing [DONE]',
    primary: (stage) => {
      speak(stage, words);
      conclude(stage, '');
    },
    check(answer, { asked }) {
      isWhole(answer, text);
      assert.equal(asked.fallback, 0, 'it is whole all the same');
      assert.equal(answer.usage!.completion_tokens, 60);
    },
  },
  {
    name: 'S12 context length 400',
    primary: status(400, "This model's maximum context length is 4096 tokens."),
    check(answer, { bench }) {
      isWhole(answer, text);
      assert.equal(answer.receipt!.route.attempts[1]!.reason, 'larger context');
      assert.equal(bench.of('primary').breaker.failures, 0, 'the prompt was too long, not the server ill');
    },
  },
  {
    name: 'S13 content filter 400',
    primary: status(400, 'The response was filtered by our content management policy.'),
    check({ status: code, error }, { asked }) {
      assert.deepEqual([code, error?.code], [400, 'content_filter']);
      assert.deepEqual(asked, { primary: 1, fallback: 0 }, 'never routed around, never repeated');
    },
  },
  {
    name: 'S14 fallback rejects prefill',
    primary: (stage) => {
      speak(stage, some);
      stage.response.socket?.destroySoon();
    },
    fallback: (stage) =>
      saidIn(stage) > 0 ? status(400, 'prefill is not supported.')(stage) : say(stage, words),
  },
  {
    name: 'S16 accounting names the fallback',
    primary: status(500),
    check(answer, { usages }) {
      isWhole(answer, text);
      assert.equal(answer.model, 'fallback-model');
      assert.deepEqual([answer.usage!.prompt_tokens, answer.usage!.completion_tokens], [7, 60]);
      assert.deepEqual(
        [answer.headers['x-kith-backend'], answer.headers['x-kith-model']],
        ['fallback', 'fallback-model'],
      );
      assert.deepEqual([answer.receipt!.backend, answer.receipt!.model], ['fallback', 'fallback-model']);
      assert.deepEqual(
        answer.receipt!.route.attempts.map(({ backend, outcome }) => [backend, outcome]),
        [
          ['primary', 'failed'],
          ['fallback', 'answered'],
        ],
      );
      const [usage, ...more] = usages;
      assert.deepEqual(
        [usage!.backend, usage!.model, usage!.promptTokens, usage!.completionTokens, usage!.outcome],
        // The model by the owner's name for it, as budgets and prices have it.
        ['fallback', MODEL, 7, 60, 'answered'],
      );
      assert.equal(more.length, 0);
    },
  },
];

/** A gateway over both servers, with a clock that stands still. */
async function open(usages: Usage[], clock: ManualClock): Promise<TestGateway> {
  return openGateway(
    [
      { name: 'primary', base: primary.base('custom'), limits, context: 4096 },
      { name: 'fallback', base: fallback.base('custom'), limits, context: 32_768, continues: true },
    ],
    {
      clock,
      retries: 2,
      ledger: {
        record: (usage) => void usages.push(usage),
        allowance: () => null,
        left: () => null,
        spent: () => null,
        budgets: () => [],
        report: () => {
          throw new Error('nobody reads it');
        },
        [Symbol.asyncDispose]: async () => {},
      },
    },
  );
}

let bench: TestGateway | null = null;
afterEach(async () => {
  await bench?.[Symbol.asyncDispose]();
  bench = null;
});

row('scenario', 'form', 'outcome', "s of the gateway's clock", 'attempts');
row('---', '---', '---', '---', '---');
for (const { name, primary: first, fallback: second, drive, check, seconds = 0 } of scenarios) {
  for (const form of FORMS) {
    test(`${name}, ${form}`, async () => {
      const before = [primary.seen.length, fallback.seen.length] as const;
      primary.custom((stage) => first({ ...stage, nth: primary.seen.length - before[0] }));
      fallback.custom(second ?? goesOn(words));
      const clock = createManualClock();
      const usages: Usage[] = [];
      bench = await open(usages, clock);
      const stand: Stand = {
        bench,
        clock,
        usages,
        form,
        asked: {
          get primary() {
            return primary.seen.length - before[0];
          },
          get fallback() {
            return fallback.seen.length - before[1];
          },
        },
      };
      const [answer] = await Promise.all([
        ask(bench.url, { form, body: { temperature: 0 } }),
        drive?.(stand),
      ]);
      const attempts = answer.receipt?.route.attempts ?? [];
      row(
        name,
        form,
        verdictOf(answer),
        clock.monotonic() / 1000,
        attempts.map(({ backend, reason, outcome }) => `${backend} ${outcome} (${reason})`).join(', '),
      );
      if (check === undefined) isWhole(answer, text);
      else check(answer, { ...stand, asked: { ...stand.asked } });
      assert.equal(clock.monotonic(), seconds * 1000);
      assert.equal(bench.inFlight, 0);
      assert.equal(clock.sleeping, 0);
    });
  }
}

test('S01 without a fallback: the wait that the server asked for is kept, to the second', async () => {
  const before = primary.seen.length;
  primary.custom((stage) =>
    primary.seen.length === before + 1
      ? status(429, 'Slow down.', { 'retry-after': '5' })(stage)
      : say(stage, words),
  );
  const clock = createManualClock();
  bench = await openGateway([{ name: 'primary', base: primary.base('custom'), limits }], {
    clock,
    retries: 2,
  });
  const pending = ask(bench.url, { form: 'stream' });
  await until(() => bench!.of('primary').coolMs === 5000 && clock.sleeping === 1);
  await clock.advance(4999);
  assert.equal(primary.seen.length, before + 1);
  await clock.advance(1);
  const answer = await pending;
  row('S01 without fallback', 'stream', verdictOf(answer), clock.monotonic() / 1000, 'primary twice');
  isWhole(answer, text);
  assert.equal(primary.seen.length, before + 2);
});

test('S15 primary flapping for 60 s under load: every answer is whole, and most asks are kept from it', async () => {
  const clock = createManualClock();
  const up = () => Math.floor(clock.monotonic() / 3000) % 2 === 1;
  const before = primary.seen.length;
  // Down it fails in turn in three ways, one of them in the middle of its answer.
  const down = [
    status(503),
    FAULTS.reset,
    (stage) => {
      speak(stage, some);
      stage.response.socket?.destroySoon();
    },
  ] satisfies Play[];
  primary.custom((stage) => (up() ? say(stage, words) : down[primary.seen.length % 3]!(stage)));
  fallback.custom(goesOn(words));
  bench = await open([], clock);
  const { url } = bench;
  let asks = 0;
  for (; clock.monotonic() < 60_000; await clock.advance(250)) {
    const forms: Form[] = ['JSON', 'stream', asks % 2 === 0 ? 'JSON' : 'stream'];
    const answers = await Promise.all(forms.map((form) => ask(url, { form, body: { temperature: 0 } })));
    for (const answer of answers) isWhole(answer, text);
    asks += answers.length;
  }
  const reached = primary.seen.length - before;
  row(
    'S15 flapping primary for 60 s',
    'both',
    `${asks} of ${asks} whole`,
    60,
    `${reached} reached the primary`,
  );
  assert.ok(reached < asks / 4, `${reached} of ${asks} asks reached the flapping server`);
  assert.equal(bench.inFlight, 0);
});
