import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { followFacts, followGraph } from '../graph/index.ts';
import { normalForm } from '../graph/normal.ts';
import { createKbView, exportNotes } from './index.ts';
import { DOCUMENTS, idOf, library, of, open, put, root, stateOf } from './testing/library.ts';

test('notes say what is known, link to each other and quote what says so', async () => {
  const { folder, out, note } = of(library());
  const report = await out();
  assert.equal(report.leftCount, 0);
  assert.equal(report.sources, 3);
  const ada = await note('Ada Lovelace');
  assert.match(
    ada,
    /^---\ntype: Person\naliases: \[\]\nmentions: 2\ndocuments: 2\ntags:\n {2}- kith\/person\nkith-id: ada lovelace\nkith-seal: kb/,
  );
  assert.match(ada, /\n# Ada Lovelace\n\nWrote the first \\\*program\\\*\.\n/);
  assert.match(ada, /\n- birthDate:: 1815\n {2}> /);
  assert.match(
    ada,
    /\n- colleague:: \[\[Charles Babbage\]\]\n {2}> Ada Lovelace worked with Charles Babbage in London\. \(\[\[engine (?:\([0-9a-f]{4}\)\|engine)?\]\]\)|\(\[\[engine/,
  );
  const index = await readFile(join(folder, 'Index.md'), 'utf8');
  assert.match(
    index,
    /### City \(1\)\n\n- \[\[London\]\] \(2\)\n\n### Person \(1\)\n\n- \[\[Ada Lovelace\]\] \(2\)/,
  );
});

test('a second export without changes touches nothing, and an import then changes nothing', async () => {
  const store = library();
  const { folder, out, back } = of(store);
  await out();
  const before = await stateOf(folder);
  const again = await out();
  assert.deepEqual([again.written, again.removed, again.leftCount], [0, 0, 0]);
  assert.deepEqual(await stateOf(folder), before);
  const version = store.version();
  const report = await back();
  assert.deepEqual([report.changeCount, report.left, report.run], [0, [], null]);
  assert.equal(store.version(), version);
  const fresh = of(store);
  await fresh.out();
  const names = (state: object) => Object.keys(state).length;
  assert.equal(names(await stateOf(fresh.folder)), names(before));
  assert.equal(
    await fresh.note('London'),
    await of(store, folder).note('London'),
    'the same bytes elsewhere',
  );
});

test('what an owner changes in a note comes back, and nothing else; then all is quiet', async () => {
  const store = library();
  const { folder, out, back, edit, note } = of(store);
  await out();
  const others = await note('London');
  await edit('Ada Lovelace', (text) =>
    text
      .replace('type: Person', 'type: scholarly article')
      .replace('aliases: []', 'aliases:\n  - Countess of Lovelace\n  - "Byron, Ada"')
      .replace('Wrote the first \\*program\\*.', 'Mathematician, see [[London|the city]].')
      .replace(
        '- colleague:: [[Charles Babbage]]',
        '- knows:: [[Charles Babbage]]\n- lives in [[London]]\n- works for:: [[Nobody Yet]]',
      )
      .replace('birthDate:: 1815', 'birthDate:: 10 December 1815'),
  );
  const held = await out();
  assert.deepEqual(
    held.left.map(({ file }) => file),
    ['Entities/Ada Lovelace.md'],
    'an export leaves it alone',
  );
  const planned = await back(true);
  assert.equal(planned.run, null);
  const report = await back();
  assert.equal(report.changeCount, planned.changeCount);
  assert.deepEqual(
    report.changes.map(({ what }) => what),
    [
      'type: ScholarlyArticle',
      'summary: Mathematician, see the city.',
      'alias: Byron, Ada',
      'alias: Countess of Lovelace',
      'birthDate: 10 December 1815',
      'knows: charles babbage',
      'relatedTo: london',
      'worksFor: nobody yet',
      'not birthDate: 1815',
      'not colleague: charles babbage',
    ],
  );
  assert.deepEqual([report.conflicts, report.left], [[], []]);
  const once = await back();
  assert.equal(once.changeCount, 0, 'what is known already is no change');
  assert.equal((await out()).leftCount, 0);
  const ada = await note('Ada Lovelace');
  assert.match(ada, /type: ScholarlyArticle\naliases:\n {2}- Byron, Ada\n {2}- Countess of Lovelace\n/);
  assert.match(
    ada,
    /- birthDate:: 10 December 1815\n- knows:: \[\[Charles Babbage\]\]\n- relatedTo:: \[\[London\]\]\n- worksFor:: \[\[nobody yet\]\]\n/,
  );
  assert.equal(await note('London'), others);
  const before = await stateOf(folder);
  assert.equal((await back()).changeCount, 0);
  assert.equal((await out()).written, 0);
  assert.deepEqual(await stateOf(folder), before);
});

test('where the knowledge base changed too, the edit wins and the conflict is named; what only the knowledge base changed stays', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  const evidence = {
    chunk: idOf('engine', DOCUMENTS['notes/engine.md']),
    sentence: 'Ada Lovelace wrote notes.',
  };
  const by = { by: 'model', model: 'm', evidence, made: 2 } as const;
  store.assert([
    { ...by, subject: 'ada lovelace', property: 'summary', value: 'Another summary.' },
    { ...by, subject: 'ada lovelace', property: 'alias', value: 'Ada King' },
    { ...by, subject: 'ada lovelace', property: 'type', value: 'Event' },
  ]);
  await edit('Ada Lovelace', (text) =>
    text.replace('Wrote the first \\*program\\*.', 'Mine.').replace('aliases: []', 'aliases: [Countess]'),
  );
  const report = await back();
  assert.deepEqual(report.conflicts, [
    {
      file: 'Entities/Ada Lovelace.md',
      kind: 'summary',
      what: 'summary: Mine.',
      instead: 'Another summary.',
    },
  ]);
  assert.equal(report.changeCount, 2);
  await out();
  const ada = await note('Ada Lovelace');
  assert.match(ada, /\ntype: Event\naliases:\n {2}- Ada King\n {2}- Countess\n/);
  assert.match(ada, /\n\nMine\.\n\n/);
});

test('a renamed note is another name, or one with the entity of that name', async () => {
  const store = library();
  const { folder, out, back, note } = of(store);
  await out();
  const move = (from: string, to: string) =>
    rename(join(folder, 'Entities', `${from}.md`), join(folder, 'Entities', `${to}.md`));
  await move('London', 'London (England)');
  const held = await out();
  assert.deepEqual(
    held.left.map(({ file }) => file),
    ['Entities/London (England).md'],
  );
  await rm(join(folder, 'Entities', 'Charles Babbage.md'));
  await move('C Babbage', 'Charles Babbage');
  const report = await back();
  assert.deepEqual(
    report.changes.map(({ what }) => what),
    ['is one with charles babbage', 'name: London (England)'],
  );
  assert.equal((await back()).changeCount, 0);
  const after = await out();
  assert.equal(after.leftCount, 0, JSON.stringify(after.left));
  assert.match(await note('Charles Babbage'), /aliases:\n {2}- C Babbage\n[\s\S]*kith-id: charles babbage\n/);
  assert.match(await note('London (England)'), /kith-id: london\n[\s\S]*# London \(England\)\n/);
  assert.match(await note('Ada Lovelace'), /\[\[London \(England\)\]\]|\[\[Charles Babbage\]\]/);
  assert.equal((await back()).changeCount, 0);
  assert.equal((await out()).written, 0);

  // And apart again, when the alias is taken out.
  await of(store, folder).edit('Charles Babbage', (text) =>
    text.replace('aliases:\n  - C Babbage', 'aliases: []'),
  );
  assert.deepEqual(
    (await back()).changes.map(({ what }) => what),
    ['no alias: C Babbage'],
  );
  await out();
  assert.match(await note('C Babbage'), /kith-id: c babbage\n/);
});

test('an alias that is a name of its own makes both one', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  await edit('Charles Babbage', (text) => text.replace('aliases: []', 'aliases: [C. Babbage]'));
  await back();
  const after = await out();
  assert.equal(after.removed, 1, 'the other has no note any more');
  assert.match(await note('Charles Babbage'), /aliases:\n {2}- C Babbage\n {2}- C\. Babbage\n/);
  assert.equal((await back()).changeCount, 0);
});

test("an owner's own notes are never touched, also where they have the name of one of ours", async () => {
  const store = library();
  const { folder, out, back, note } = of(store);
  await mkdir(join(folder, 'Entities'), { recursive: true });
  const mine = ['Index.md', 'Entities/london.md', 'Diary.md', 'Entities/Ada Lovelace.md'];
  for (const file of mine) await writeFile(join(folder, file), `mine: ${file}`);
  await writeFile(
    join(folder, 'other.md'),
    '---\nkith-id: london\nkith-seal: kbffffffffffff-0123456789abcdef\n---\n',
  );
  await out();
  for (const file of mine) assert.equal(await readFile(join(folder, file), 'utf8'), `mine: ${file}`);
  const names = await readdir(join(folder, 'Entities'));
  assert.equal(names.filter((name) => /^london \([0-9a-f]{4}\)\.md$/iu.test(name)).length, 1, names.join());
  store.remove('notes/city.md');
  await out(2);
  assert.ok((await stat(join(folder, 'other.md'))).isFile());
  for (const file of mine) assert.equal(await readFile(join(folder, file), 'utf8'), `mine: ${file}`);
  assert.equal((await back()).changeCount, 0);
  assert.match(
    await note(
      (await readdir(join(folder, 'Entities')))
        .find((name) => name.startsWith('Ada Lovelace ('))!
        .slice(0, -3),
    ),
    /kith-id: ada lovelace/,
  );
});

test('nothing is written behind a link that lies where notes are to be', async () => {
  using store = open({ 'Ann Lee.md': 'Ann Lee met Bob Ray.' });
  const { folder, out } = of(store);
  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  await mkdir(folder);
  await symlink(elsewhere, join(folder, 'Entities'));
  await assert.rejects(out(), { code: 'export_linked' });
  assert.deepEqual(await readdir(elsewhere), []);
});

test('what an owner wrote into a note keeps it when the knowledge base forgets the name', async () => {
  const store = library();
  const { folder, out, edit, note } = of(store);
  await out();
  await edit('C Babbage', (text) => `${text}\n# My thoughts\n\nTo be read.\n`);
  store.remove('notes/letters.md');
  const report = await out();
  assert.ok(report.left.some(({ file }) => file === 'Entities/C Babbage.md'));
  assert.match(await note('C Babbage'), /To be read\./);
  assert.ok(!(await readdir(join(folder, 'Entities'))).includes('letters.md'));
});

test('without the list of what was exported, edits are added and nothing is taken away', async () => {
  const store = library();
  const { folder, out, back, edit, note } = of(store);
  await out();
  await edit('Ada Lovelace', (text) =>
    text.replace('aliases: []', 'aliases: [Countess]').replace(/- colleague.*\n.*\n/u, ''),
  );
  await rm(join(folder, '.kith'), { recursive: true });
  const report = await back();
  assert.equal(report.hasList, false);
  assert.deepEqual(
    report.changes.map(({ what }) => what),
    ['alias: Countess'],
  );
  await out();
  assert.match(await note('Ada Lovelace'), /- colleague:: \[\[Charles Babbage\]\]/);
});

test('a line that says nothing is named, and its note left alone', async () => {
  const store = library();
  const { out, back, edit, note } = of(store);
  await out();
  await edit('Ada Lovelace', (text) => text.replace('- colleague::', 'They met in 1833.\n- colleague::'));
  const report = await back();
  assert.equal(report.changeCount, 0);
  assert.match(report.left[0]!.why, /They met in 1833/);
  assert.equal((await out()).leftCount, 1);
  assert.match(await note('Ada Lovelace'), /They met in 1833/);
});

test('an export that was killed half-way is gone on with, and no edit is made up of it', async () => {
  const store = library();
  const { folder, out, back } = of(store);
  await out();
  const before = await stateOf(folder);
  const list = Object.keys(before).find((file) => file.includes('exported-'))!;
  const old = await readFile(list, 'utf8');
  store.assert([{ subject: 'london', property: 'summary', value: 'A city.', by: 'owner', made: 3 }]);
  put(store, 'notes/new.md', 'London and Charles Babbage and Grace Hopper.');
  const controller = new AbortController();
  const graph = followGraph(store);
  const names = await followFacts(store).current();
  const view = await createKbView({ store, graph, names, folders: [] });
  // Leaves when the first note is to be composed for writing: the list is written, and no note.
  let asked = 0;
  const keys = view.keys(1).length;
  await assert.rejects(
    exportNotes(
      {
        ...view,
        facts(key) {
          if (++asked > keys) controller.abort();
          return view.facts(key);
        },
      },
      { folder, least: 1, signal: controller.signal },
    ),
  );
  assert.notEqual(await readFile(list, 'utf8'), old);
  assert.equal((await back()).changeCount, 0);
  await out();
  assert.equal((await back()).changeCount, 0);
  assert.equal((await out()).written, 0);
});

test('whatever the names are, an export imports as nothing and comes out alike', async () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      'CON',
      'con',
      'Con.',
      'Straße',
      'STRASSE',
      'U\u0308',
      'Ü',
      'a/b',
      'a\\b',
      '[[x]]',
      'x'.repeat(110),
      '名'.repeat(100),
      'Index',
      'doc',
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: hostile, summary: hostile, other: hostile, alias: hostile }), {
        minLength: 1,
        maxLength: 8,
      }),
      async (entities) => {
        const store = open({ 'doc.md': 'Ada Lovelace.' });
        const plain = (text: string) => text.toWellFormed();
        for (const { name, summary, other, alias } of entities) {
          const subject = normalForm(name);
          const object = normalForm(other);
          if (subject === '') continue;
          const said = { subject, by: 'owner', made: 1 } as const;
          store.assert([
            { ...said, property: 'name', value: `${plain(name)}.` },
            ...(plain(summary).trim() === ''
              ? []
              : [{ ...said, property: 'summary', value: plain(summary) }]),
            ...(plain(alias).trim() === '' ? [] : [{ ...said, property: 'alias', value: plain(alias) }]),
            ...(object === '' ? [] : [{ ...said, property: 'relation', relation: 'knows' as const, object }]),
          ]);
        }
        const { folder, out, back } = of(store);
        const first = await out();
        assert.equal(first.leftCount, 0);
        const state = await stateOf(folder);
        const version = store.version();
        const report = await back();
        assert.deepEqual([report.changes, report.left], [[], []]);
        assert.equal(store.version(), version);
        assert.equal((await out()).written, 0);
        assert.deepEqual(await stateOf(folder), state);
        await rm(folder, { recursive: true });
      },
    ),
    { numRuns: 15 },
  );
});

test('a folder is made for notes where its parent is, and refused at once elsewhere', async () => {
  const made = of(library(), join(root, 'made'));
  await made.out();
  assert.ok((await stat(made.folder)).isDirectory());
  const nowhere = of(library(), join(root, 'not', 'there'));
  await assert.rejects(nowhere.out(), { code: 'folder_missing', status: 404 });
});
