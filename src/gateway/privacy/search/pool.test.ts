import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation } from '../conversation.ts';
import { type HideJob, runHide, unitsOf } from './job.ts';
import { createSearchPool } from './pool.ts';

const signal = new AbortController().signal;
const filler = 'The harbour was quiet and the boats lay still. ';
const long = (part: string, units: number) => filler.repeat(Math.ceil(units / filler.length)) + part;

function chat(content: string): HideJob {
  return { kind: 'chat', texts: { messages: [{ role: 'user', content }], stop: ['anna@example.org'] } };
}

test('a thread hides what the thread that serves would hide, and goes on with its placeholders', async () => {
  await using pool = createSearchPool({ patterns: [{ name: 'badge', pattern: 'B-\\d{4}' }], threads: 1 });
  const conversation = new Conversation();
  conversation.hide('mail bert@example.org');
  const job = chat(
    long('Write to anna@example.org, passport 548291037, badge B-1234, bert@example.org.', 40_000),
  );
  const { texts, report } = await pool.hide(job, conversation, signal);
  const text = JSON.stringify(texts);
  assert.match(text, /Write to \[EMAIL_2\], passport \[ID_1\], badge \[PRIVATE_1\], \[EMAIL_1\]/);
  assert.match(text, /"stop":\["\[EMAIL_2\]"\]/);
  assert.deepEqual(
    report.found.map(({ class: name, count, distinct }) => `${name} ${count} ${distinct}`),
    ['email 3 2', 'id 1 1', 'other 1 1'],
  );
  assert.equal(conversation.restore('[EMAIL_2] [PRIVATE_1]'), 'anna@example.org B-1234');
  // What comes next, with or without a thread, knows what the thread found.
  assert.equal(conversation.hide('Is 548291037 right?'), 'Is [ID_1] right?');
  const again = await pool.hide(
    { kind: 'list', texts: ['548 291 037', 'cleo@example.org'] },
    conversation,
    signal,
  );
  assert.deepEqual(again.texts, ['[ID_2]', '[EMAIL_3]']);
  assert.equal(pool.threads, 1);
});

test('the thread that serves goes on while a long text is searched', async () => {
  await using pool = createSearchPool({ patterns: [], threads: 1 });
  const conversation = new Conversation();
  const searching = pool.hide(chat(long('anna@example.org', 300_000)), conversation, signal);
  let turns = 0;
  let done = false;
  const counting = (async () => {
    while (!done) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await searching;
  done = true;
  await counting;
  assert.ok(turns > 50, `${turns} turns`);
});

test('a caller who leaves gets no answer, and the thread does not go on for nobody', async () => {
  await using pool = createSearchPool({ patterns: [], threads: 1 });
  const leaving = new AbortController();
  const waiting = new AbortController();
  const conversation = new Conversation();
  const first = pool.hide(chat(long('a@example.org', 400_000)), conversation, leaving.signal);
  const second = pool.hide(chat('b@example.org'), conversation, waiting.signal);
  const third = pool.hide(chat('c@example.org'), conversation, signal);
  waiting.abort();
  leaving.abort();
  await assert.rejects(first, { code: 'aborted' });
  await assert.rejects(second, { code: 'aborted' });
  assert.equal((await third).report.found[0]?.class, 'email');
  assert.deepEqual(
    conversation.values().map(({ value }) => value),
    ['c@example.org', 'anna@example.org'],
  );
  await assert.rejects(pool.hide(chat('d'), conversation, leaving.signal), { code: 'aborted' });
});

test('a search that takes too long ends in an error, and the next one has a new thread', async () => {
  const pool = createSearchPool({ patterns: [], threads: 1, limitMs: 1 });
  const conversation = new Conversation();
  await assert.rejects(pool.hide(chat(long('a@example.org', 300_000)), conversation, signal), {
    code: 'privacy_search_failed',
    status: 503,
  });
  assert.deepEqual(conversation.found(), []);
  assert.equal(pool.threads, 0);
  await pool[Symbol.asyncDispose]();
  await assert.rejects(pool.hide(chat('a'), conversation, signal), { code: 'privacy_search_failed' });
});

test('the shortest goes first, and a long one that was passed over often enough before them', async () => {
  await using pool = createSearchPool({ patterns: [], threads: 1 });
  const order: string[] = [];
  const ask = (name: string, units: number) =>
    pool
      .hide(chat(long('a@example.org', units)), new Conversation(), signal)
      .then(() => void order.push(name));
  await Promise.all([
    ask('running', 20_000),
    ask('long', 9000),
    ask('longer', 12_000),
    ask('d', 4000),
    ask('a', 1000),
    ask('c', 3000),
    ask('b', 2000),
    ask('e', 5000),
  ]);
  assert.deepEqual(order, ['running', 'a', 'b', 'c', 'd', 'long', 'longer', 'e']);
});

test('no more wait than may, and what holds too much is refused by the thread as well', async () => {
  await using pool = createSearchPool({ patterns: [], threads: 1, maxWaiting: 1 });
  const conversation = new Conversation();
  const running = pool.hide(chat(long('a@example.org', 100_000)), conversation, signal);
  const waiting = pool.hide(chat('b@example.org'), conversation, signal);
  await assert.rejects(pool.hide(chat('c@example.org'), conversation, signal), {
    code: 'limit_reached',
    status: 429,
  });
  await Promise.all([running, waiting]);
  const many = Array.from({ length: 10_001 }, (_, i) => `u${i}@example.org`).join(' ');
  await assert.rejects(pool.hide(chat(many), conversation, signal), { code: 'limit_reached', status: 413 });
  assert.throws(() => runHide(chat(many), new Conversation()), { code: 'limit_reached', status: 413 });
});

test('units are counted in every string, and not far beyond the limit', () => {
  assert.equal(unitsOf({ ab: ['cde', { f: 'gh' }, 7, null, true] }), 8);
  assert.equal(unitsOf(new Int32Array(4)), 16);
  assert.ok(
    unitsOf(
      Array.from({ length: 1000 }, () => 'x'.repeat(10)),
      50,
    ) < 100,
  );
});
