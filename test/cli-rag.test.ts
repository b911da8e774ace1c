/** `kith rag` as its user runs it: without a node, with one, and over a kill. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AnswerFigures } from '../src/knowledge/index.ts';
import type { AnswerView, JobView, KbView, SearchView } from '../src/server/index.ts';
import { begin, kith, type Running, stopAll } from './cli-support.ts';
import { ragOf, writeNotes } from './knowledge/rag-support.ts';
import { createHome, type TestHome } from './node-support.ts';

let home: TestHome;
let notes: string;
let node: Running;

const run = (...args: string[]) => kith(['rag', ...args, '--home', home.path]);

async function start(): Promise<string> {
  node = begin(['start', '--home', home.path]);
  await node.said('ready');
  const { out } = await kith(['status', '--json', '--home', home.path]);
  return (JSON.parse(out) as { url: string }).url;
}

before(async () => {
  home = await createHome();
  notes = join(home.path, 'Notes');
  await writeNotes(notes);
});
after(async () => {
  stopAll();
  await node?.ended;
  await home.remove();
});

test('without a node, a folder is followed and searched by this command itself', async () => {
  const none = await run('list');
  assert.equal(none.code, 0, none.err);
  assert.match(none.out, /kith rag init/);
  const unknown = await run('query', 'notes', 'tea');
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no knowledge base 'notes'.*kith rag list/);
  assert.equal((await run('init', 'notes')).code, 0);
  const synced = await run('sync', 'notes', notes);
  assert.equal(synced.code, 3, synced.err);
  assert.match(synced.out, /4 files taken in .*1 failed/);
  assert.match(synced.err, /Notes\/broken\.pdf/);

  const asked = await run('query', 'notes', 'repair', 'of', 'the', 'vehicle', '-k', '1');
  assert.equal(asked.code, 0, asked.err);
  assert.match(asked.out, /1\. Notes\/car\.html/);
  assert.match(asked.out, /brake pads/);
  const words = await run('query', 'notes', 'vehicle', '--mode', 'words');
  assert.equal(words.code, 1, 'nobody wrote "vehicle"');
  const answered = await run('query', 'notes', 'How', 'long', 'should', 'green', 'tea', 'steep?', '--answer');
  assert.equal(answered.code, 0, answered.err);
  assert.match(answered.out, /two minutes\. \[1\]\n\n\[1\] Notes\/tea\.md, line \d+: Green tea/);
  assert.match(answered.err, /no model wrote/);
  assert.match((await run('cache', 'notes')).out, /^1 answer kept/);
  assert.match((await run('cache', 'notes', 'clear')).out, /1 answer removed/);
  assert.equal((await run('cache', 'notes', 'cleer')).code, 2);
  const failed = await run('docs', 'notes', '--failed');
  assert.match(failed.out, /Notes\/broken\.pdf +parse_broken/);
  const missing = await run('ingest', 'notes', join(home.path, 'none.txt'));
  assert.equal(missing.code, 1);
  assert.match(missing.err, /none\.txt cannot be taken in: there is no such file/);
  assert.match((await run('import', 'copy', join(home.path, 'none.sqlite'))).err, /There is no file/);
  assert.equal((await run('query', 'notes', ' ')).code, 2);
  assert.equal((await run('ingest', 'notes', notes, '--under', '../elsewhere')).code, 2);
});

/** `kith rag serve` on a free port, until the work is done; then Ctrl-C. */
async function served(
  more: readonly string[],
  work: (url: string, key: string | null) => Promise<void>,
): Promise<void> {
  const serving = begin(['rag', 'serve', 'notes', '--port', '0', '--json', '--home', home.path, ...more]);
  let out = '';
  serving.child.stdout!.on('data', (piece) => {
    out += piece;
  });
  await serving.said('}\n');
  const { url, key } = JSON.parse(out) as { url: string; key: string | null };
  await work(url, key);
  serving.child.kill('SIGINT');
  const { code, err } = await serving.ended;
  assert.equal(code, 0, err);
}

