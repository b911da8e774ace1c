import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Given, type JobEnd, MOST_FILES, planUploads, settleUploads, sumsOf } from './uploads.ts';

const words = { tooLarge: (bytes: number) => `${bytes} is too much`, empty: 'nothing in it' };
const file = (path: string, bytes = 10): Given<string> => ({ path, bytes, body: path });
const plan = (given: readonly Given<string>[]) => planUploads(given, 1, 100, words);

test('what is too large or empty is said before anything is sent, and hidden files are not meant', () => {
  const { uploads, bodies, beyond } = plan([
    file('a.pdf'),
    file('huge.pdf', 101),
    file('none.txt', 0),
    file('Notes/.obsidian/app.json'),
    file('.DS_Store'),
    file('a.pdf'),
  ]);
  assert.deepEqual(
    uploads.map(({ path, state, trouble }) => [path, state, trouble?.message ?? null]),
    [
      ['a.pdf', 'ready', null],
      ['huge.pdf', 'left', '101 is too much'],
      ['none.txt', 'left', 'nothing in it'],
    ],
  );
  assert.deepEqual([...bodies], [[1, 'a.pdf']]);
  assert.equal(beyond, 0);
});

test('names become places in a knowledge base: none leads out of it', () => {
  const { uploads } = plan([file('../../etc/passwd'), file('/abs//x.md'), file('C:\\notes\\y.md')]);
  assert.deepEqual(
    uploads.map(({ path }) => path),
    ['etc/passwd', 'abs/x.md', 'C:/notes/y.md'],
  );
});

test('files beyond the bound are counted and not sent', () => {
  const { uploads, beyond } = plan(Array.from({ length: MOST_FILES + 3 }, (_, at) => file(`${at}.md`)));
  assert.equal(uploads.length, MOST_FILES);
  assert.equal(beyond, 3);
});

const ended = (id: number, state: string, failure?: string): JobEnd => ({
  ...{ id, state, error: null },
  progress: {
    totals: { done: failure === undefined ? 1 : 0, skipped: 0, failed: failure === undefined ? 0 : 1 },
    failures: failure === undefined ? [] : [{ code: failure, message: `${failure}.` }],
  },
});

test('an upload is over when its job is, and says what the job said', () => {
  const { uploads } = plan([file('a.md'), file('b.md'), file('c.md'), file('d.md')]);
  const taking = uploads.map((upload, at) => ({
    ...upload,
    state: 'taking' as const,
    sent: 10,
    job: at + 1,
  }));
  const after = settleUploads(taking, [
    ended(1, 'done'),
    ended(2, 'done', 'parse_broken'),
    ended(3, 'running'),
  ]);
  assert.deepEqual(
    after.map(({ state, trouble }) => [state, trouble?.code ?? null]),
    [
      ['done', null],
      ['failed', 'parse_broken'],
      ['taking', null],
      ['taking', null],
    ],
  );
  const sums = sumsOf(after);
  assert.deepEqual(sums, { files: 4, over: 2, failed: 1, left: 0, sent: 40, bytes: 40, busy: true });
  assert.equal(sumsOf(settleUploads(after, [ended(3, 'done'), ended(4, 'cancelled')])).busy, false);
});
