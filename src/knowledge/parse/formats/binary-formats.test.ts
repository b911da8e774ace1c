import assert from 'node:assert/strict';
import { test } from 'node:test';
import { docx, epub, PIXEL, pptx, xlsx, zipOf } from '../testing/office.ts';
import { outline, parseOne } from '../testing/parsed.ts';
import { linesFrom, pdf } from '../testing/pdf.ts';
import { compoundFile, doc } from '../testing/word.ts';

const paragraph = (word: string): string[] => [
  `The first line of the ${word} paragraph is rather long and goes on to the end,`,
  `the second line of it as well, up to a word that is com-`,
  'plete only on the third.',
];

test('a PDF has its pages, paragraphs over lines, parted words and headings by size', async () => {
  const file = pdf(
    [
      [
        { text: 'On Engines', x: 72, y: 740, size: 20 },
        ...linesFrom(700, paragraph('first')),
        ...linesFrom(640, paragraph('other')),
      ],
      [{ text: 'Results', x: 72, y: 740, size: 14 }, ...linesFrom(700, paragraph('last'))],
    ],
    { title: 'Notes on Engines' },
  );
  const { type, document } = await parseOne('paper.pdf', file);
  assert.equal(type, 'pdf');
  assert.equal(document.title, 'Notes on Engines');
  assert.equal(document.pages, 2);
  const text = (word: string) =>
    `text: The first line of the ${word} paragraph is rather long and goes on to the end, the second line of it as well, up to a word that is complete only on the third.`;
  assert.deepEqual(outline(document), [
    ['On Engines', text('first'), text('other')],
    ['On Engines > Results', text('last')],
  ]);
  assert.deepEqual(
    document.sections.flatMap(({ blocks }) => blocks.map(({ place }) => place.page)),
    [1, 1, 2],
  );
  assert.deepEqual(document.notes, []);
});

test('pages of a PDF that are pictures are said to need OCR', async () => {
  const { document } = await parseOne('scan.pdf', pdf([null, linesFrom(700, paragraph('only')), null, null]));
  assert.deepEqual(document.notes, [
    { code: 'needs_ocr', message: 'Pages 1, 3–4 of 4 have next to no text: scanned pages need OCR first.' },
  ]);
  assert.equal(document.sections.length, 1);
});

test('lines that stand on every page of a PDF are left out', async () => {
  const pages = Array.from({ length: 8 }, (_, n) => [
    ...linesFrom(780, ['Journal of Engines']),
    ...linesFrom(700, [
      ...paragraph(`${['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven'][n]}`),
    ]),
    ...linesFrom(40, [`Page ${n + 1}`]),
  ]);
  const { document } = await parseOne('journal.pdf', pdf(pages));
  const text = JSON.stringify(outline(document));
  assert.match(text, /seven paragraph/);
  assert.doesNotMatch(text, /Journal of Engines|Page \d/);
});

test('a PDF with a password, and Word and Office files with one, are said to be encrypted', async () => {
  const encrypted = { code: 'parse_encrypted' };
  await assert.rejects(parseOne('x.pdf', pdf([linesFrom(700, ['Secret'])], { encrypted: true })), encrypted);
  await assert.rejects(parseOne('x.doc', doc('Secret\r', { encrypted: true })), encrypted);
  const locked = compoundFile(['EncryptionInfo', Buffer.alloc(10)], ['EncryptedPackage', Buffer.alloc(10)]);
  await assert.rejects(parseOne('x.docx', locked), encrypted);
  await assert.rejects(
    parseOne(
      'x.epub',
      epub('x', [], {
        'META-INF/encryption.xml': '<encryption><CipherReference URI="OEBPS/a.xhtml"/></encryption>',
      }),
    ),
    encrypted,
  );
});

