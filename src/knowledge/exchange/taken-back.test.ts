import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { followFacts, followGraph } from '../graph/index.ts';
import { createKbView, exportNotes } from './index.ts';
import { library, of, stateOf } from './testing/library.ts';

test('what was taken in and is taken back in the note goes again, each time', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  const original = await note('Ada Lovelace');
  const changes = async () => (await back()).changes.map(({ what }) => what);
  const change = (text: string) =>
    text
      .replace('type: Person', 'type: Event')
      .replace('aliases: []', 'aliases: [Countess]')
      .replace('Wrote the first \\*program\\*.', 'Mine.')
      .replace(/- colleague.*\n.*\n/u, '- knows:: [[London]]\n');
  await edit('Ada Lovelace', change);
  const there = await changes();
  assert.equal(there.length, 5);
  // To the letter, without an export in between.
  await edit('Ada Lovelace', () => original);
  assert.equal((await out()).leftCount, 1, 'an export would write over what was taken back');
  const expected = [
    'type: Person',
    'summary: Wrote the first *program*.',
    'no alias: Countess',
    'colleague: charles babbage',
    'not knows: london',
  ];
  assert.deepEqual(await changes(), expected);
  assert.deepEqual(await changes(), []);
  assert.equal((await out()).leftCount, 0);
  assert.match(await note('Ada Lovelace'), /type: Person\naliases: \[\]\n[\s\S]*Wrote the first \\\*program/);
  // And with one.
  await edit('Ada Lovelace', change);
  assert.equal((await changes()).length, 5);
  await out();
  await edit('Ada Lovelace', (text) =>
    text
      .replace('type: Event', 'type: Person')
      .replace('aliases:\n  - Countess', 'aliases: []')
      .replace('Mine.', 'Wrote the first \\*program\\*.')
      .replace('- knows:: [[London]]', '- colleague:: [[Charles Babbage]]'),
  );
  assert.deepEqual((await changes()).toSorted(), expected.toSorted());
  await out();
  assert.doesNotMatch(await note('Ada Lovelace'), /Countess|knows|Mine/);
  assert.deepEqual(await changes(), []);
  assert.equal((await out()).written, 0);
});

test('an edit that was taken in is not taken in again over what the knowledge base was told since', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  await edit('Ada Lovelace', (text) => text.replace('type: Person', 'type: Event'));
  assert.equal((await back()).changeCount, 1);
  store.assert([{ subject: 'ada lovelace', property: 'type', value: 'Place', by: 'owner', made: 9 }]);
  assert.deepEqual([(await back()).changeCount, (await out()).leftCount], [0, 0]);
  assert.match(await note('Ada Lovelace'), /type: Place\n/);
});

test('a name that was given by the file, and the merge of two, are taken back by it, too', async () => {
  const store = library();
  const { folder, out, back, note } = of(store);
  await out();
  const move = (from: string, to: string) =>
    rename(join(folder, 'Entities', `${from}.md`), join(folder, 'Entities', `${to}.md`));
  const changes = async () => (await back()).changes.map(({ what }) => what);
  await move('London', 'Londinium');
  assert.deepEqual(await changes(), ['name: Londinium']);
  assert.deepEqual(await changes(), []);
  await move('Londinium', 'London');
  assert.deepEqual(await changes(), ['name: London']);
  assert.deepEqual(await changes(), []);

  await mkdir(join(folder, 'mine'));
  await move('C Babbage', '../mine/Charles Babbage');
  assert.deepEqual(await changes(), ['is one with charles babbage']);
  assert.deepEqual(await changes(), []);
  await rename(join(folder, 'mine', 'Charles Babbage.md'), join(folder, 'Entities', 'C Babbage.md'));
  assert.deepEqual(await changes(), ['is one of its own again']);
  assert.equal((await out()).leftCount, 0);
  assert.match(await note('C Babbage'), /kith-id: c babbage\n/);
  assert.match(await note('Charles Babbage'), /aliases: \[\]\n/);
  assert.deepEqual(await changes(), []);
  assert.equal((await out()).written, 0);
});

