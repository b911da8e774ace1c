import assert from 'node:assert/strict';
import { test } from 'node:test';
import iconv from 'iconv-lite';
import { outline, parseOne } from '../testing/parsed.ts';

test('plain text has a block for each paragraph, with its line, and chapters as headings', async () => {
  const { type, document } = await parseOne(
    'novel.txt',
    'A preface.\r\n\r\nCHAPTER I\r\n\r\nIt was dark.\r\nVery dark.\r\n\r\n\r\nSection 3 of the law, which is old,\r\nsays so.\r\n',
  );
  assert.equal(type, 'text');
  assert.deepEqual(outline(document), [
    ['', 'text: A preface.'],
    ['CHAPTER I', 'text: It was dark.\nVery dark.', 'text: Section 3 of the law, which is old,\nsays so.'],
  ]);
  assert.deepEqual(
    document.sections.flatMap(({ blocks }) => blocks.map(({ place }) => place.line)),
    [1, 5, 9],
  );
});

test('a note in Markdown keeps its headings, lists, tables, code and quotes, with lines that count its frontmatter', async () => {
  const { type, document } = await parseOne(
    'note.md',
    `---
title: Engines
aliases: [Difference Engine, "Analytical Engine"]
tags: machines, history
year: 1837
person:
  name: Ada
related: "[[Babbage|Charles]]"
---
Intro with **bold**, *soft* and \`code\`, a [site](https://example.org/x "t").
Second line. ^block-1

# Parts

- one
- [x] two
  1. inner
  2. more

## Store

| a | b \\| c |
| --- | --- |
| 1 | [[Mill\\|the mill]] |

\`\`\`ts
const  x = '[[no link]]';
\`\`\`

> [!note] Mark
> quoted

## Empty
`,
  );
  assert.equal(type, 'markdown');
  assert.equal(document.title, 'Engines');
  assert.deepEqual(outline(document), [
    ['', 'text: Intro with bold, soft and code, a site.\nSecond line.'],
    ['Parts', 'list: - one\n- [x] two\n  1. inner\n  2. more'],
    [
      'Parts > Store',
      'table: a | b | c\n1 | the mill',
      "code: const  x = '[[no link]]';",
      'quote: Mark\nquoted',
    ],
    ['Parts > Empty'],
  ]);
  assert.deepEqual(
    document.sections.flatMap(({ blocks }) => blocks.map(({ place }) => place.line)),
    [10, 15, 22, 26, 30],
  );
  assert.deepEqual(document.aliases, ['Difference Engine', 'Analytical Engine']);
  assert.deepEqual(document.tags, ['machines', 'history']);
  assert.equal(document.properties.year, 1837);
  assert.equal(document.properties['person.name'], 'Ada');
  assert.deepEqual(document.links, [
    { target: 'Babbage', kind: 'wiki', label: 'Charles' },
    { target: 'https://example.org/x', kind: 'link', label: 'site' },
    { target: 'Mill', kind: 'wiki', label: 'the mill' },
  ]);
});

test("Obsidian's wikilinks, embeds, tags and comments are read as what they are", async () => {
  const { document } = await parseOne(
    'daily.md',
    'See [[Note#Heading|Label]], [[Other#^abc]], ![[picture.png|300]] and ![[Part]].\n\n#tag/inner #42 a#b (#two) %%hidden\nnote%% ==marked==\n',
  );
  assert.deepEqual(document.links, [
    { target: 'Note#Heading', kind: 'wiki', label: 'Label' },
    { target: 'Other#^abc', kind: 'wiki', label: null },
    { target: 'picture.png', kind: 'embed', label: '300' },
    { target: 'Part', kind: 'embed', label: null },
  ]);
  assert.deepEqual(document.tags, ['tag/inner', 'two']);
  assert.deepEqual(outline(document), [
    ['', 'text: See Label, Other, and Part.', 'text: #tag/inner #42 a#b (#two)\nmarked'],
  ]);
});

test('frontmatter that is not YAML is said, and the note is read all the same', async () => {
  const { document } = await parseOne('note.md', '---\ntitle: [unclosed\n---\nText.\n');
  assert.deepEqual(
    document.notes.map(({ code }) => code),
    ['part_failed'],
  );
  assert.match(JSON.stringify(outline(document)), /Text\./);
});

