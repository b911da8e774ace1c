import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { normalForm } from '../graph/normal.ts';
import { entityNote, type Links, readTold, toldOf } from './entity-note.ts';
import { FileNames, fileNameOf, foldName } from './file-names.ts';
import { NOTHING_FOREIGN, readNote, writeNote } from './note.ts';
import { escaped, unescaped } from './plain-text.ts';
import type { EntityFacts } from './types.ts';

const KB = '0123456789abcdef0123456789abcdef';
/** What breaks file systems, YAML, Markdown and links. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    ...['CON', 'nul.md', 'com1', 'LPT¹', '..', '.', ' ', 'a/b\\c', 'C:\\x', 'x\0y', '-', '---', '...'],
    ...['# h', '## Relations', '[[x]]', ']]', '%%x%%', '`= this.x`', '<img src=//x>', 'a::b', '- x:: [[y]]'],
    ...[
      'Ünïcödé',
      'U\u0308ber',
      'ﬁx',
      'straße',
      'STRASSE',
      '\ud800',
      '👩‍👩‍👧',
      'yes',
      'null',
      '1e3',
      '0x1F',
      "'",
      '"',
      '&a',
      '*a',
      '!x',
    ],
    ...[
      'x'.repeat(400),
      '名'.repeat(200),
      'kith-seal: kb0-0',
      '```',
      '~~~',
      '1. x',
      'https://x.y/z',
      '{{x}}',
      'a\r\nb',
      'x #',
      '\u202egnp',
    ],
  ),
);
const links: Links = {
  entity: (key) => `[[${key}]]`,
  source: () => null,
};
const meanings = {
  keyOf: (link: string) => link,
  typeOf: (word: string) => word,
  propertyOf: (words: string) => words || null,
};
const key = hostile.map(normalForm).filter((form) => form !== '' && form.length < 100);
const facts: fc.Arbitrary<EntityFacts> = fc.record({
  key: key.map((form) => form || 'x'),
  name: hostile.filter((name) => /\S/u.test(name.replace(/\p{Cc}/gu, ' '))),
  type: fc.constantFrom(null, 'Person', 'CreativeWork'),
  aliases: fc.array(hostile, { maxLength: 4 }),
  summary: fc.option(
    fc.array(hostile, { maxLength: 4 }).map((parts) => parts.join('\n')),
    { nil: null },
  ),
  mentions: fc.nat(1000),
  documents: fc.nat(1000),
  relations: fc.array(
    fc.oneof(
      fc.record({
        property: fc.constantFrom('worksFor', 'knows'),
        target: key,
        value: fc.constant(null),
        evidence: fc.option(fc.record({ quote: hostile, path: hostile }), { nil: null }),
      }),
      fc.record({
        property: fc.constantFrom('birthDate', 'x.y'),
        target: fc.constant(null),
        value: hostile,
        evidence: fc.constant(null),
      }),
    ),
    { maxLength: 5 },
  ),
  sources: fc.array(fc.record({ path: hostile, mentions: fc.nat(9) }), { maxLength: 3 }),
  beside: fc.array(fc.record({ key, chunks: fc.nat(9) }), { maxLength: 3 }),
});

test('what a note is written with is read back, whatever names and sentences there are', () => {
  fc.assert(
    fc.property(facts, hostile, (entity, own) => {
      const parts = entityNote(entity, KB, links);
      const { text, hash } = writeNote(parts, NOTHING_FOREIGN);
      const note = readNote(text);
      assert.ok(note !== null, text);
      assert.deepEqual([note.id, note.hash, note.isAsWritten], [entity.key, hash, true]);
      assert.deepEqual(note.foreign, NOTHING_FOREIGN, text);
      const read = readTold(note, null, meanings);
      assert.deepEqual(read.unclear, [], text);
      assert.deepEqual(read.told, toldOf(entity), text);
      const body = text.slice(text.indexOf('\n---\n\n')).replace(/\\./gu, '');
      assert.doesNotMatch(body, /[`<]|%%|!\[/u, 'nothing in it that programs run or fetch');

      // With what its owner adds, it is the same note; and written again the addition is there.
      const added = readNote(`${text}\n## My own\n\n${escaped(own.toWellFormed())}\n`)!;
      assert.equal(added.isAsWritten, false);
      assert.deepEqual(readTold(added, null, meanings).told, toldOf(entity));
      const again = writeNote(parts, added.foreign);
      const reread = readNote(again.text)!;
      assert.ok(reread.isAsWritten);
      assert.deepEqual(reread.foreign, added.foreign);
      assert.equal(writeNote(parts, reread.foreign).text, again.text);
    }),
  );
});

test('plain text as Markdown is the same plain text again', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const plain = text.toWellFormed().replace(/[\r\n]/gu, ' ');
      assert.equal(unescaped(escaped(plain)), plain);
    }),
  );
  assert.equal(unescaped('Works for [[Acme Corp|Acme]], as \\[said\\]'), 'Works for Acme, as [said]');
});

test('file names are taken by every system, one for each note', () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 30 }), (wanted) => {
      const names = new FileNames();
      const given = wanted.map((name, i) => names.give(name, String(i)));
      assert.equal(new Set(given.map(foldName)).size, given.length);
      for (const name of given) {
        assert.ok(Buffer.byteLength(name) <= 180 && name.length > 0, name);
        assert.doesNotMatch(name, /[\p{Cc}\\/:*?"<>|#^[\]]|^[ .]|[ .]$/u);
        assert.doesNotMatch(name, /^(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?:\.|$)/iu);
        assert.equal(name, name.normalize('NFC'));
      }
    }),
  );
  assert.equal(fileNameOf('AC/DC'), 'AC DC');
  assert.equal(fileNameOf('con.txt'), 'con_');
  const names = new FileNames();
  assert.equal(names.give('Straße', 'a'), 'Straße');
  assert.match(names.give('STRASSE', 'b'), /^STRASSE \([0-9a-f]{4}\)$/);
});

test("an owner's own properties, sections and words behind a list stay", () => {
  const entity: EntityFacts = {
    ...{ key: 'ada', name: 'Ada', type: 'Person', aliases: [], summary: 'First.', mentions: 1, documents: 1 },
    ...{ relations: [], sources: [{ path: 'a.md', mentions: 1 }], beside: [] },
  };
  const parts = entityNote(entity, KB, links);
  const { text } = writeNote(parts, NOTHING_FOREIGN);
  const edited = text
    .replace('---\n\n# Ada', 'rating: 5 # mine\ncssclasses:\n  - wide\n---\n![[banner.png]]\n\n# Ada')
    .replace('  - kith/person', '  - kith/person\n  - maths')
    .replace(/$/u, 'I like her.\n\n# Mine\n\n```\n## Relations\n```\n');
  const note = readNote(edited)!;
  assert.equal(note.isAsWritten, false);
  assert.deepEqual(note.foreign.tags, ['maths']);
  const again = writeNote(parts, note.foreign).text;
  for (const mine of ['rating: 5 # mine', '- wide', '![[banner.png]]', 'I like her.', '# Mine', '- maths'])
    assert.ok(again.includes(mine), mine);
  assert.equal(writeNote(parts, readNote(again)!.foreign).text, again);
  assert.deepEqual(readTold(note, null, meanings).told, toldOf(entity));
});

test('files that are no notes of ours are not taken for any', () => {
  for (const text of [
    '',
    '# Ada\n',
    '---\ntype: x\n---\n',
    '---\nkith-id: x\n---\n',
    '---\n- a\n---\n',
    '---\nkith-id: x\nkith-seal: y\n---\n',
  ])
    assert.equal(readNote(text), null);
});
