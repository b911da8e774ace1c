import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { createDecoder } from '../backends/openai/decode.ts';
import { Events } from './events.ts';
import { Watch } from './frames.ts';

const server = 'http://one.test';

function watch(): Watch {
  const decoder = createDecoder({
    api: 'chat',
    backend: 'one',
    model: 'm',
    server,
    choices: 1,
    random: createSeededRandom(1),
    now: () => 0,
    secrets: [],
  });
  return new Watch(server, decoder);
}

/** What is given of some pieces, up to the end that the stream says. */
function follow(pieces: readonly Buffer[]): { given: Buffer; done: boolean; watch: Watch } {
  const events = new Events(server);
  const watching = watch();
  const given: Buffer[] = [];
  for (const piece of pieces) {
    const whole = events.add(piece);
    if (whole === null) continue;
    const { doneAt } = watching.look(whole);
    given.push(whole.subarray(0, doneAt ?? whole.length));
    if (doneAt !== null) return { given: Buffer.concat(given), done: true, watch: watching };
  }
  return { given: Buffer.concat(given), done: false, watch: watching };
}

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const delta = (content: string) =>
  data({ choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null });
const finish = (more: object = {}) =>
  data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], ...more });
const usage = { prompt_tokens: 3, completion_tokens: 5 };
const done = 'data: [DONE]\n\n';
const large = {
  citations: Array.from({ length: 400 }, (_, i) => `https://example.com/${i}/${'x'.repeat(40)}`),
};
const known = { promptTokens: 3, cachedTokens: null, completionTokens: 5 };

test('finish and counts are found however large the events around them are', () => {
  for (const end of [
    finish(large) + data({ choices: [], usage }),
    finish() + data({ choices: [], usage, ...large }),
    finish({ usage, ...large }),
    finish({ x_groq: { usage }, ...large }),
    data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }], ...large }),
    finish({ usage }) + data({ choices: [], ...large }),
    'data: {"choices":\ndata: [{"finish_reason":\ndata: "stop"}],\ndata: "usage":\ndata: {"prompt_tokens":3,"completion_tokens":5}}\n\n',
    'data: {"choices" : [{"finish_reason" : "stop"}], "usage" : {"prompt_tokens":3,"completion_tokens":5}}\n\n',
  ]) {
    const { watch: watching, done: ended } = follow([Buffer.from(delta('a') + end), Buffer.from(done)]);
    assert.ok(ended);
    assert.deepEqual(watching.end(), { reason: 'stop', usage: known }, end.slice(0, 200));
  }
});

test('an error is seen wherever it stands, and so is an answer that goes on after its end', () => {
  const error = data({ error: { message: 'broken', code: 500 } });
  for (const bytes of [
    error + delta('a'.repeat(20_000)),
    delta('a') + data({ error: { message: 'x'.repeat(20_000) } }) + delta('b'),
    `event: error\ndata: {"message":"broken"}\n\n${delta('a')}`,
    `data: {\ndata: "error":\ndata: {"message":"broken"}}\n\n${delta('a')}`,
    data({ object: 'error', message: 'broken' }),
    finish() + delta('more'),
    `data: what\n\n${delta('a')}`,
    data([]),
  ])
    assert.throws(() => follow([Buffer.from(bytes)]), { name: 'UpstreamError' }, bytes.slice(0, 80));
  assert.throws(() => follow([Buffer.from(delta('"error": "finish_reason":"stop"'))]).watch.end(), {
    code: 'upstream_cut',
  });
  const huge = Buffer.alloc(2 ** 20 + 1, 'x');
  assert.throws(() => follow([huge]), { code: 'upstream_line_too_long' });
});

test('nothing that follows the end is given', () => {
  const whole = delta('a') + finish({ usage }) + done;
  const after = follow([Buffer.from(`${whole}${delta('more')}`)]);
  assert.ok(after.done);
  assert.equal(after.given.toString(), whole);
});

test('what is given and found is the same however the bytes are cut', () => {
  const ends = fc.constantFrom('\n', '\r\n');
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 6 });
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  fc.assert(
    fc.property(texts, ends, cuts, fc.boolean(), (contents, end, places, pings) => {
      const events = contents.map((text) => (pings ? ': ping\n\n' : '') + delta(text)).join('');
      const text = `${events}${finish({ usage })}${done}`.replaceAll('\n', end);
      const bytes = Buffer.from(text);
      const sorted = [0, ...places.map((place) => place % bytes.length), bytes.length].sort((a, b) => a - b);
      const pieces = sorted.slice(1).map((place, index) => bytes.subarray(sorted[index], place));
      const found = follow(pieces.filter(({ length }) => length > 0));
      assert.ok(found.done);
      assert.equal(found.given.toString(), text);
      assert.deepEqual(found.watch.end(), { reason: 'stop', usage: known });
      assert.ok(found.watch.about >= contents.length && found.watch.about <= contents.length + 60);
    }),
    { numRuns: 300 },
  );
});