async function answerOf(url: string, question: string, key?: string): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify({ model: 'notes', messages: [{ role: 'user', content: question }] }),
  });
  const told = (await response.json()) as { choices: { message: { content: string } }[] };
  assert.equal(response.status, 200, JSON.stringify(told));
  return told.choices[0]!.message.content;
}

test('without a node, other programs of this machine are answered until Ctrl-C, and only these knowledge bases are shown', async () => {
  assert.equal((await run('init', 'private')).code, 0);
  const wide = await run('serve', 'notes', '--host', '0.0.0.0', '--port', '0');
  assert.equal(wide.code, 2);
  assert.match(wide.err, /--key/);
  await served([], async (url) => {
    const { data } = (await (await fetch(`${url}/models`)).json()) as { data: { id: string }[] };
    assert.deepEqual(
      data.map(({ id }) => id),
      ['notes'],
    );
    assert.match(await answerOf(url, 'When does the automobile need new brake pads?'), /March\. \[1\]/);
    assert.equal((await fetch(`${url}/ingest?path=x.txt`, { method: 'POST', body: 'x' })).status, 401);
    assert.equal((await fetch(url.replace('/v1', '/api/rag/kbs'))).status, 404);
  });
  assert.equal((await run('destroy', 'private', '--yes')).code, 0);
});

test('with a node the same knowledge base is reached over it', async () => {
  await start();
  const listed = await run('list', '--json');
  const [kb] = JSON.parse(listed.out) as KbView[];
  assert.equal(kb!.contents!.documents, 4);
  await served(['--key'], async (url, key) => {
    assert.equal((await fetch(`${url}/models`)).status, 401);
    assert.match(await answerOf(url, 'When does the automobile need new brake pads?', key!), /March\. \[1\]/);
  });
  const again = await run('sync', 'notes', '--json');
  assert.equal(again.code, 3);
  const [job] = JSON.parse(again.out) as JobView[];
  assert.deepEqual([job!.progress.totals.done, job!.progress.totals.failed], [0, 1]);
  const named = await run('graph', 'notes', 'show', 'lisbon');
  assert.equal(named.code, 0, named.err);
  assert.match(named.out, /^Lisbon\n[\s\S]*tram 28/);
  assert.equal((await run('graph', 'notes', 'merge', 'Lisbon')).code, 2);
  const found = JSON.parse((await run('query', 'notes', 'tea', '--json')).out) as SearchView;
  assert.equal(found.hits[0]!.path, 'Notes/tea.md');
  const questions = [
    'How long should green tea steep?',
    'And at how many degrees?',
    'Who was Napoleon married to?',
    '/sources',
    '/exit',
    'never asked',
  ];
  const talked = await kith(['rag', 'chat', 'notes', '--home', home.path], questions.join('\n'));
  assert.equal(talked.code, 0, talked.err);
  assert.match(talked.out, /two minutes\. \[1\].*70 degrees.*The documents do not answer this/s);
  assert.equal(talked.out.match(/The documents do not answer/g)!.length, 1);
  const refused = await run(
    'query',
    'notes',
    'Napoleon',
    'Josephine',
    '--answer',
    '--writer',
    'auto',
    '--json',
  );
  assert.equal(refused.code, 1, refused.err);
  const told = JSON.parse(refused.out) as AnswerView;
  assert.deepEqual([told.outcome, told.writers], ['refused', []]);
  const removed = await run('delete-doc', 'notes', 'Notes/tea.md');
  assert.match(removed.out, /1 document removed/);
  assert.doesNotMatch((await run('docs', 'notes')).out, /tea\.md/);
  const rebuilt = await run('rebuild', 'notes');
  assert.equal(rebuilt.code, 0, rebuilt.err);
  assert.match(rebuilt.out, /vectors made/);
  assert.match((await run('jobs', 'notes')).out, /rebuild +done/);
});

