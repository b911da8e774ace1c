import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { parseMarkdown } from './blocks.ts';
import { decodeEntities } from './entities.ts';
import { safeTarget, type TreeNode } from './tree.ts';

function all(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap((node) =>
    typeof node === 'object' && node.kind === 'element' ? [node, ...all(node.children)] : [node],
  );
}

const textOf = (nodes: readonly TreeNode[]): string =>
  all(nodes)
    .map((node) => (typeof node === 'string' ? node : node.kind === 'element' ? '' : node.text))
    .join('');

test('raw HTML is text, whatever it says', () => {
  for (const html of [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'a <b onmouseover="x()">b</b> c',
    '<iframe src="https://a.example"></iframe>',
    '<svg><script>1</script></svg>',
  ]) {
    const nodes = parseMarkdown(html);
    assert.equal(textOf(nodes).includes(html.slice(0, 3)), true, html);
    for (const node of all(nodes)) {
      if (typeof node !== 'string' && node.kind === 'element') {
        assert.deepEqual(
          Object.keys(node.attributes).filter((name) => name.startsWith('on')),
          [],
        );
      }
    }
  }
});

test('links lead to http, https and mailto only', () => {
  for (const good of [
    'https://a.example/x',
    'http://a.example',
    'mailto:a@b.example',
    'HTTPS://A.example/',
  ]) {
    assert.notEqual(safeTarget(good), null, good);
  }
  for (const bad of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'java&#10;script:alert(1)',
    '&#106;avascript:alert(1)',
    'data:text/html,<script>1</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://a.example/1',
    '/v1/models',
    '//a.example/x',
    '#top',
    '',
  ]) {
    assert.equal(safeTarget(bad), null, bad);
  }
});

test('no text leads to an element or an attribute that is not expected', () => {
  const tags = new Set(
    'p h3 h4 h5 h6 ul ol li blockquote hr br strong em del code a table thead tbody tr th td span'.split(' '),
  );
  const attributes = new Set('dir class start scope href title target rel'.split(' '));
  const pieces = fc.constantFrom(
    '[a](javascript:x)',
    '![i](https://a.example/x.png)',
    '<a href=javascript:x>',
    '<!--',
    '-->',
    '`',
    '**',
    '[x]: data:1',
    '[x]',
    '> ',
    '- ',
    '\n',
    '\n\n',
    '|',
    '---',
    '<https://a.example>',
    '&#60;script&#62;',
    'www.a.example',
    'word ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      for (const node of all(parseMarkdown(parts.join('')))) {
        if (typeof node === 'string' || node.kind !== 'element') continue;
        assert.ok(tags.has(node.tag), node.tag);
        for (const name of Object.keys(node.attributes)) assert.ok(attributes.has(name), name);
        if (node.attributes.href !== undefined) assert.match(node.attributes.href, /^(https?|mailto):/);
      }
    }),
    { numRuns: 500 },
  );
});

test('an image becomes its words and loads nothing', () => {
  const nodes = all(parseMarkdown('![a cat](https://tracker.example/1.png)'));
  assert.deepEqual(nodes.at(-1), { kind: 'word', word: 'image', text: 'a cat' });
});

test('character references become their characters, and what is none stays', () => {
  assert.equal(
    decodeEntities('&lt;b&gt; &#65;&#x42; &nope; &amp;lt; &#0; &#xd800;'),
    '<b> AB &nope; &lt; \ufffd \ufffd',
  );
  assert.equal(textOf(parseMarkdown('`&lt;` and &lt;')), '&lt; and <');
});

test('headings of an answer stand below the question, which is an h2', () => {
  const tags = parseMarkdown('# a\n\n## b\n\n###### c').map(
    (node) => typeof node === 'object' && node.kind === 'element' && node.tag,
  );
  assert.deepEqual(tags, ['h3', 'h4', 'h6']);
});
