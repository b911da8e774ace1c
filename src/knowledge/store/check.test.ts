import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { isKithError } from '../../base/index.ts';
import { openKnowledgeStore } from './store.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-check-'));
after(() => rmSync(root, { recursive: true, force: true }));

const sound = join(root, 'sound.sqlite');
{
  using store = openKnowledgeStore({ path: sound, create: { name: 'sound', clock: { now: () => 0 } } });
  const text = 'Ada Lovelace met Charles Babbage.';
  store.put(
    {
      ...{ path: 'a.md', title: 'A', titled: true, type: 'md', hash: new Uint8Array(32), recipe: 'r' },
      ...{
        bytes: 1,
        modified: 0,
        pages: null,
        properties: {},
        tags: ['t'],
        aliases: [],
        links: [],
        notes: [],
      },
    },
    [{ id: 'a'.repeat(32), position: 0, title: 'A', text, tokens: 5, place: {} }],
    null,
    [],
  );
  store.assert([{ subject: 'ada lovelace', property: 'type', value: 'Person', by: 'owner', made: 1 }]);
}

/** Code of the refusal, or what the check says. */
function told(path: string): string {
  try {
    using store = openKnowledgeStore({ path });
    return store.check().join('; ');
  } catch (error) {
    if (isKithError(error)) return error.code;
    throw error;
  }
}

/** The file after these statements, as whoever hands it over may make it. */
function changed(...statements: string[]): string {
  const path = join(root, 'hostile.sqlite');
  rmSync(path, { force: true });
  copyFileSync(sound, path);
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  database.enableDefensive(false);
  database.exec('PRAGMA journal_mode = DELETE');
  for (const statement of statements) database.exec(statement);
  database.close();
  return path;
}

test('a sound file has no problems, whatever the size of its pages is', () => {
  assert.equal(told(sound), '');
  for (const size of [512, 65_536]) assert.equal(told(changed(`PRAGMA page_size = ${size}`, 'VACUUM')), '');
});

const rewrite = (table: string, from: string, to: string): string[] => [
  'PRAGMA writable_schema = ON',
  `UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}') WHERE name = '${table}'`,
  'PRAGMA writable_schema = RESET',
];

for (const [what, statements, expected] of [
  [
    'takes no further document',
    ["UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'document'"],
    /sqlite_sequence/,
  ],
  [
    'counts its rows with texts',
    ["UPDATE sqlite_sequence SET seq = 'x' WHERE name = 'chunk'"],
    /sqlite_sequence/,
  ],
  ['has a row below all', ['UPDATE assertion SET id = -5'], /assertion has rows with numbers/],
  [
    'has a row above all',
    ['UPDATE assertion SET id = 9223372036854775807'],
    /assertion has rows with numbers/,
  ],
  [
    'has numbers that nobody can read',
    ['UPDATE document SET modified = 9007199254740993'],
    /document has rows with numbers/,
  ],
  ['has a version of its own', ['UPDATE meta SET version = -1'], /meta/],
  [
    'has a trigger',
    ['CREATE TRIGGER more AFTER INSERT ON chunk BEGIN DELETE FROM document; END'],
    /the trigger more/,
  ],
  ['has a view', ['CREATE VIEW mine AS SELECT 1'], /the view mine/],
  ['has a table', ['CREATE TABLE mine (a)'], /the table mine/],
  ['has an index that is computed', ['CREATE INDEX mine ON document (upper(title))'], /the index mine/],
  ['lacks an index', ['DROP INDEX chunk_id'], /missing/],
  [
    'has a column that is computed',
    ['ALTER TABLE tag ADD COLUMN more TEXT AS (upper(tag))'],
    /the table tag/,
  ],
  [
    'takes nothing for something',
    [...rewrite('document', 'title TEXT NOT NULL', 'title TEXT'), 'UPDATE document SET title = NULL'],
    /the table document/,
  ],
  ["is another program's", ['PRAGMA application_id = 1196444487'], /application_id 1196444487/],
  ['is of no version', ['PRAGMA user_version = -3'], /^database_foreign$/],
  ['is of an older version than it is', ['PRAGMA user_version = 1'], /^migration_failed$/],
] as const)
  test(`a file is refused that ${what}`, () => {
    assert.match(told(changed(...statements)), expected);
  });
