import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { Block, ParsedDocument, Section } from '../types.ts';
import { type ChunkOptions, chunkDocument, estimateTokens, passageOf, sentencesOf } from './index.ts';

/** Tokens as byte-level models without merges have them: the most that any tokenizer makes of a text. */
const bytes = (window: number) => ({
  window,
  countTokens: async (texts: readonly string[]) => texts.map((text) => Buffer.byteLength(text)),
});
/** Words and marks, as of a tokenizer that knows all words. */
const words = (window: number) => ({
  window,
  countTokens: async (texts: readonly string[]) =>
    texts.map((text) => text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0),
});

const text = (content: string, more: Partial<Block> = {}): Block => ({
  kind: 'text',
  text: content,
  place: {},
  ...more,
});
const section = (headings: string[], ...blocks: Block[]): Section => ({ headings, blocks });
const documentOf = (...sections: Section[]): Pick<ParsedDocument, 'sections'> => ({ sections });
const bare = (content: string) => content.toWellFormed().replace(/\s+/gu, '');
const prose = (sentences: number, seed = 0) =>
  Array.from(
    { length: sentences },
    (_, i) => `Sentence ${i + seed} tells of the ${'very '.repeat(i % 5)}long road. `,
  ).join('');

const anySections = fc.array(
  fc.record({
    headings: fc.array(fc.string({ maxLength: 40, unit: 'grapheme' }), { maxLength: 3 }),
    blocks: fc.array(
      fc.record({
        kind: fc.constantFrom('text', 'list', 'code', 'quote'),
        text: fc.oneof(
          fc.string({ maxLength: 600, unit: 'binary' }),
          fc.string({ maxLength: 400, unit: 'grapheme' }),
          fc.lorem({ maxCount: 60, mode: 'sentences' }),
          fc.nat({ max: 900 }).map((n) => 'x'.repeat(n)),
        ),
        place: fc.constant({}),
      }),
      { maxLength: 3 },
    ) as fc.Arbitrary<Block[]>,
  }),
  { maxLength: 3 },
) as fc.Arbitrary<Section[]>;
const anyOptions: fc.Arbitrary<ChunkOptions> = fc.record({
  strategy: fc.constantFrom('sentences', 'paragraphs', 'fixed'),
  size: fc.integer({ min: 16, max: 120 }),
  overlap: fc.integer({ min: 0, max: 2 }),
});

test('every character of a text is in a chunk, in order, and no chunk is over the window', async () => {
  await fc.assert(
    fc.asyncProperty(
      anySections,
      anyOptions,
      fc.constantFrom(bytes(40), words(40)),
      async (sections, options, embedder) => {
        const chunks = await chunkDocument(documentOf(...sections), 'Title', embedder, options);
        const counts = await embedder.countTokens(chunks.map(passageOf));
        assert.deepEqual(
          chunks.map(({ tokens }) => tokens),
          counts,
        );
        for (const count of counts) assert.ok(count <= embedder.window, `${count} tokens`);
        assert.deepEqual(
          chunks.map(({ position }) => position),
          [...chunks.keys()],
        );
        assert.equal(new Set(chunks.map(({ id }) => id)).size, chunks.length);

        const whole = bare(sections.flatMap(({ blocks }) => blocks.map((block) => block.text)).join('\n\n'));
        let reached = 0;
        for (const chunk of chunks) {
          const part = bare(chunk.text);
          // It goes on where the one before ended, but for the sentences that it repeats.
          let from = reached;
          while (from > 0 && !whole.startsWith(part, from)) from--;
          assert.ok(whole.startsWith(part, from), JSON.stringify({ part, reached }));
          if (options.overlap === 0) assert.equal(from, reached);
          reached = Math.max(reached, from + part.length);
        }
        assert.equal(reached, whole.length);
      },
    ),
    { numRuns: 100 },
  );
});

test('equal input gives equal chunks, and a change in one section leaves the ids of the others', async () => {
  const sections = [
    section(['One'], text(prose(30))),
    section(['Two'], text(prose(30, 50))),
    section(['Three'], text('End.')),
  ];
  const first = await chunkDocument(documentOf(...sections), 'T', words(60));
  assert.deepEqual(await chunkDocument(documentOf(...sections), 'T', words(60)), first);
  const changed = [...sections];
  changed[1] = section(['Two'], text(`Another beginning. ${prose(29, 51)}`));
  const second = await chunkDocument(documentOf(...changed), 'T', words(60));
  const idsOf = (chunks: typeof first, heading: string) =>
    chunks.filter(({ title }) => title.endsWith(heading)).map(({ id }) => id);
  for (const heading of ['One', 'Three']) assert.deepEqual(idsOf(second, heading), idsOf(first, heading));
  assert.notDeepEqual(idsOf(second, 'Two'), idsOf(first, 'Two'));
});

test('what stands twice in a document has two ids', async () => {
  const chunks = await chunkDocument(
    documentOf(section([], text('Yes.')), section([], text('Yes.'))),
    'T',
    words(60),
  );
  assert.equal(chunks.length, 2);
  assert.notEqual(chunks[0]!.id, chunks[1]!.id);
});

