import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PRIVACY_LEVELS } from '../../src/gateway/index.ts';
import { APIS } from './apis.ts';
import { lastText, openCapture, type Play } from './capture.ts';
import { type Json, MODEL, openKith, post } from './kith.ts';
import { Haystack } from './leaks.ts';

/** Words that nobody writes by chance, and values of several classes. */
const CANARIES = [
  'zanzibarquokka',
  'log.anna@example.org',
  '4111 1111 1111 1111',
  '+49 30 5550 9876',
  'hunter2zebra99',
  'path.bert@example.org',
  'tool.cleo@example.org',
];
const prompt = `${CANARIES[0]}: I am ${CANARIES[1]}, card ${CANARIES[2]}, phone ${CANARIES[3]}, password: ${CANARIES[4]}`;

/** Ways in which servers repeat what they were asked. */
const echoes: readonly (readonly [string, Play])[] = [
  ...[400, 401, 404, 422, 429, 500, 503].map((status): [string, Play] => [
    `status ${status}`,
    (asked, response) => {
      const message = `cannot answer: ${asked.messages === undefined ? asked.prompt : lastText(asked)}`;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message, type: 'error', code: message } }));
    },
  ]),
  [
    'no JSON',
    (asked, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a": ${lastText(asked)}`),
  ],
  [
    'text',
    (asked, response) => response.writeHead(500, { 'content-type': 'text/plain' }).end(lastText(asked)),
  ],
  [
    'strange type',
    (asked, response) => response.writeHead(200, { 'content-type': lastText(asked).slice(0, 14) }).end('x'),
  ],
  ['an error in a stream', (asked, response) => stream(response, [{ error: { message: lastText(asked) } }])],
  [
    'an error behind a piece',
    (asked, response) =>
      stream(response, [piece(asked, 'Hi'), { error: { message: lastText(asked), code: 500 } }]),
  ],
  [
    'a broken chunk',
    (asked, response) => stream(response, [piece(asked, 'Hi'), `{"choices": ${lastText(asked)}`]),
  ],
  ['no chunk', (asked, response) => stream(response, [[lastText(asked)]])],
  ['a cut', (asked, response) => stream(response, [piece(asked, lastText(asked))])],
];

const piece = (asked: Json, content: string) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: asked.model,
  choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }],
});

function stream(response: ServerResponse, chunks: readonly unknown[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks)
    response.write(`data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`);
  response.end();
}

test('nothing that the node writes down holds what was asked or answered, at any level, whatever goes wrong', async () => {
  const spans: string[] = [];
  const collector = createServer(async (request, response) => {
    for await (const chunk of request) spans.push(String(chunk));
    response.end('{}');
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const otlp = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  await using one = await openCapture();
  // One alone: of several that fail, only their codes are told.
  const places = [{ name: 'n0', base: one.base }];
  const kith = await openKith(places, { retries: 1, breaker: { failures: 1_000 } }, otlp);
  let asked = 0;
  try {
    for (const level of PRIVACY_LEVELS) {
      const headers = { 'x-kith-privacy': level };
      for (const api of APIS) {
        await api.ask(kith.url, prompt, api.streams, headers);
        asked++;
      }
      for (const [name, play] of echoes) {
        one.play(play);
        for (const streamed of [false, true]) {
          // A server that failed just now would not be asked.
          for (const { name } of places) kith.gateway.reset(name);
          one.forget();
          await APIS[0]!.ask(kith.url, prompt, streamed, headers);
          const sent = one.bodies.length;
          assert.equal(sent > 0, level !== 'maximum', `${level}, ${name}: ${sent} were asked`);
          asked++;
        }
      }
      one.play(null);
      // Bodies that cannot be read, and names, paths and headers that hold something.
      const chat = `${kith.url}/v1/chat/completions`;
      const messages = [{ role: 'user', content: prompt }];
      const garbage = [`{"messages": ${prompt}`, `[${prompt}]`, JSON.stringify({ messages: prompt })];
      for (const text of garbage)
        await fetch(chat, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: text,
        });
      await post(chat, { model: CANARIES[5], messages }, headers);
      await post(chat, { model: MODEL, messages, temperature: CANARIES[0] }, headers);
      const tool = { type: 'function', function: { name: 'f', parameters: { type: CANARIES[6] } } };
      await post(chat, { model: MODEL, messages, tools: [tool] }, headers);
      await fetch(`${kith.url}/v1/models/${encodeURIComponent(CANARIES[5]!)}?q=${CANARIES[0]}`, { headers });
      await fetch(`${kith.url}/${CANARIES[0]}/${CANARIES[5]}`, { headers });
      asked += 7;
    }
    const figures = await kith.figures();
    const detailed = await (await fetch(`${kith.url}/health/detailed`)).text();
    await kith[Symbol.asyncDispose]();
    const log = kith.logged();
    const written = { log, figures, traces: spans.join(''), health: detailed };
    // They were written, and speak of these requests.
    assert.ok((log.match(/"msg":"request"/g) ?? []).length >= asked, 'the access log is not whole');
    assert.ok((log.match(/"msg":"(?:request|stream) failed"/g) ?? []).length >= 20, 'no failure was logged');
    assert.match(figures, /\/v1\/chat\/completions/);
    assert.ok(spans.length > 0 && spans.join('').includes('/v1/chat/completions'));
    for (const [place, text] of Object.entries(written)) {
      const haystack = new Haystack(Buffer.from(text));
      for (const canary of CANARIES) assert.deepEqual(haystack.formsOf(canary), [], `${place}: ${canary}`);
    }
  } finally {
    await kith[Symbol.asyncDispose]();
    collector.closeAllConnections();
    collector.close();
  }
});

test('an error that repeats the prompt tells the caller placeholders only, at medium', async () => {
  await using capture = await openCapture();
  await using kith = await openKith([{ name: 'a', base: capture.base }], { policy: { privacy: 'medium' } });
  capture.play(echoes[0]![1]);
  const reply = await APIS[0]!.ask(kith.url, prompt, false);
  assert.equal(reply.status, 400);
  assert.match(reply.text, /\[EMAIL_1\]/);
});
