import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readJudgedSet } from './judged-set.ts';

const CORPUS = '{"_id":"d1","title":"One","text":"first"}\n\n{"_id":"d2","text":"second"}\n';
const QUERIES = '{"_id":"q1","text":"which?"}\n{"_id":"q2","text":"none"}\n{"_id":"q3","text":"unjudged"}\n';
const QRELS = 'query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t0\r\n';

async function folderOf(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'kith-judged-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('a set in the form of BEIR is read, and questions without relevant documents are left out', async () => {
  await using folder = await folderOf({
    'corpus.jsonl': CORPUS,
    'queries.jsonl': QUERIES,
    'qrels.tsv': QRELS,
  });
  const set = await readJudgedSet(folder.path);
  assert.deepEqual(set.documents, [
    { id: 'd1', title: 'One', text: 'first' },
    { id: 'd2', title: '', text: 'second' },
  ]);
  assert.deepEqual(set.questions, [{ id: 'q1', text: 'which?' }]);
  assert.deepEqual(
    set.judgements.get('q1'),
    new Map([
      ['d1', 2],
      ['d2', 0],
    ]),
  );
});

test('judgements in the four columns of TREC are read too', async () => {
  await using folder = await folderOf({
    'corpus.jsonl': CORPUS,
    'queries.jsonl': QUERIES,
    'qrels.tsv': 'q1\t0\td2\t1\n',
  });
  assert.deepEqual((await readJudgedSet(folder.path)).judgements.get('q1'), new Map([['d2', 1]]));
});

test('what is not of the form is refused with file and line', async () => {
  const good = { 'corpus.jsonl': CORPUS, 'queries.jsonl': QUERIES, 'qrels.tsv': QRELS };
  for (const [change, message] of [
    [
      { 'corpus.jsonl': '{"_id":"d1","text":"a"}\n{"_id":"d1","text":"b"}' },
      /Line 2 of .*corpus\.jsonl.*before/,
    ],
    [{ 'corpus.jsonl': 'no json' }, /Line 1 .*no JSON/],
    [{ 'corpus.jsonl': '[1]' }, /no JSON object/],
    [{ 'corpus.jsonl': '{"_id":7,"text":"a"}' }, /no _id/],
    [{ 'corpus.jsonl': '{"_id":"d1","text":5}' }, /text is no text/],
    [{ 'qrels.tsv': 'q1\td1\tmuch\n' }, /whole number/],
    [{ 'qrels.tsv': 'q1 d1 1\n' }, /tabs/],
  ] as const) {
    await using folder = await folderOf({ ...good, ...change });
    await assert.rejects(readJudgedSet(folder.path), { code: 'judged_set_invalid', message });
  }
  await assert.rejects(readJudgedSet('/nowhere/at/all'), {
    code: 'judged_set_invalid',
    message: /There is no file/,
  });
});

test('files, lines and ids are bounded', async () => {
  await using folder = await folderOf({
    'corpus.jsonl': CORPUS,
    'queries.jsonl': QUERIES,
    'qrels.tsv': QRELS,
  });
  const limited = { code: 'limit_reached' };
  await assert.rejects(readJudgedSet(folder.path, { bytes: 20 }), limited);
  await assert.rejects(readJudgedSet(folder.path, { lines: 1 }), limited);
  await assert.rejects(readJudgedSet(folder.path, { lineBytes: 30 }), limited);
  await assert.rejects(readJudgedSet(folder.path, { id: 1 }), { code: 'judged_set_invalid' });
});