test('a relation that has no word in schema.org keeps its own, beside others to the same', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  const changes = async () => (await back()).changes.map(({ what }) => what);
  await edit('Ada Lovelace', (text) =>
    text.replace(
      '- colleague::',
      '- lives in:: [[London]]\n- loves:: [[London]]\n- [[London]]\n- colleague::',
    ),
  );
  assert.deepEqual(await changes(), ['livesIn: london', 'loves: london', 'relatedTo: london']);
  assert.deepEqual(await changes(), []);
  const said = store.assertionsOf(['ada lovelace']).filter(({ object }) => object === 'london');
  assert.deepEqual([...new Set(said.map(({ relation }) => relation))], ['relatedTo']);
  assert.equal((await out()).leftCount, 0);
  assert.match(
    await note('Ada Lovelace'),
    /- livesIn:: \[\[London\]\]\n- loves:: \[\[London\]\]\n- relatedTo:: \[\[London\]\]\n/,
  );
  await edit('Ada Lovelace', (text) => text.replace('- loves:: [[London]]\n', ''));
  assert.deepEqual(await changes(), ['not loves: london']);
  await out();
  assert.doesNotMatch(await note('Ada Lovelace'), /loves/);
  assert.match(await note('Ada Lovelace'), /livesIn/);
  assert.deepEqual(await changes(), []);
});

test('a note that is gone comes again and takes nothing away, and of a copy the first counts', async () => {
  const store = library();
  const { folder, out, back, edit, note } = of(store);
  await out();
  await edit('Ada Lovelace', (text) => text.replace('type: Person', 'type: Event'));
  await back();
  await rm(join(folder, 'Entities', 'Ada Lovelace.md'));
  assert.equal((await back()).changeCount, 0);
  await out();
  assert.match(await note('Ada Lovelace'), /type: Event\n[\s\S]*- colleague:: \[\[Charles Babbage\]\]/);
  await writeFile(
    join(folder, 'Entities', 'Ada Lovelace 1.md'),
    (await note('Ada Lovelace')).replace('type: Event', 'type: Place'),
  );
  const report = await back();
  assert.equal(report.changeCount, 0);
  assert.deepEqual(report.left, [
    { file: 'Entities/Ada Lovelace 1.md', why: 'It is a copy of Entities/Ada Lovelace.md: that one counts.' },
  ]);
  assert.equal((await out()).leftCount, 1);
  assert.match(await note('Ada Lovelace 1'), /type: Place\n/, 'nothing of the copy is lost');
});

test('a relation whose line nobody understands any more is not taken away', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  const before = await note('Ada Lovelace');
  await edit('Ada Lovelace', (text) => text.replace('- colleague:: [[', '- colleague:: [ ['));
  await edit('Ada Lovelace', (text) => text.replace('- colleague:: [ [Charles Babbage]]', '- (colleague)::'));
  const report = await back();
  assert.equal(report.changeCount, 0, JSON.stringify(report.changes));
  assert.equal(report.left.length, 1);
  await edit('Ada Lovelace', () => before);
  assert.equal((await back()).changeCount, 0);
});

test('an export that failed writes nothing any more, and says in the folder that it is not whole', async () => {
  const store = library();
  const { folder, out, back } = of(store);
  await mkdir(join(folder, 'Entities'), { recursive: true });
  const graph = followGraph(store);
  const view = await createKbView({ store, graph, names: await followFacts(store).current(), folders: [] });
  let asked = 0;
  const keys = view.keys(1).length;
  const failing = {
    ...view,
    facts(key: string) {
      // When the notes were looked at, and the first is being written.
      if (++asked === keys + 2) throw new Error('no more');
      return view.facts(key);
    },
  };
  await assert.rejects(exportNotes(failing, { folder, least: 1 }), /no more/);
  const state = await stateOf(folder);
  assert.ok(Object.keys(state).some((file) => file.includes('unfinished-')));
  assert.ok(!Object.keys(state).some((file) => file.endsWith('.tmp')), 'nobody writes any more');
  const { isWhole } = await back().catch(() => ({ isWhole: false }));
  assert.equal(isWhole, false);
  await out();
  assert.equal((await back()).isWhole, true);
});

test('what a kill left half is removed by the next export, and only then', async () => {
  const store = library();
  const { folder, out } = of(store);
  await out();
  const half = [
    'Entities/.Ada Lovelace.md.0123456789ab.tmp',
    '.Index.md.0123456789ab.tmp',
    '.kith/.exported-x.json.0123456789ab.tmp',
  ].map((file) => join(folder, file));
  for (const file of half) await writeFile(file, 'ha');
  await out();
  for (const file of half) assert.ok((await stat(file)).isFile(), 'nothing says that an export was killed');
  await writeFile(join(folder, '.kith', `unfinished-${store.id.slice(0, 12)}.txt`), '');
  await out();
  for (const file of half) await assert.rejects(stat(file), { code: 'ENOENT' });
  assert.deepEqual(
    (await readdir(join(folder, '.kith'))).filter((name) => !name.startsWith('exported-')),
    [],
  );
});
