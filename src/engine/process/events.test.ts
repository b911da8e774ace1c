import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { GenerateEvent, TokenLogprobs } from '../types.ts';
import type { OutgoingFrame } from './channel.ts';
import { decodeEvent, EventQueue, encodeEvent } from './events.ts';
import { createOutbox } from './outbox.ts';

const text = (value: string, logprobs: TokenLogprobs[] | null = null): GenerateEvent => ({
  type: 'text',
  text: value,
  tokens: 1,
  logprobs,
});
const start: GenerateEvent = { type: 'start', promptTokens: 3, cachedTokens: 1 };
const finish: GenerateEvent = {
  type: 'finish',
  reason: 'stop',
  stop: null,
  slidTokens: 0,
  usage: { promptTokens: 3, cachedTokens: 1, completionTokens: 9, queueMs: 0, prefillMs: 1, decodeMs: 2 },
};
const said = (events: readonly GenerateEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.text : `<${event.type}>`)).join('');
const tokens = (events: readonly GenerateEvent[]) =>
  events.reduce((sum, event) => sum + (event.type === 'text' ? event.tokens : 0), 0);

async function readAll(queue: EventQueue): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for (let event = await queue.next(); event !== null; event = await queue.next()) events.push(event);
  return events;
}

test('an event is the same after the wire, bytes and minus infinity included', () => {
  const entry: TokenLogprobs = {
    token: 5,
    bytes: Uint8Array.of(0xe2, 0x82),
    logprob: -0.5,
    top: [{ token: 6, bytes: new Uint8Array(0), logprob: Number.NEGATIVE_INFINITY }],
  };
  for (const event of [start, finish, text('€', [entry])]) {
    assert.deepEqual(decodeEvent(JSON.parse(JSON.stringify(encodeEvent(event)))), event);
  }
  assert.throws(() => decodeEvent({ type: 'text', text: 5 }), /no generation event/);
});

test('a queue gives every character and token in order, in a bounded number of events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 600 }), async (reads) => {
      const queue = new EventQueue();
      const got: GenerateEvent[] = [];
      queue.push(start);
      for (const [index, read] of reads.entries()) {
        queue.push(text(`${index},`));
        assert.ok(queue.waiting <= 65, `${queue.waiting} wait`);
        if (read) got.push((await queue.next())!);
      }
      queue.push(finish);
      queue.end();
      got.push(...(await readAll(queue)));
      assert.equal(said(got), `<start>${reads.map((_, index) => `${index},`).join('')}<finish>`);
      assert.equal(tokens(got), reads.length);
    }),
    { numRuns: 60 },
  );
});

test('what came before a failure is delivered first', async () => {
  const queue = new EventQueue();
  for (let i = 0; i < 200; i++) queue.push(text('x'));
  queue.fail(new Error('lost'));
  queue.push(text('late'));
  let got = '';
  await assert.rejects(async () => {
    for (;;) got += said([(await queue.next())!]);
  }, /lost/);
  assert.equal(got, 'x'.repeat(200));
});

test('a closed queue wakes its reader with the end', async () => {
  const queue = new EventQueue();
  const reading = queue.next();
  queue.close();
  assert.equal(await reading, null);
});

test('while the pipe is full, text of a request is merged and nothing overtakes it', () => {
  const sent: OutgoingFrame[] = [];
  const channel = { backlog: 0, send: (frame: OutgoingFrame) => sent.push(frame) > 0 };
  const outbox = createOutbox(channel);
  outbox.event(1, text('a'));
  channel.backlog = 1 << 20;
  for (let i = 0; i < 1000; i++) outbox.event(1, text('b'));
  outbox.event(2, text('c'));
  assert.deepEqual([sent.length, outbox.waiting], [1, 2]);
  outbox.event(1, finish);
  outbox.frame({ type: 'reply', id: 2, end: true });
  assert.deepEqual(
    sent.map(({ type, id, meta }) => [id, type === 'event' ? (meta?.text ?? meta?.type) : type]),
    [
      [1, 'a'],
      [1, 'b'.repeat(1000)],
      [1, 'finish'],
      [2, 'c'],
      [2, 'reply'],
    ],
  );
  outbox.event(3, text('d'));
  channel.backlog = 0;
  outbox.drained();
  assert.equal(outbox.waiting, 0);
  assert.equal(sent.at(-1)?.meta?.text, 'd');
});
