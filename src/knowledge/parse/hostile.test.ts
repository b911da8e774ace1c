import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { parseFile } from './parse-file.ts';
import { createParserPool } from './pool.ts';
import { quickHostileFiles, SOUND } from './testing/hostile/index.ts';
import { bytesOf } from './testing/parsed.ts';
import type { ParseLimits, ParserPool } from './types.ts';

const CODES = new Set(['parse_broken', 'parse_too_large', 'parse_unsupported', 'parse_encrypted']);

/** How a file ends: `ok`, or the code of its error. Anything else fails the test. */
async function endOf(name: string, bytes: Uint8Array, limits: ParseLimits = DEFAULT_LIMITS): Promise<string> {
  try {
    let characters = 0;
    for await (const { document } of parseFile({ name, bytes }, limits))
      for (const { blocks } of document.sections) for (const { text } of blocks) characters += text.length;
    assert.ok(characters <= limits.characters, `${characters} characters came out`);
    return 'ok';
  } catch (thrown) {
    if (isKithError(thrown) && CODES.has(thrown.code)) return thrown.code;
    throw thrown;
  }
}

async function endIn(pool: ParserPool, name: string, bytes: Uint8Array): Promise<string> {
  try {
    for await (const { document } of pool.parse({ name, bytes })) assert.ok(document.notes.length <= 50);
    return 'ok';
  } catch (thrown) {
    if (isKithError(thrown)) return thrown.code;
    throw thrown;
  }
}

test('hostile files end with a document or an error of their own, and the batch completes', async () => {
  await using pool = createParserPool({ timeMs: 120_000 });
  const files = quickHostileFiles();
  assert.ok(files.length >= 80, `${files.length} files`);
  const wrong: string[] = [];
  const rest = files.values();
  const work = async () => {
    for (const { name, make, ends } of rest) {
      const end = await endIn(pool, name, make());
      if (!ends.includes(end)) wrong.push(`${name}: ${end}, and not ${ends.join(' or ')}`);
    }
  };
  await Promise.all([work(), work()]);
  assert.deepEqual(wrong, []);
  assert.equal(({} as { polluted?: string }).polluted, undefined);
});

const names = Object.keys(SOUND);

test('arbitrary bytes under any name end with a document or an error of their own', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.uint8Array({ maxLength: 400 }), async (name, bytes) => {
      await endOf(name, bytes);
    }),
    { numRuns: 300 },
  );
});

test('sound files with bytes put in, taken out or changed end likewise', async () => {
  const edits = fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      take: fc.nat(40),
      put: fc.uint8Array({ maxLength: 12 }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), edits, async (name, changes) => {
      let bytes = Buffer.from(SOUND[name]!());
      for (const { at, take, put } of changes) {
        const from = Math.floor(at * bytes.length);
        bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + take)]);
      }
      await endOf(name, bytes);
    }),
    { numRuns: 150 },
  );
});

test('text in any amount stays within the characters that are allowed', async () => {
  const limits = { ...DEFAULT_LIMITS, characters: 500, links: 3, rows: 4 };
  const words = fc.array(
    fc.constantFrom(
      '# a\n',
      'word ',
      '\n\n',
      '- x\n',
      '| a | b |\n|-|-|\n| 1 | 2 |\n',
      '[[l]] ',
      '> q\n',
      '```\n',
      'é\u0301',
    ),
    { maxLength: 200 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('a.md', 'a.txt', 'a.rst', 'a.csv', 'a.html', 'a.wiki'),
      words,
      async (name, parts) => {
        await endOf(name, bytesOf(parts.join('')), limits);
      },
    ),
    { numRuns: 200 },
  );
});

test('each word of plain paragraphs in Markdown comes out once and in order, with the line on which it stands', async () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 }),
      async (paragraphs) => {
        const markdown = paragraphs.map((words) => words.join(' ')).join('\n\n');
        for await (const { document } of parseFile(
          { name: 'a.md', bytes: bytesOf(markdown) },
          DEFAULT_LIMITS,
        )) {
          const blocks = document.sections.flatMap((section) => section.blocks);
          assert.deepEqual(
            blocks.map(({ text }) => text),
            paragraphs.map((words) => words.join(' ')),
          );
          assert.deepEqual(
            blocks.map(({ place }) => place.line),
            paragraphs.map((_, index) => 2 * index + 1),
          );
        }
      },
    ),
    { numRuns: 100 },
  );
});
