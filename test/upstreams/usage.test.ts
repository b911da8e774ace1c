/**
 * Streamed usage is that of the same answer given whole, for every shape in which servers report it: what the backend
 * says of it, what Kith's own answers say, and what the ledger writes down.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createLedger } from '../../src/gateway/accounting/index.ts';
import { listening } from '../../src/gateway/accounting/testing/ledger.ts';
import { openGateway } from '../gateway/support.ts';
import { createMockUpstream, type MockUpstream } from './index.ts';

let mock: MockUpstream;
before(async () => {
  mock = await createMockUpstream();
});
after(() => mock[Symbol.asyncDispose]());

type Counts = readonly [prompt: number | null, cached: number | null, completion: number | null];

interface Shape {
  readonly api?: 'anthropic';
  /** Chunks of the stream, and the same answer whole. */
  readonly stream: readonly object[];
  readonly whole: object;
  readonly counts: Counts;
}

const said = (content: string, more: object = {}) => ({
  model: 'm',
  choices: [{ index: 0, delta: { content } }],
  ...more,
});
const end = (more: object = {}, inside: object = {}) => ({
  model: 'm',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop', ...inside }],
  ...more,
});
const last = (more: object) => ({ model: 'm', choices: [], ...more });
const whole = (more: object, inside: object = {}) => ({
  object: 'chat.completion',
  model: 'm',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'one two' }, finish_reason: 'stop', ...inside },
  ],
  ...more,
});
const usage = (prompt: number, completion: number, more: object = {}) => ({
  usage: {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...more,
  },
});
const cached = (cached_tokens: number) => ({ prompt_tokens_details: { cached_tokens } });

const text = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'one two' } };
const message = (counts: object) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  usage: counts,
});
const anthropic = (start: object, delta: object | null, counts: Counts, both: object): Shape => ({
  api: 'anthropic',
  stream: [
    { type: 'message_start', message: { ...message(start), content: [] } },
    text,
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      ...(delta === null ? {} : { usage: delta }),
    },
    { type: 'message_stop' },
  ],
  whole: { ...message(both), content: [{ type: 'text', text: 'one two' }], stop_reason: 'end_turn' },
  counts,
});

const shapes: Readonly<Record<string, Shape>> = {
  'OpenAI: a last chunk without choices, null before': {
    stream: [
      said('one', { usage: null }),
      said(' two', { usage: null }),
      end({ usage: null }),
      last(usage(9, 2, cached(4))),
    ],
    whole: whole(usage(9, 2, cached(4))),
    counts: [9, 4, 2],
  },
  'Mistral: beside the last choice': {
    stream: [said('one'), said(' two'), end(usage(9, 2))],
    whole: whole(usage(9, 2)),
    counts: [9, null, 2],
  },
  'OpenRouter: a last chunk that has choices again, after the finish': {
    stream: [said('one'), end(), { ...said('', usage(9, 2, cached(5))) }],
    whole: whole(usage(9, 2, cached(5))),
    counts: [9, 5, 2],
  },
  'vLLM: with every chunk, growing': {
    stream: [
      said('one', usage(9, 1)),
      said(' two', usage(9, 2)),
      end(usage(9, 2)),
      last(usage(9, 2, cached(8))),
    ],
    whole: whole(usage(9, 2, cached(8))),
    counts: [9, 8, 2],
  },
  'twice, the first with zeros': {
    stream: [said('one', usage(0, 0)), end(), last(usage(9, 2))],
    whole: whole(usage(9, 2)),
    counts: [9, null, 2],
  },
  'twice, the second without what was cached': {
    stream: [said('one'), end(usage(9, 2, cached(4))), last(usage(9, 2))],
    whole: whole(usage(9, 2, cached(4))),
    counts: [9, 4, 2],
  },
  'only in the first chunk': {
    stream: [said('one two', usage(9, 2)), end()],
    whole: whole(usage(9, 2)),
    counts: [9, null, 2],
  },
  'in parts: the prompt first, the answer last': {
    stream: [
      said('one', { usage: { prompt_tokens: 9, completion_tokens: null } }),
      end({ usage: { completion_tokens: 2 } }),
    ],
    whole: whole(usage(9, 2)),
    counts: [9, null, 2],
  },
  'DeepSeek: hits of its cache under a name of their own': {
    stream: [said('one'), end(usage(9, 2, { prompt_cache_hit_tokens: 3, prompt_cache_miss_tokens: 6 }))],
    whole: whole(usage(9, 2, { prompt_cache_hit_tokens: 3, prompt_cache_miss_tokens: 6 })),
    counts: [9, 3, 2],
  },
  'Moonshot: inside the last choice': {
    stream: [said('one'), end({}, usage(9, 2))],
    whole: whole(usage(9, 2)),
    counts: [9, null, 2],
  },
  'Groq: in a place of its own': {
    stream: [said('one'), end({ x_groq: { id: 'req_1', ...usage(9, 2) } })],
    whole: whole({ ...usage(9, 2), x_groq: { id: 'req_1' } }),
    counts: [9, null, 2],
  },
  'the prompt alone': {
    stream: [said('one'), end({ usage: { prompt_tokens: 9 } })],
    whole: whole({ usage: { prompt_tokens: 9 } }),
    counts: [9, null, null],
  },
  'what is no count': {
    stream: [said('one'), end({ usage: { prompt_tokens: '9', completion_tokens: -2 } })],
    whole: whole({ usage: { prompt_tokens: 9.5, completion_tokens: null } }),
    counts: [null, null, null],
  },
  none: { stream: [said('one'), end()], whole: whole({}), counts: [null, null, null] },
  'Anthropic: the prompt at the start, the answer at the end': anthropic(
    { input_tokens: 3, cache_read_input_tokens: 4, cache_creation_input_tokens: 2, output_tokens: 1 },
    { output_tokens: 2 },
    [9, 4, 2],
    { input_tokens: 3, cache_read_input_tokens: 4, cache_creation_input_tokens: 2, output_tokens: 2 },
  ),
  'Anthropic: all of it again at the end': anthropic(
    { input_tokens: 0, output_tokens: 0 },
    { input_tokens: 5, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 2 },
    [9, 4, 2],
    { input_tokens: 5, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 2 },
  ),
  'Anthropic: no word of a cache': anthropic({ input_tokens: 9 }, { output_tokens: 2 }, [9, null, 2], {
    input_tokens: 9,
    output_tokens: 2,
  }),
  'Anthropic: none': anthropic({}, null, [null, null, null], {}),
};

