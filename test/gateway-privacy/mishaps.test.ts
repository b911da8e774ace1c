import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createAnswerCache, createSqliteStore } from '../../src/gateway/index.ts';
import { type Capture, chatChunks, lastText, openCapture } from './capture.ts';
import { type Json, MODEL, openKith, type Place, post } from './kith.ts';
import { Haystack } from './leaks.ts';

const MAIL = 'hap.anna@example.org';
const PASSPORT = '548291037';
const NAME = 'Ffion Zabrze';
const VALUES = [MAIL, PASSPORT, NAME];
// Only the first mention of the number and of the name has a word that tells what they are.
const prompt = `My passport number is ${PASSPORT} and my name is ${NAME}. Write to ${MAIL}: dear ${NAME}, ${PASSPORT} it is, and so on, ${MAIL}, ${PASSPORT}.`;
const medium = { policy: { privacy: 'medium' } } as const;
const body = { model: MODEL, messages: [{ role: 'user', content: prompt }], kith: { receipt: true } };

function holdsNothing(capture: Capture, what: string): void {
  const haystack = new Haystack(capture.bytes());
  for (const value of VALUES) assert.deepEqual(haystack.formsOf(value), [], `${what}: ${value}`);
}

const textOf = (parts: readonly Json[]) =>
  parts.map(({ choices: [choice] = [] }: Json) => (choice?.delta ?? choice?.message)?.content ?? '').join('');
const formsIn = (value: Json): string[] => [...JSON.stringify(value).matchAll(/\[[A-Z]+_\d+\]/g)].map(String);

/** The first frames of an answer, up to `share` of them, and then the connection breaks. */
function cutAfter(share: number) {
  return (asked: Json, response: ServerResponse) => {
    const chunks = chatChunks(asked);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of chunks.slice(0, Math.floor(chunks.length * share)))
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    setImmediate(() => response.destroy());
  };
}

const continuing = {
  more: { abilities: { continues: true } },
  backend: { abilities: { prefill: 'last_message' } },
} as const;

/** Says what is left of the answer, as a server does that goes on from its beginning. */
function goOn(asked: Json, response: ServerResponse): void {
  const last = asked.messages.at(-1);
  const said: string = last.role === 'assistant' ? last.content : '';
  const whole = lastText(asked);
  assert.ok(whole.startsWith(said), `${JSON.stringify(said)} is no beginning of ${JSON.stringify(whole)}`);
  const rest = { ...asked, messages: [{ role: 'user', content: whole.slice(said.length) }] };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chatChunks(rest)) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.end('data: [DONE]\n\n');
}

test('an answer that breaks off is gone on with by another server, which gets the same placeholders', async () => {
  // Cut everywhere: within placeholders, between them, right behind them.
  for (const share of [0.35, 0.5, 0.65, 0.9]) {
    await using first = await openCapture();
    await using second = await openCapture();
    const places: Place[] = [
      { name: 'a', base: first.base, ...continuing },
      { name: 'b', base: second.base, ...continuing },
    ];
    await using kith = await openKith(places, medium);
    first.play(cutAfter(share));
    second.play(goOn);
    const reply = await post(`${kith.url}/v1/chat/completions`, { ...body, stream: true });
    assert.equal(textOf(reply.parts), prompt, `cut at ${share}`);
    assert.equal(second.bodies.length, 1, `cut at ${share}: the other was not asked`);
    holdsNothing(first, `first, ${share}`);
    holdsNothing(second, `second, ${share}`);
    const before = second.bodies[0].messages.at(-1);
    assert.equal(before.role, 'assistant');
    // What was said is said with the names that the first server knew it by.
    assert.deepEqual(first.bodies[0].messages[0].content, second.bodies[0].messages[0].content);
    for (const form of formsIn(before)) assert.ok(formsIn(first.bodies[0]).includes(form), form);
  }
});

test('servers that are asked next, beside or together get placeholders only', async () => {
  for (const [name, headers, options] of [
    ['failover', {}, medium],
    ['redundancy', { 'x-kith-redundancy': '3' }, medium],
    ['agreement', { 'x-kith-redundancy': '3', 'x-kith-decide': 'agreement' }, medium],
    ['hedge', {}, { policy: { privacy: 'medium', hedgeMs: 1 } }],
  ] as const) {
    await using one = await openCapture();
    await using two = await openCapture();
    await using three = await openCapture();
    const all = [one, two, three];
    await using kith = await openKith(
      all.map(({ base }, i) => ({ name: `n${i}`, base })),
      options,
    );
    if (name === 'failover') {
      one.play((_, response) => response.writeHead(503).end('{"error":{"message":"busy"}}'));
      two.play((_, response) => response.destroy());
    }
    if (name === 'hedge') one.play((asked, response) => setTimeout(() => goOn(asked, response), 300));
    const reply = await post(`${kith.url}/v1/chat/completions`, body, headers);
    assert.equal(reply.status, 200, `${name}: ${reply.text}`);
    assert.equal(textOf(reply.parts), prompt, name);
    const asked = all.filter(({ bodies }) => bodies.length > 0);
    assert.ok(asked.length >= 2, `${name}: only ${asked.length} were asked`);
    for (const capture of asked) {
      holdsNothing(capture, name);
      assert.ok(formsIn(capture.bodies[0]).length >= 6);
    }
  }
});

test('a kept answer has its values, was made from placeholders, and serves one level only', async () => {
  await using capture = await openCapture();
  const store = createSqliteStore({ path: ':memory:', clock: systemClock, log: silentLogger } as never);
  const cache = createAnswerCache({ store, clock: systemClock, log: silentLogger });
  await using kith = await openKith([{ name: 'a', base: capture.base }], { cache });
  const ask = (privacy: string) =>
    post(
      `${kith.url}/v1/chat/completions`,
      { ...body, temperature: 0 },
      {
        'x-kith-cache': 'keep',
        'x-kith-privacy': privacy,
      },
    );
  for (const expected of [1, 1]) {
    const reply = await ask('medium');
    assert.equal(textOf(reply.parts), prompt);
    await cache.settled();
    assert.equal(capture.bodies.length, expected);
  }
  holdsNothing(capture, 'cache');
  // What was asked with the values is not what was asked without.
  await ask('minimum');
  assert.equal(capture.bodies.length, 2);
  assert.equal((await ask('maximum')).status, 403);
  assert.equal(capture.bodies.length, 2);
});

test('a request that is searched in a thread keeps its promise as a short one does', async () => {
  await using first = await openCapture();
  await using second = await openCapture();
  await using kith = await openKith(
    [
      { name: 'a', base: first.base, ...continuing },
      { name: 'b', base: second.base, ...continuing },
    ],
    medium,
  );
  const long = 'The harbour was quiet and the boats lay still. '.repeat(1_000);
  first.play(cutAfter(0.8));
  second.play(goOn);
  const content = `${prompt} Again ${PASSPORT}.`;
  const reply = await post(`${kith.url}/v1/chat/completions`, {
    ...body,
    messages: [
      { role: 'system', content: `Again ${PASSPORT}. ${long}` },
      { role: 'user', content },
    ],
    stream: true,
  });
  assert.equal(textOf(reply.parts), content);
  holdsNothing(first, 'long, first');
  holdsNothing(second, 'long, second');
});