test('long Markdown has the same outline in pieces as in one go', async () => {
  const part = (n: number) =>
    `## Part ${n}\n\nSome words of part ${n}. ${'More words. '.repeat(40)}\n\n\`\`\`\n# no heading ${n}\n\`\`\`\n\n- a\n- b\n\n`;
  const parts = Array.from({ length: 600 }, (_, n) => part(n));
  const whole = await parseOne('long.md', parts.join(''));
  assert.ok(parts.join('').length > 300_000);
  const alone = await Promise.all([0, 299, 599].map((n) => parseOne('part.md', part(n))));
  const outlines = outline(whole.document);
  assert.equal(outlines.length, 600);
  for (const [index, n] of [0, 299, 599].entries())
    assert.deepEqual(outlines[n], outline(alone[index]!.document)[0]);
  const lines = part(0).split('\n').length - 1;
  assert.equal(whole.document.sections[599]!.blocks[0]!.place.line, 599 * lines + 3);
});

test('reStructuredText has its titles by their order, code, lists, tables and fields', async () => {
  const { type, document } = await parseOne(
    'guide.rst',
    `=====
Guide
=====

:Author: Ada
:Tags: one, two

A *soft* and **strong** text with \`\`code\`\` and a \`site <https://example.org>\`_.

First
-----

Example::

    x = 1

    y = 2

- one
- two
  more

.. code-block:: python
   :linenos:

   print()

.. image:: x.png

.. note:: Take care.

Deeper
~~~~~~

=====  =====
A      B
=====  =====
1      two
=====  =====

.. _home: https://example.org/home

Second
------

+---+---+
| a | b |
+===+===+
| 1 | 2 |
+---+---+
`,
  );
  assert.equal(type, 'rst');
  assert.equal(document.title, 'Guide');
  assert.deepEqual(outline(document), [
    ['Guide', 'text: A soft and strong text with code and a site.'],
    [
      'Guide > First',
      'text: Example:',
      'code:     x = 1\n\n    y = 2'.replaceAll('    ', ''),
      'list: - one\n- two\n  more',
      'code: print()',
      'text: Take care.',
    ],
    ['Guide > First > Deeper', 'table: A | B\n1 | two'],
    ['Guide > Second', 'table: a | b\n1 | 2'],
  ]);
  assert.equal(document.properties.author, 'Ada');
  assert.deepEqual(document.tags, ['one', 'two']);
  assert.deepEqual(
    document.links.map(({ target }) => target),
    ['https://example.org', 'https://example.org/home'],
  );
});

test('CSV with quotes, broken lines and any separator becomes tables with the head in each', async () => {
  const rows = Array.from({ length: 40 }, (_, n) => `${n};"a ""b""\nc";${n * 2}`);
  const { type, document } = await parseOne('table.csv', `id;name;twice\n${rows.join('\n')}\n`);
  assert.equal(type, 'csv');
  const blocks = document.sections[0]!.blocks;
  assert.equal(blocks.length, 2);
  assert.ok(blocks.every(({ kind, text }) => kind === 'table' && text.startsWith('id | name | twice\n')));
  assert.match(blocks[0]!.text, /^0 \| a "b" c \| 0$/m);
  assert.deepEqual(
    blocks.map(({ place }) => place.line),
    [1, 52],
  );
});

test('CSV of more rows than are read says so', async () => {
  const { document } = await parseOne('big.csv', `a,b\n${'1,2\n'.repeat(50)}`, { rows: 30 });
  assert.equal(
    document.sections[0]!.blocks.flatMap(({ text }) => text.split('\n')).filter((line) => line === '1 | 2')
      .length,
    30,
  );
  assert.deepEqual(
    document.notes.map(({ code }) => code),
    ['cut'],
  );
});