/** The upstream answers so, as a stream or, as some servers do whatever they are asked, with the whole. */
function answerWith(shape: Shape, streamed: boolean): void {
  mock.custom(({ response }) => {
    if (!streamed) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(shape.whole));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const each of shape.stream) {
      const name = 'type' in each ? `event: ${each.type}\n` : '';
      response.write(`${name}data: ${JSON.stringify(each)}\n\n`);
    }
    response.end(shape.api === undefined ? 'data: [DONE]\n\n' : '');
  });
}

interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
}

/** The usage of an answer of `/v1/chat/completions`, asked for whole or as a stream. */
async function usageAt(url: string, stream: boolean): Promise<ChatUsage | null> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: 'Count.' }],
      // The receipt is the node's own, and so is then all of the answer.
      kith: { receipt: true },
      ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    }),
  });
  const body = await response.text();
  assert.equal(response.status, 200, body);
  if (!stream) return (JSON.parse(body) as { usage?: ChatUsage }).usage ?? null;
  const chunks = [...body.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data!));
  assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
  return chunks.at(-1).usage;
}

for (const [name, shape] of Object.entries(shapes)) {
  test(`${name}: four ways to come by an answer, one usage`, async () => {
    const [prompt, cachedTokens, completion] = shape.counts;
    await using ledger = createLedger({
      path: ':memory:',
      clock: systemClock,
      log: silentLogger,
      budgets: [],
      priceOf: () => ({ prompt: 2, completion: 10 }),
    });
    await using bench = await openGateway(
      [{ name: 'far', base: mock.base('custom'), ...(shape.api === undefined ? {} : { api: shape.api }) }],
      { ledger },
    );
    let requests = 0;
    for (const upstream of [true, false]) {
      answerWith(shape, upstream);
      for (const stream of [true, false]) {
        const got = await usageAt(bench.url, stream);
        const how = `upstream ${upstream ? 'streamed' : 'whole'}, ${stream ? 'streamed' : 'whole'} here`;
        if (prompt === null || completion === null) assert.equal(got, null, how);
        else {
          const counts = [
            got?.prompt_tokens,
            got?.prompt_tokens_details?.cached_tokens ?? null,
            got?.completion_tokens,
          ];
          assert.deepEqual(counts, shape.counts, how);
        }
        const { total } = ledger.report({ by: 'backend', since: null, until: null });
        requests++;
        const isKnown = prompt !== null && completion !== null;
        assert.deepEqual(
          total,
          {
            ...{ requests, answered: requests, failed: 0, left: 0, kept: 0 },
            promptTokens: requests * (prompt ?? 0),
            cachedTokens: requests * (cachedTokens ?? 0),
            completionTokens: requests * (completion ?? 0),
            uncounted: isKnown ? 0 : requests,
            cost: isKnown ? (requests * (2 * prompt + 10 * completion)) / 1e6 : 0,
            unpriced: isKnown ? 0 : requests,
          },
          how,
        );
      }
    }
  });
}

test('a backend whose budget is spent is passed over, and a request that nobody may answer is refused', async () => {
  answerWith(shapes['Mistral: beside the last choice']!, true);
  const { log } = listening();
  await using ledger = createLedger({
    ...{ path: ':memory:', clock: systemClock, log },
    budgets: [
      { backend: 'first', tokens: 10, per: 'month' },
      { backend: 'second', model: 'm', tokens: 10, per: 'all' },
    ],
  });
  const places = ['first', 'second'].map((name) => ({ name, base: mock.base('custom'), model: 'm' }));
  await using bench = await openGateway(places, { ledger });
  const ask = () =>
    fetch(`${bench.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'm',
        messages: [{ role: 'user', content: 'Hi' }],
        kith: { receipt: true },
      }),
    });
  for (const name of ['first', 'second']) {
    const response = await ask();
    assert.deepEqual([response.status, response.headers.get('x-kith-backend')], [200, name]);
    await response.text();
  }
  const refused = await ask();
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.deepEqual([refused.status, error.code], [429, 'budget_exceeded']);
  assert.match(error.message, /the budget 'backend first per month' is spent/);
});
