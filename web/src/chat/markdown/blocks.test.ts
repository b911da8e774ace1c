import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { createBlockStream, maxBlockChars, parseMarkdown } from './blocks.ts';
import { sameNode, type TreeNode } from './tree.ts';

const blocks = [
  'A paragraph with **bold**, *em*, `code` and a [link](https://a.example/b).',
  'Two lines\nof one paragraph, then\na third.',
  '# Heading',
  'Underlined\n=====',
  '- one\n- two\n  more of two\n- three',
  '1. first\n2. second\n\n3. third after a gap',
  '- [ ] open\n- [x] done',
  '```ts\nconst a = 1;\n\nif (a) {\n  b();\n}\n```',
  '~~~\nno language\n```\nstill code\n~~~',
  '    indented code\n    more of it',
  '> a quotation\n> of two lines\n\n> and another',
  '| a | b |\n| --- | :-: |\n| 1 | 2 |\n| 3 | `x` |',
  '***',
  'A line\n- that a list follows\n- closely',
  '<div onclick="x()">raw</div>',
  'Text with &amp; and &#65; and ![alt](https://a.example/i.png)',
  'مرحبا بالعالم\n\nسطر آخر',
  '1. a\n\n   paragraph in it\n\n   ```\n   code in it\n   ```\n2. b',
];

const documents = fc
  .array(fc.tuple(fc.constantFrom(...blocks), fc.constantFrom('\n', '\n\n', '\n\n\n')), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.map(([block, gap]) => block + gap).join(''));

/** The text in pieces, cut at the given fractions of its length. */
function cut(text: string, fractions: readonly number[]): string[] {
  const places = [
    ...new Set([0, ...fractions.map((one) => Math.floor(one * text.length)), text.length]),
  ].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

const sameNodes = (a: readonly TreeNode[], b: readonly TreeNode[]) =>
  a.length === b.length && a.every((node, index) => sameNode(node, b[index]!));

test('however a text is cut into pieces, its end is the tree of the whole text', () => {
  fc.assert(
    fc.property(
      documents,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
      (text, fractions) => {
        const stream = createBlockStream();
        for (const piece of cut(text, fractions)) stream.add(piece);
        assert.deepEqual(stream.end().nodes, parseMarkdown(text));
      },
    ),
    { numRuns: 400 },
  );
});

test('what was frozen on the way is what the whole text has in its place', () => {
  fc.assert(
    fc.property(
      documents,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
      (text, fractions) => {
        const whole = parseMarkdown(text);
        const stream = createBlockStream();
        let before: readonly TreeNode[] = [];
        for (const piece of cut(text, fractions)) {
          const { nodes, frozen } = stream.add(piece);
          const kept = nodes.slice(0, frozen);
          assert.ok(sameNodes(kept.slice(0, before.length), before), 'a frozen node changed');
          assert.ok(sameNodes(kept, whole.slice(0, frozen)), `frozen too early in ${JSON.stringify(text)}`);
          before = kept;
        }
      },
    ),
    { numRuns: 800 },
  );
});

test('a text that came character by character shows at its last complete line what the whole shows', () => {
  fc.assert(
    fc.property(documents, (text) => {
      const stream = createBlockStream();
      let view = stream.add('');
      for (const character of text) view = stream.add(character);
      assert.ok(sameNodes(view.nodes, parseMarkdown(text)), JSON.stringify(text));
    }),
    { numRuns: 60 },
  );
});

test('any text at all can be streamed, and what is shown never throws', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 20 }), (pieces) => {
      const stream = createBlockStream();
      for (const piece of pieces) stream.add(piece);
      stream.end();
    }),
    { numRuns: 100 },
  );
});

test('a line that may yet become something else is not shown as what it is not', () => {
  const stream = createBlockStream();
  stream.add('Things:\n');
  assert.deepEqual(stream.add('-').nodes, parseMarkdown('Things:'));
  assert.deepEqual(stream.add(' one').nodes, parseMarkdown('Things:\n- one'));
});

test('an open fence is code at once, and its closing marks are never part of it', () => {
  const stream = createBlockStream();
  stream.add('```js\nlet a;\n');
  assert.deepEqual(stream.add('let b;').nodes, [{ kind: 'code', language: 'js', text: 'let a;\nlet b;' }]);
  assert.deepEqual(stream.add('\n``').nodes, [{ kind: 'code', language: 'js', text: 'let a;\nlet b;' }]);
  assert.deepEqual(stream.add('`\n').nodes, [{ kind: 'code', language: 'js', text: 'let a;\nlet b;' }]);
});

test('nesting without end and lines without end become plain text', () => {
  for (const text of [
    '> '.repeat(5_000),
    '- '.repeat(5_000),
    '*a '.repeat(maxBlockChars),
    'x'.repeat(1_000_000),
  ]) {
    const nodes = parseMarkdown(`before\n\n${text}\n\nafter\n`);
    assert.equal(JSON.stringify(nodes.at(-1)).includes('after'), true);
    assert.ok(
      nodes.some(
        (node) => typeof node === 'object' && node.kind === 'element' && node.attributes.class === 'plain',
      ),
    );
  }
});