test('a part is shared with a peer, and a question goes to what several share', async () => {
  const peer = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pn';
  const shared = await run('share', 'notes', '--with', peer, '--path', 'Notes/trips/', '--expires', '2d');
  assert.equal(shared.code, 0, shared.err);
  assert.match(shared.out, /^kith-grant:[\w-]+\n$/);
  assert.match(shared.err, /notes \(Notes\/trips\/\) is shared with 12D3KooWBtg3a/);
  const asked = await run('query', 'notes,', 'tram', '-k', '1');
  assert.equal(asked.code, 0, asked.err);
  assert.match(asked.out, /^1\. notes Notes\/trips\/lisbon\.txt, line 1\n/);
  assert.match(asked.err, /notes: 1 hit in /);
});

test('a judged set is asked and measured, and compared with the run of before', async () => {
  const set = join(home.path, 'set');
  await mkdir(set);
  const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  await writeFile(
    join(set, 'corpus.jsonl'),
    lines(['car', 'lisbon', 'costs'].map((_id) => ({ _id, title: '', text: _id }))),
  );
  await writeFile(
    join(set, 'queries.jsonl'),
    lines([
      { _id: 'q1', text: 'repair of the vehicle' },
      { _id: 'q2', text: 'tram in Portugal' },
    ]),
  );
  await writeFile(join(set, 'qrels.tsv'), 'query-id\tcorpus-id\tscore\nq1\tcar\t1\nq2\tlisbon\t1\n');
  const kept = join(home.path, 'run.txt');
  const measured = await run('eval', 'notes', set, '--mode', 'both', '--write', kept, '--json');
  assert.equal(measured.code, 0, measured.err);
  const told = JSON.parse(measured.out) as { questions: number; measures: Record<string, number> };
  assert.deepEqual([told.questions, told.measures['ndcg@10'], told.measures.mrr], [2, 1, 1]);
  const words = await run('eval', 'notes', set, '--mode', 'words', '--against', kept);
  assert.equal(words.code, 0, words.err);
  assert.match(words.out, /ndcg@10 .*-50\.00 .*0 more, 1 less, 1 alike/);
  assert.match(words.out, /COST OF A QUESTION/);
  const questions = join(home.path, 'questions.json');
  await writeFile(
    questions,
    JSON.stringify([
      {
        question: 'Which tram goes up the hill in Lisbon?',
        expected_keywords: ['28', ['river', 'harbour'], 'ferry'],
      },
      { question: 'Who was Napoleon married to?', answerable: false },
    ]),
  );
  const searched = await run('eval', 'notes', questions, '--mode', 'both', '--json');
  assert.equal(searched.code, 0, searched.err);
  const found = JSON.parse(searched.out) as {
    questions: number;
    measures: Record<string, number>;
    cost: { calls: number; promptTokens: number; diskPerThousand: number };
  };
  assert.deepEqual([found.questions, found.measures['keywords@1'], found.measures.mrr], [1, 2 / 3, 1]);
  assert.deepEqual([found.cost.calls, found.cost.promptTokens], [0, 0]);
  assert.ok(found.cost.diskPerThousand > 0);
  const keptAnswers = join(home.path, 'answers.jsonl');
  const answers = await run('eval', 'notes', questions, '--answers', '--write', keptAnswers, '--json');
  assert.equal(answers.code, 0, answers.err);
  const again = await run('eval', 'notes', questions, '--answers', '--against', keptAnswers, '--limit', '1');
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /^keywords +0\.00 .*0 more, 0 less, 1 alike/m);
  assert.match(again.err, /Compared over 1 question; 0 are in this run alone, 1 in the other/);
  const mixed = await run('eval', 'notes', questions, '--answers', '--against', kept);
  assert.equal(mixed.code, 1);
  assert.match(mixed.err, /Line 1 of the run cannot be used.*--write/);
  const {
    questions: asked,
    falseRefusals,
    refusals,
    citationPrecision,
    keywords,
  } = JSON.parse(answers.out) as AnswerFigures;
  assert.deepEqual([asked, falseRefusals, refusals, citationPrecision, keywords], [1, 0, 1, 1, 2 / 3]);
});