test('chunks end with sentences, begin with the last one of the chunk before, and carry their headings', async () => {
  const chunks = await chunkDocument(
    documentOf(section(['Guide', 'Install'], text(prose(40)))),
    'Guide',
    words(100),
    {
      size: 60,
    },
  );
  assert.ok(chunks.length > 3);
  for (const [at, chunk] of chunks.entries()) {
    assert.equal(chunk.title, 'Guide › Install');
    assert.match(chunk.text, /^Sentence \d+ .*road\.$/s);
    if (at > 0)
      assert.ok(
        chunk.text.startsWith(
          sentencesOf(chunks[at - 1]!.text)
            .at(-1)!
            .trim(),
        ),
      );
  }
  const without = await chunkDocument(documentOf(section([], text(prose(40)))), '', words(100), {
    size: 60,
    overlap: 0,
  });
  assert.equal(bare(without.map((chunk) => chunk.text).join('')), bare(prose(40)));
});

test('rows of a table that is cut come with its head', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `name ${i} | ${i * 7} | city ${i}`);
  const table = text(['name | age | city', ...rows].join('\n'), {
    kind: 'table',
    place: { sheet: 'People' },
  });
  const chunks = await chunkDocument(documentOf(section([], table)), 'T', words(80));
  assert.ok(chunks.length > 3);
  for (const chunk of chunks) {
    assert.equal(chunk.text.split('\n')[0], 'name | age | city');
    assert.equal(chunk.text.split('name | age | city').length, 2);
    assert.deepEqual(chunk.place, { sheet: 'People' });
  }
  assert.deepEqual(
    chunks.flatMap((chunk) => chunk.text.split('\n').slice(1)),
    rows,
  );
});

test('code is cut between lines, and a chunk says the line where it begins', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `const value${i} = compute(${i});`);
  const code = text(lines.join('\n'), { kind: 'code', place: { line: 11 } });
  const chunks = await chunkDocument(documentOf(section([], code)), 'T', words(80));
  assert.ok(chunks.length > 3);
  for (const chunk of chunks) assert.equal(chunk.text.split('\n')[0], lines[chunk.place.line! - 11]);
  assert.equal(chunks.map((chunk) => chunk.text).join('\n'), lines.join('\n'));
});

test('a title that is too long for the window leaves room for the text', async () => {
  const long = Array.from({ length: 30 }, (_, i) => `Heading number ${i}`);
  for (const embedder of [bytes(64), words(30)]) {
    const chunks = await chunkDocument(documentOf(section(long, text(prose(10)))), 'Title', embedder);
    const texts = bare(chunks.map((chunk) => chunk.text).join(''));
    assert.ok(texts.length >= bare(prose(10)).length);
    for (const chunk of chunks)
      assert.ok(bare(chunk.text).length > 10 && chunk.title.startsWith('Title'), chunk.text);
  }
});

test('sentences end where readers see them end, and together are the text', () => {
  const cases: [string, string[]][] = [
    ['Dr. Smith came. He left.', ['Dr. Smith came. ', 'He left.']],
    ['See Fig. 3 or e.g. this. Then go!', ['See Fig. 3 or e.g. this. ', 'Then go!']],
    [
      'J. R. Tolkien wrote. "Why?" she asked. "Yes."  Good',
      ['J. R. Tolkien wrote. ', '"Why?" ', 'she asked. ', '"Yes."  ', 'Good'],
    ],
    ['Version 1.2.3 is out... and works', ['Version 1.2.3 is out... and works']],
    ['wrapped\nline goes on. Next', ['wrapped\nline goes on. ', 'Next']],
    ['one\n\ntwo', ['one\n\n', 'two']],
    ['Er kommt am 3. April um 9 Uhr. Dann nicht.', ['Er kommt am 3. April um 9 Uhr. ', 'Dann nicht.']],
    [
      'Im 19. Jahrhundert, z. B. 1884. Er war 3. Sie nicht.',
      ['Im 19. Jahrhundert, z. B. 1884. ', 'Er war 3. ', 'Sie nicht.'],
    ],
    ['今天很好。我们走吧！好', ['今天很好。', '我们走吧！', '好']],
    ['', []],
  ];
  for (const [whole, sentences] of cases) assert.deepEqual(sentencesOf(whole), sentences);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'B', '.', '!', ' ', '\n', '"', '。', '1', 'Mr') }),
      (whole) => {
        assert.equal(sentencesOf(whole).join(''), whole);
      },
    ),
  );
});

test('hostile texts are cut in one pass each', async () => {
  const n = 100_000;
  let calls = 0;
  const embedder = {
    window: 254,
    countTokens(texts: readonly string[]) {
      calls++;
      return words(254).countTokens(texts);
    },
  };
  for (const unit of [
    '.',
    '. ',
    'a.',
    '.)',
    '\n',
    '"',
    'x',
    ' ',
    '。',
    '\u0301',
    '|',
    'A. ',
    '\ud83d\ude00',
    '\0',
  ]) {
    calls = 0;
    const chunks = await chunkDocument(
      documentOf(section([], text(unit.repeat(n / unit.length)))),
      'T',
      embedder,
    );
    for (const chunk of chunks)
      assert.ok(chunk.text.length < 5000, `${JSON.stringify(unit)}: ${chunk.text.length}`);
    // Counting goes by batches: it was neither begun anew nor done for each sentence.
    assert.ok(
      calls <= 2 + Math.ceil(chunks.length / 256) * 2,
      `${JSON.stringify(unit)}: ${calls} for ${chunks.length}`,
    );
  }
});

test('settings that make no chunks are refused by name', async () => {
  for (const options of [{ size: 3 }, { overlap: -1 }, { size: 1.5 }, { strategy: 'best' as 'fixed' }])
    await assert.rejects(chunkDocument(documentOf(), 'T', words(60), options), { code: 'chunking_invalid' });
  assert.ok(estimateTokens('A few plain words.') === 5);
});
