/**
 * Twelve faults of servers, each met by a client that wants the answer whole and by one that wants it streamed, with and
 * without another server to turn to. Server, gateway, backends and faults are on real sockets. Each row is printed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ANSWER_TEXT, WORDS, word } from '../upstreams/answers.ts';
import type { Play } from '../upstreams/faults.ts';
import { createMockUpstream, type FaultName, type MockUpstream } from '../upstreams/index.ts';
import { goesOn, speak } from './plays.ts';
import {
  ask,
  FORMS,
  type Form,
  isTypedError,
  isWhole,
  openGateway,
  type Place,
  refusing,
  row,
  verdictOf,
} from './support.ts';

const WORD_LIST = Array.from({ length: WORDS }, (_, index) => word(index));
let failing: MockUpstream;
let good: MockUpstream;

before(async () => {
  failing = await createMockUpstream();
  good = await createMockUpstream();
  good.custom(goesOn(WORD_LIST));
});
after(async () => {
  await failing[Symbol.asyncDispose]();
  await good[Symbol.asyncDispose]();
});

interface Fault {
  readonly name: string;
  readonly fault: FaultName | 'refused' | Play;
  /** Of a client that wants JSON, where it shows otherwise. */
  readonly json?: FaultName;
  /** How it is told when nobody else is there. */
  readonly code: RegExp;
  /** Nothing comes: the first server gets a short limit. */
  readonly silent?: true;
}

const silence = /^(first_token_timeout|upstream_timeout_\w+)$/;
const faults: readonly Fault[] = [
  { name: 'connection refused', fault: 'refused', code: /^upstream_connect_failed$/ },
  { name: '500', fault: 'error-500', code: /^upstream_server_error$/ },
  { name: '429', fault: 'error-429', code: /^upstream_rate_limited$/ },
  { name: '502 with HTML', fault: 'html-502', code: /^upstream_server_error$/ },
  { name: 'TCP reset', fault: 'reset', code: /^upstream_reset$/ },
  { name: 'accepts, never answers', fault: 'never-answers', code: silence, silent: true },
  {
    name: 'headers, then nothing',
    fault: 'headers-then-nothing',
    json: 'json-headers-then-nothing',
    code: silence,
    silent: true,
  },
  { name: '200 with truncated JSON', fault: 'truncated-json', code: /^upstream_invalid_json$/ },
  {
    name: '200 with an error inside',
    fault: 'error-first-frame',
    json: 'error-in-200',
    code: /^upstream_server_error$/,
  },
  { name: '200 with empty body', fault: 'empty-body', json: 'empty-json', code: /^upstream_empty$/ },
  {
    name: 'cut after 5 tokens',
    fault: 'cut-after-tokens',
    code: /^(stream_cut|upstream_cut)$/,
  },
  {
    name: 'stalls after 1 token',
    fault: (stage) => speak(stage, WORD_LIST.slice(0, 1)),
    code: /^(stream_stalled|upstream_timeout_inter_token)$/,
    silent: true,
  },
];

async function primary({ fault, json, silent }: Fault, form: Form): Promise<Place> {
  const limits = silent ? { firstTokenMs: 150, interTokenMs: 150 } : {};
  const kind = form === 'JSON' ? (json ?? fault) : fault;
  if (typeof kind === 'function') failing.custom(kind);
  const base =
    kind === 'refused' ? await refusing() : failing.base(typeof kind === 'function' ? 'custom' : kind);
  return { name: 'primary', base, limits };
}

const fallbacks = {
  /** It goes on from the text so far. */
  continues: (): Place => ({ name: 'fallback', base: good.base('custom'), continues: true }),
  /** It can only be asked from the start. */
  plain: (): Place => ({ name: 'fallback', base: good.base('ok') }),
};

row('fault', 'form', 'fallback goes on', 'fallback, temperature 0', 'fallback, any temperature', 'none');
row('---', '---', '---', '---', '---', '---');
for (const fault of faults) {
  for (const form of FORMS) {
    test(`${fault.name}, ${form}: the answer is whole where another can give it, and else an error`, async () => {
      const cells: string[] = [];
      const asked = async (fallback: Place | null, body: object, check: 'whole' | 'error' | null) => {
        await using bench = await openGateway(
          [await primary(fault, form), ...(fallback === null ? [] : [fallback])],
          { retries: 0 },
        );
        const answer = await ask(bench.url, { form, body: { ...body } });
        cells.push(`${verdictOf(answer)}, ${Math.round(answer.ms)} ms`);
        if (check === 'whole') isWhole(answer, ANSWER_TEXT);
        else isTypedError(answer, fault.code);
        assert.equal(bench.inFlight, 0);
        if (check !== 'whole') return;
        assert.equal(answer.receipt!.backend, 'fallback');
        assert.equal(answer.headers['x-kith-backend'], begins ? 'primary' : 'fallback');
        const [first, second, ...more] = answer.receipt!.route.attempts;
        assert.deepEqual([first!.backend, second!.backend, more.length], ['primary', 'fallback', 0]);
        assert.match(first!.outcome, /^(failed|cut|stalled)$/);
        assert.match(first!.code!, fault.code);
      };
      // The first piece was passed on: only who goes on with it, or says it again, can help.
      const begins = form === 'stream' && /after \d tokens?$/.test(fault.name);
      await asked(fallbacks.continues(), {}, 'whole');
      await asked(fallbacks.plain(), { temperature: 0 }, 'whole');
      await asked(fallbacks.plain(), { temperature: 1 }, begins ? 'error' : 'whole');
      await asked(null, {}, 'error');
      row(fault.name, form, ...cells);
    });
  }
}

test('the same faults of a server that speaks the other API', async () => {
  for (const fault of faults) {
    for (const form of FORMS) {
      const place = { ...(await primary(fault, form)), api: 'anthropic' as const };
      // What plays OpenAI's words by itself has a fault of this API in its place.
      const first =
        typeof fault.fault === 'function' ? { ...place, base: failing.base('stall-after-tokens') } : place;
      await using alone = await openGateway([first], { retries: 0 });
      const lost = await ask(alone.url, { form });
      isTypedError(lost, fault.code);
      await using pair = await openGateway([first, fallbacks.plain()], { retries: 0 });
      const saved = await ask(pair.url, { form, body: { temperature: 0 } });
      row(`${fault.name} (Anthropic's API)`, form, '', verdictOf(saved), '', verdictOf(lost));
      isWhole(saved, ANSWER_TEXT);
      assert.equal(saved.receipt!.backend, 'fallback');
      assert.equal(alone.inFlight + pair.inFlight, 0);
    }
  }
});