test('a DOCX has headings, lists, tables, links and properties, and no pictures', async () => {
  const file = docx('Report', [
    { heading: 1, text: 'Findings' },
    { paragraph: 'All is well & good.' },
    { list: ['one', 'two'] },
    { heading: 2, text: 'Figures' },
    {
      table: [
        ['Year', 'Sum'],
        ['2020', '7'],
      ],
    },
    { paragraph: 'source', url: 'https://example.org/a?b=c&d' },
  ]);
  const { type, document } = await parseOne('report.docx', file);
  assert.equal(type, 'docx');
  assert.equal(document.title, 'Report');
  assert.deepEqual(outline(document), [
    ['Findings', 'text: All is well & good.', 'list: - one\n- two'],
    ['Findings > Figures', 'table: Year | Sum\n2020 | 7', 'text: source'],
  ]);
  assert.deepEqual(document.links, [
    { target: 'https://example.org/a?b=c&d', kind: 'link', label: 'source' },
  ]);
  assert.equal(document.properties.author, 'Ada Lovelace');
  assert.deepEqual(document.tags, ['engines', 'notes']);
});

test('a DOC has its paragraphs and rows of tables', async () => {
  const { type, document } = await parseOne(
    'old.doc',
    doc('Grüße aus Wien.\rName\u0007Jahr\u0007\u0007\rZweiter Absatz.\r'),
  );
  assert.equal(type, 'doc');
  const [section] = outline(document);
  assert.equal(section?.[1], 'text: Grüße aus Wien.');
  assert.match(JSON.stringify(section), /Name \| Jahr/);
  assert.equal(section?.at(-1), 'text: Zweiter Absatz.');
});

test('a PPTX has its slides in the order of the presentation, with notes and tables', async () => {
  const file = pptx([
    { title: 'First', points: ['a', 'b'], notes: 'Say hello.' },
    {
      title: 'Second',
      points: ['only'],
      table: [
        ['x', 'y'],
        ['1', '2'],
      ],
    },
  ]);
  const { type, document } = await parseOne('talk.pptx', file);
  assert.equal(type, 'pptx');
  assert.equal(document.title, 'First');
  assert.equal(document.pages, 2);
  assert.deepEqual(outline(document), [
    ['First', 'list: - a\n- b', 'text: Say hello.'],
    ['Second', 'text: only', 'table: x | y\n1 | 2'],
  ]);
  assert.deepEqual(
    document.sections[1]!.blocks.map(({ place }) => place),
    [{ page: 2 }, { page: 2 }],
  );
});

test('an XLSX has its sheets as tables with dates as dates, and places by sheet and row', async () => {
  const file = xlsx({
    Costs: [
      ['Day', 'Sum', 'Of'],
      [{ date: 43_831 }, 12.5, 'tea'],
      [{ date: 43_832.5 }, 0.1 + 0.2, null],
    ],
    'R & D': [['only']],
  });
  const { type, document } = await parseOne('book.xlsx', file);
  assert.equal(type, 'xlsx');
  assert.deepEqual(outline(document), [
    ['Costs', 'table: Day | Sum | Of\n2020-01-01 | 12.5 | tea\n2020-01-02 12:00:00 | 0.3'],
    ['R & D', 'table: only'],
  ]);
  assert.deepEqual(
    document.sections.flatMap(({ blocks }) => blocks.map(({ place }) => place)),
    [
      { sheet: 'Costs', line: 1 },
      { sheet: 'R & D', line: 1 },
    ],
  );
});

test('an EPUB has its chapters in the order of reading, with their files as places', async () => {
  const file = epub('Frankenstein', [
    { file: 'one%20a.xhtml', html: '<h1>Letter 1</h1><p>You will rejoice<br/>to hear.</p>' },
    { file: 'two.xhtml', html: '<h1>Chapter 1</h1><p>I am by birth a Genevese.</p>' },
  ]);
  const { type, document } = await parseOne('book.epub', file);
  assert.equal(type, 'epub');
  assert.equal(document.title, 'Frankenstein');
  assert.equal(document.properties.author, 'Mary Shelley');
  assert.deepEqual(outline(document), [
    ['Letter 1', 'text: You will rejoice\nto hear.'],
    ['Chapter 1', 'text: I am by birth a Genevese.'],
  ]);
  assert.deepEqual(document.sections[0]!.blocks[0]!.place, { part: 'OEBPS/one a.xhtml' });
});

