/** NS-LLM's routes without a model: bodies into requests, events into its streams, names into ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError } from '../../base/index.ts';
import type { ChatEvent, Receipt } from '../../gateway/index.ts';
import { parseEmbed } from './embed.ts';
import { generateEncoding, parseGenerate } from './generate.ts';
import { modelNamed } from './model-name.ts';

const { signal } = new AbortController();
const generate = (body: unknown) => parseGenerate(body, signal, () => 7);

test('a prompt and its options become the request', () => {
  const { prompt, raw, options, stream, receipt } = generate({
    prompt: 'Who?',
    model: 'm',
    max_tokens: 9,
    temperature: 0.5,
    stop: ['\n\n', 'User:'],
    seed: 3,
    unknown: true,
  });
  assert.equal(prompt, 'Who?');
  assert.deepEqual(options, {
    model: 'm',
    n: 1,
    sampler: { seed: 3, topLogprobs: null, temperature: 0.5 },
    drawnSeed: false,
    maxTokens: 9,
    stop: ['\n\n', 'User:'],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal,
  });
  assert.deepEqual([raw, stream, receipt], [false, null, false]);
  assert.equal(generate({ text: 'Who?', stream: false }).prompt, 'Who?');
  assert.equal(generate({ text: 'Who?', stream: false }).stream, false);
});

test('one text is embedded, under either name', () => {
  assert.deepEqual(parseEmbed({ text: 'a\ud800' }), { text: 'a\ufffd', model: null, truncate: false });
  assert.deepEqual(parseEmbed({ input: 'a', model: 'm', kith: { truncate: true } }), {
    text: 'a',
    model: 'm',
    truncate: true,
  });
});

test('bodies that do not fit are refused by name', () => {
  const cases: [() => unknown, string, RegExp][] = [
    [() => generate({}), 'prompt', /is missing/],
    [() => generate({ prompt: '' }), 'prompt', /must not be empty/],
    [() => generate({ prompt: 5 }), 'prompt', /string/],
    [() => generate({ prompt: 'a', n: 2 }), 'n', /one answer/],
    [() => generate({ prompt: 'a', max_tokens: 0 }), 'max_tokens', />=1/],
    [() => generate({ prompt: 'a', temperature: 3 }), 'temperature', /<=2/],
    [() => parseEmbed({}), 'text', /is missing/],
    [() => parseEmbed({ text: '' }), 'text', /must not be empty/],
    [() => parseEmbed({ text: ['a'] }), 'text', /v1\/embeddings/],
    [() => parseEmbed({ text: 'a', kith: { cut: true } }), 'kith.cut', /no such option/],
  ];
  for (const [work, param, message] of cases) {
    assert.throws(work, (error) => {
      assert.ok(error instanceof InputError);
      assert.equal(error.param, param);
      assert.match(error.message, message);
      return true;
    });
  }
});

test('any JSON gives a request or a typed refusal', () => {
  const field = fc.constantFrom(
    'prompt',
    'text',
    'input',
    'model',
    'stop',
    'max_tokens',
    'stream',
    'raw',
    'kith',
  );
  const body = fc.dictionary(field, fc.oneof(fc.string({ unit: 'binary' }), fc.boolean(), fc.jsonValue()));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (one) => {
      for (const read of [generate, parseEmbed]) {
        try {
          const parsed = read(one);
          taken++;
          assert.ok(('prompt' in parsed ? parsed.prompt : parsed.text).isWellFormed());
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          assert.equal(error.status, 400);
        }
      }
    }),
    // How many are taken depends on the draw; that some are is what makes the property worth something.
    { numRuns: 1000, seed: 7 },
  );
  assert.ok(taken > 20, String(taken));
});

const receipt: Receipt = { backend: 'local', model: 'm', queueMs: 1, prefillMs: 2, decodeMs: 3, notes: [] };
const start: ChatEvent = { type: 'start', backend: 'local', model: 'm' };
const text = (value: string): ChatEvent => ({ type: 'text', choice: 0, text: value, logprobs: null });
const finish = (reason: 'stop' | 'length', stop: string | null): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stop,
  slidTokens: 0,
});
const usage: ChatEvent = { type: 'usage', promptTokens: 9, cachedTokens: 4, completionTokens: 3, receipt };

test('a stream has these bytes', () => {
  const encoding = generateEncoding(4, () => 12, true);
  const events = [start, text('A'), text(''), text('\n"b"'), finish('stop', null), usage];
  assert.equal(
    events.map((event) => encoding.encode(event)).join('') + encoding.end(),
    `event: meta
data: {"model":"m","received":4}

event: token
data: {"token":"A","idx":0}

event: token
data: {"token":"\\n\\"b\\"","idx":1}

event: done
data: {"done":true,"token_count":3,"model":"m","tokens_generated":3,"latency_ms":12,"stop_reason":"eos_token","kith":{"backend":"local","model":"m","queue_ms":1,"prefill_ms":2,"decode_ms":3,"notes":[]}}

`,
  );
  assert.equal(
    encoding.error({ status: 503, code: 'engine_lost', message: 'Lost.', param: null }, 'req-1'),
    'event: error\ndata: {"error":"Lost.","code":"engine_lost","param":null,"request_id":"req-1"}\n\n',
  );
});

test('each way to end has its reason', () => {
  const ending = (event: ChatEvent) => {
    const encoding = generateEncoding(4, () => 12, false);
    const last = [start, event, usage].map((each) => encoding.encode(each)).at(-1)!;
    return /"stop_reason":"(\w+)"/.exec(last)?.[1];
  };
  assert.equal(ending(finish('stop', null)), 'eos_token');
  assert.equal(ending(finish('stop', '\n')), 'stop_sequence');
  assert.equal(ending(finish('length', null)), 'max_tokens');
});

test('names of NS-LLM’s documents mean the ids of this node', () => {
  const ids = ['all-minilm-l6-v2', 'tinyllama-1.1b-chat', 'Big', 'big-one', 'big-two'];
  assert.equal(modelNamed('all-MiniLM-L6-v2', ids), 'all-minilm-l6-v2');
  assert.equal(modelNamed('tinyllama-1.1b', ids), 'tinyllama-1.1b-chat');
  assert.equal(modelNamed('Big', ids), 'Big');
  assert.equal(modelNamed('big-', ids), 'big-');
  assert.equal(modelNamed('other', ids), 'other');
  assert.equal(modelNamed('b', ['b-1', 'b-2']), 'b');
});
