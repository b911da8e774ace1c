import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { followFacts, followGraph } from '../graph/index.ts';
import { mentionsOf } from '../graph/mentions.ts';
import { normalForm } from '../graph/normal.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import { createKbView, exportNotes, importNotes } from './index.ts';

const root = await mkdtemp(join(tmpdir(), 'kith-notes-'));
after(() => rm(root, { recursive: true, force: true }));
let folders = 0;

const idOf = (title: string, text: string): string =>
  createHash('sha256').update(`${title}\0${text}`).digest('hex').slice(0, 32);

function open(documents: Readonly<Record<string, string>> = {}): KnowledgeStore {
  const store = openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });
  for (const [path, text] of Object.entries(documents)) put(store, path, text);
  return store;
}

function put(store: KnowledgeStore, path: string, text: string): void {
  const title = path.replace(/^.*\/|\.\w+$/gu, '');
  const document = {
    ...{ title, sections: [], links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] },
  };
  const chunks = [{ id: idOf(title, text), position: 0, title, text, tokens: 1, place: {} }];
  store.put(
    {
      ...{ path, titled: true, type: 'md', hash: new Uint8Array(32), recipe: 'test', bytes: 1, modified: 0 },
      ...document,
    },
    chunks,
    null,
    mentionsOf({ title, document, chunks }),
  );
}

function of(store: KnowledgeStore, folder = join(root, String(++folders))) {
  const graph = followGraph(store);
  const facts = followFacts(store);
  const view = async () => createKbView({ store, graph, names: await facts.current(), folders: [] });
  return {
    folder,
    out: async (least = 1) => exportNotes(await view(), { folder, least }),
    back: async (dryRun = false) =>
      importNotes(await view(), store, { folder, dryRun, clock: { now: () => 5 } }),
    note: (name: string) => readFile(join(folder, 'Entities', `${name}.md`), 'utf8'),
    async edit(name: string, change: (text: string) => string): Promise<void> {
      const file = join(folder, 'Entities', `${name}.md`);
      const before = await readFile(file, 'utf8');
      const changed = change(before);
      assert.notEqual(changed, before, 'the edit changes something');
      await writeFile(file, changed);
    },
  };
}

/** Every file with its bytes and when it was written. */
async function stateOf(folder: string): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const { mtimeNs, ino } = await stat(file, { bigint: true });
    state[file] = `${mtimeNs} ${ino} ${await readFile(file, 'utf8')}`;
  }
  return state;
}

const DOCUMENTS = {
  'notes/engine.md': 'Ada Lovelace worked with Charles Babbage in London. Ada Lovelace wrote notes.',
  'notes/letters.md': 'A letter from Charles Babbage to Ada Lovelace. C Babbage signed it.',
  'notes/city.md': 'London was home to Charles Babbage.',
};
function library(): KnowledgeStore {
  const store = open(DOCUMENTS);
  const sentence = 'Ada Lovelace worked with Charles Babbage in London.';
  const evidence = { chunk: idOf('engine', DOCUMENTS['notes/engine.md']), sentence };
  const by = { by: 'model', model: 'm', evidence, made: 1 } as const;
  store.assert([
    { ...by, subject: 'ada lovelace', property: 'type', value: 'Person' },
    { ...by, subject: 'ada lovelace', property: 'summary', value: 'Wrote the first *program*.' },
    {
      ...by,
      subject: 'ada lovelace',
      property: 'relation',
      relation: 'colleague',
      object: 'charles babbage',
    },
    { ...by, subject: 'ada lovelace', property: 'birthDate', value: '1815' },
    { ...by, subject: 'london', property: 'type', value: 'City' },
  ]);
  return store;
}

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