test('a zip that is none of these is not supported, and a renamed document is read by what it is', async () => {
  await assert.rejects(parseOne('x.zip', zipOf({ 'a.txt': 'x' })), {
    code: 'parse_unsupported',
    message: /zip archive.*Unpack it/,
  });
  await assert.rejects(parseOne('x.pdf', PIXEL), { code: 'parse_broken' });
  await assert.rejects(parseOne('x.txt', PIXEL), { code: 'parse_unsupported', message: /image\/png/ });
  const sound = Buffer.from(Array.from({ length: 2_000 }, (_, n) => (n * 7919) % 251));
  await assert.rejects(parseOne('x.txt', sound), { code: 'parse_unsupported', message: /neither text nor/ });
  assert.equal((await parseOne('x.txt', docx('a', [{ paragraph: 'b' }]))).type, 'docx');
  assert.equal((await parseOne('x.docx', '# Only text')).type, 'text');
  assert.equal((await parseOne('x.doc', pdf([linesFrom(700, paragraph('a'))]))).type, 'pdf');
});

test('charts and diagrams of a slide are its numbers and texts', async () => {
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="http://x/${type}" Target="${target}"/>`;
  const cache = (...values: string[]) =>
    `<c:strCache>${values.map((value, at) => `<c:pt idx="${at}"><c:v>${value}</c:v></c:pt>`).join('')}</c:strCache>`;
  const series = (name: string, ...values: string[]) =>
    `<c:ser><c:tx>${cache(name)}</c:tx><c:cat>${cache('2023', '2024')}</c:cat><c:val>${cache(...values)}</c:val></c:ser>`;
  const file = zipOf({
    'ppt/presentation.xml': '<p:presentation xmlns:r="r"><p:sldId r:id="a"/></p:presentation>',
    'ppt/_rels/presentation.xml.rels': `<Relationships>${relation('a', 'slide', 'slides/slide1.xml')}</Relationships>`,
    'ppt/slides/slide1.xml':
      '<p:sld><p:sp><p:ph type="title"/><a:p><a:r><a:t>Sales</a:t></a:r></a:p></p:sp></p:sld>',
    'ppt/slides/_rels/slide1.xml.rels': `<Relationships>${relation('c', 'chart', '../charts/chart1.xml')}${relation('d', 'diagramData', '../diagrams/data1.xml')}${relation('e', 'chart', '../charts/broken.xml')}</Relationships>`,
    'ppt/charts/chart1.xml': `<c:chartSpace><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Looms </a:t></a:r><a:r><a:t>sold</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea>${series('North', '12', '15')}${series('South', '7')}</c:plotArea></c:chart></c:chartSpace>`,
    'ppt/charts/broken.xml': '<c:chartSpace><c:chart>',
    'ppt/diagrams/data1.xml':
      '<dgm:dataModel><dgm:pt><dgm:t><a:p><a:r><a:t>Weave</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p/></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p><a:r><a:t>Sell</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>',
  });
  const { document } = await parseOne('sales.pptx', file);
  assert.deepEqual(outline(document), [
    [
      'Sales',
      'text: Looms sold',
      'table: | North | South\n2023 | 12 | 7\n2024 | 15 |',
      'list: - Weave\n- Sell',
    ],
  ]);
  assert.deepEqual(
    document.notes.map(({ code }) => code),
    ['part_failed'],
  );
});

test('a slide with nothing but a title is found by it', async () => {
  const { document } = await parseOne('x.pptx', pptx([{ title: 'Weaving in 1843', points: [] }]));
  assert.deepEqual(outline(document), [['Weaving in 1843', 'text: Weaving in 1843']]);
});