test('a job goes on by itself after its node was killed, and a command follows it to the end', async () => {
  const many = join(home.path, 'many');
  await mkdir(many);
  const sentence = (i: number) => `In entry ${i} the harbour master counts the boats of pier ${i % 7}. `;
  // More passages than are embedded at once: when the first are taken in, others are still to come.
  const count = 160;
  for (let i = 0; i < count; i++) await writeFile(join(many, `${i}.txt`), sentence(i).repeat(6));
  const url = ((await kith(['status', '--json', '--home', home.path])).out.match(/"url":\s*"([^"]+)"/) ??
    [])[1]!;
  const rag = await ragOf({ url }, home.path);
  let [job] = (await rag<{ jobs: JobView[] }>('POST', '/notes/sync', { folder: many })).jobs;
  while (job!.progress.totals.done === 0)
    job = await rag<JobView>('GET', `/notes/jobs/${job!.id}?seen=${job!.step}`);
  node.child.kill('SIGKILL');
  await node.ended;
  assert.equal(job!.state, 'running');
  const stopped = await run('jobs', 'notes');
  assert.match(stopped.out, /sync +stopped/);
  assert.match(stopped.err, /Nobody works on what is stopped.*kith start.*--cancel/);

  const again = await ragOf({ url: await start() }, home.path);
  const ended = await again.ended(await again<JobView>('GET', `/notes/jobs/${job!.id}`));
  assert.equal(ended.state, 'done', JSON.stringify(ended.error));
  const { done, skipped } = ended.progress.totals;
  assert.equal(done + skipped, count);
  assert.ok(skipped > 0, 'what was taken in before the kill was not taken in again');
  const view = await again<KbView>('GET', '/notes');
  assert.equal(view.contents!.documents, count + 3);
  assert.equal(view.contents!.vectors, view.contents!.chunks);
});

test('what is named goes out as notes and comes back, a copy becomes a knowledge base, and a folder is followed no longer', async () => {
  const vault = join(home.path, 'vault');
  const out = await run('export', 'notes', vault, '--obsidian', '--all');
  assert.equal(out.code, 0, out.err);
  assert.match(out.out, /vault: \d+ names and \d+ documents in notes; \d+ written, 0 unchanged, 0 removed/);
  const index = join(vault, 'Entities', (await readdir(join(vault, 'Entities')))[0]!);
  await writeFile(index, (await readFile(index, 'utf8')).replace(/\n# (.*)\n/u, '\n# $1\n\nSaid by hand.\n'));
  const held = await run('export', 'notes', vault, '--obsidian', '--all');
  assert.equal(held.code, 3);
  assert.match(held.err, /left: Entities\/.*kith rag import/);
  assert.match(
    (await run('import', 'notes', vault, '--dry-run')).out,
    /1 change in 1 note would be taken in/,
  );
  const back = await run('import', 'notes', vault);
  assert.equal(back.code, 0, back.err);
  assert.match(back.out, /1 change in 1 note taken in\n.*summary: Said by hand\./);
  assert.equal((await run('export', 'notes', vault)).code, 2, 'neither notes nor a copy');

  const file = join(home.path, 'copy.sqlite');
  assert.match((await run('export', 'notes', file)).out, /a copy of notes/);
  assert.match((await run('export', 'notes', file)).err, /--force/);
  assert.match((await run('import', 'again', file)).out, /Knowledge base again .* documents/);
  assert.match((await run('sync', 'again')).err, /follows no folder/, 'a copy brings none along');
  assert.match((await run('sync', 'again', notes)).out, /files? taken in/);
  const kept = await run('sync', 'again', '--forget', notes, '--keep');
  assert.equal(kept.code, 0, kept.err);
  assert.match(kept.out, /is followed no longer; no document was removed/);
  assert.match((await run('sync', 'again', '--forget', notes)).err, /does not follow/);
  assert.equal((await run('destroy', 'again', '--yes')).code, 0);
});

test('a knowledge base is destroyed only when its owner says so', async () => {
  const refused = await run('destroy', 'notes');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /--yes/);
  assert.equal((await run('destroy', 'notes', '--yes')).code, 0);
  assert.match((await run('list')).out, /no knowledge base yet/);
});