test('JSON, YAML and TOML of the same values give the same text', async () => {
  const values = {
    name: 'Ada',
    born: 1815,
    tags: ['a', 'b'],
    life: { about: 'a'.repeat(500), geo: { lat: 51.5 } },
    address: { city: 'London', geo: { lat: 51.5 } },
    items: [{ id: 1, about: { more: 'b'.repeat(500) } }, { id: 2 }],
  };
  const json = await parseOne('x.json', JSON.stringify(values));
  const yaml = await parseOne(
    'x.yaml',
    `name: Ada\nborn: 1815\ntags: [a, b]\nlife:\n  about: ${'a'.repeat(500)}\n  geo: {lat: 51.5}\naddress:\n  city: London\n  geo: {lat: 51.5}\nitems:\n- id: 1\n  about: {more: ${'b'.repeat(500)}}\n- id: 2\n`,
  );
  const toml = await parseOne(
    'x.toml',
    `name = "Ada"\nborn = 1815\ntags = ["a", "b"]\n[life]\nabout = "${'a'.repeat(500)}"\ngeo = {lat = 51.5}\n[address]\ncity = "London"\ngeo = {lat = 51.5}\n[[items]]\nid = 1\nabout = {more = "${'b'.repeat(500)}"}\n[[items]]\nid = 2\n`,
  );
  assert.deepEqual([json.type, yaml.type, toml.type], ['json', 'yaml', 'toml']);
  assert.deepEqual(outline(json.document), [
    [
      '',
      'text: name: Ada\nborn: 1815',
      'text: tags: a, b',
      'text: address.city: London',
      'text: address.geo.lat: 51.5',
    ],
    ['life', `text: about: ${'a'.repeat(500)}`, 'text: geo.lat: 51.5'],
    ['items', 'text: id: 1'],
    ['items > about', `text: more: ${'b'.repeat(500)}`],
    ['items', 'text: id: 2'],
  ]);
  assert.deepEqual(yaml.document, json.document);
  assert.deepEqual(toml.document, json.document);
});

test('JSON Lines has a block for each line, with its number', async () => {
  const { document } = await parseOne('log.jsonl', '{"a":1}\n\n{"a":2}\n');
  assert.deepEqual(document.sections[0]!.blocks, [
    { kind: 'text', text: 'a: 1', place: { line: 1 } },
    { kind: 'text', text: 'a: 2', place: { line: 3 } },
  ]);
});

test('JSON that is cut off is broken, and the message says where', async () => {
  await assert.rejects(parseOne('x.json', '{"a": [1, 2'), {
    code: 'parse_broken',
    message: /"x\.json".*not JSON/,
  });
});

test('texts in other encodings are read, and a guess is said', async () => {
  const text =
    'Größe und Übermut: das ist ein schöner deutscher Satz über Bäume, Häuser und Straßen.\n'.repeat(5);
  for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'utf-32le']) {
    const bytes = iconv.encode(text, encoding, { addBOM: true });
    const { document } = await parseOne('x.txt', bytes);
    assert.deepEqual(document.notes, [], encoding);
    assert.match(document.sections[0]!.blocks[0]!.text, /^Größe und Übermut: das/);
  }
  for (const encoding of ['windows-1252', 'iso-8859-1', 'utf-16le']) {
    const { document } = await parseOne('x.txt', iconv.encode(text, encoding, { addBOM: false }));
    assert.deepEqual(
      document.notes.map(({ code }) => code),
      ['encoding_guessed'],
      encoding,
    );
    assert.match(document.sections[0]!.blocks[0]!.text, /^Größe und Übermut: das/);
  }
  const russian = iconv.encode(
    'Привет, как дела? Это простой текст на русском языке.\n'.repeat(5),
    'windows-1251',
  );
  assert.match((await parseOne('x.txt', russian)).document.sections[0]!.blocks[0]!.text, /^Привет, как дела/);
});

test('UTF-8 with a character that is cut in two stays UTF-8', async () => {
  const bytes = Buffer.from('Ein Wort: größer. '.repeat(20));
  const { document } = await parseOne('x.txt', bytes.subarray(0, bytes.indexOf(Buffer.from('ß')) + 1));
  assert.match(document.sections[0]!.blocks[0]!.text, /^Ein Wort: grö/);
  assert.deepEqual(
    document.notes.map(({ code }) => code),
    ['encoding_guessed'],
  );
});
