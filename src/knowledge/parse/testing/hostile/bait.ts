/**
 * Texts that make careless patterns run for years, scripts, and names that objects have already.
 *
 * @module knowledge/parse/testing/hostile/bait
 */
import { ANY, type HostileFile, text } from './file.ts';

export function bait(): HostileFile[] {
  const many = (piece: string, count = 50_000): Uint8Array => text(piece.repeat(count));
  const slow = ['ok', 'parse_timeout', 'parse_too_large'];
  return [
    {
      name: 'scripts.html',
      make: () =>
        text(
          `<html><body>${'<script>while(true){}</script><img src=x onerror="while(1){}"><iframe src="javascript:0"></iframe><svg onload="x()"><p>words</p></svg>'.repeat(2_000)}<p>text</p></body></html>`,
        ),
      ends: ['ok'],
    },
    { name: 'open-script.html', make: () => text(`<p>a</p><script>${'x<'.repeat(200_000)}`), ends: ['ok'] },
    { name: 'open-comment.html', make: () => text(`<p>a</p><!--${'<!--'.repeat(100_000)}`), ends: ['ok'] },
    { name: 'brackets.html', make: () => many('<'), ends: ['ok'] },
    { name: 'styles.html', make: () => text(`<p style="${'display :'.repeat(50_000)}">x</p>`), ends: ['ok'] },
    { name: 'wikilinks.md', make: () => many('[['), ends: slow },
    { name: 'tags.md', make: () => many('#a '), ends: ['ok'] },
    { name: 'percent.md', make: () => many('%%%', 20_000), ends: slow },
    {
      name: 'backticks.md',
      make: () => text(Array.from({ length: 600 }, (_, n) => '`'.repeat(n + 1)).join(' ')),
      ends: slow,
    },
    { name: 'emphasis.md', make: () => many('*_', 5_000), ends: slow },
    { name: 'links.md', make: () => many('[a](', 5_000), ends: slow },
    { name: 'images.md', make: () => many('![[]()', 3_000), ends: slow },
    {
      name: 'table.md',
      make: () =>
        text(`|${'a|'.repeat(2_000)}\n|${'-|'.repeat(2_000)}\n${`|${'b|'.repeat(2_000)}\n`.repeat(10)}`),
      ends: slow,
    },
    { name: 'html.md', make: () => many('<a', 10_000), ends: slow },
    { name: 'autolinks.md', make: () => many('www.a.b_', 5_000), ends: slow },
    {
      name: 'definitions.md',
      make: () => text(Array.from({ length: 5_000 }, (_, n) => `[a${n}]: /x${n} "`).join('\n')),
      ends: slow,
    },
    { name: 'frontmatter.md', make: () => text(`---\n${'a: b\n'.repeat(100_000)}`), ends: ['ok'] },
    { name: 'fence.md', make: () => text(`\`\`\`\n${'x\n'.repeat(300_000)}`), ends: ['ok'] },
    { name: 'ticks.rst', make: () => many('`', 100_000), ends: ['ok'] },
    { name: 'stars.rst', make: () => many('**a', 50_000), ends: ['ok'] },
    { name: 'roles.rst', make: () => many(':a:`', 30_000), ends: ['ok'] },
    { name: 'underscores.rst', make: () => many('a_', 100_000), ends: ['ok'] },
    { name: 'rules.rst', make: () => many('=== ===\n', 20_000), ends: ['ok'] },
    { name: 'grid.rst', make: () => many('+---+\n', 20_000), ends: ['ok'] },
    { name: 'templates.wiki', make: () => many('{{', 20_000), ends: [...slow, 'parse_broken'] },
    { name: 'apostrophes.wiki', make: () => many("''' ''", 5_000), ends: [...slow, 'parse_broken'] },
    { name: 'refs.wiki', make: () => many('<ref>', 5_000), ends: [...slow, 'parse_broken'] },
    { name: 'tables.wiki', make: () => many('{|\n|-\n|', 2_000), ends: [...slow, 'parse_broken'] },
    { name: 'headings.wiki', make: () => many('== a ==\n', 2_000), ends: [...slow, 'parse_broken'] },
    {
      name: 'addresses.eml',
      make: () => text(`From: ${'"(<'.repeat(20_000)}\r\nDate: x\r\nSubject: y\r\n\r\nz`),
      ends: ANY,
    },
    {
      name: 'words.eml',
      make: () => text(`From: a@b.c\r\nDate: x\r\nSubject: ${'=?utf-8?q?'.repeat(20_000)}\r\n\r\nz`),
      ends: ANY,
    },
    {
      name: 'keys.yaml',
      make: () => text(Array.from({ length: 20_000 }, (_, n) => `k${n}: ${n}`).join('\n')),
      ends: slow,
    },
    { name: 'anchors.yaml', make: () => many('&a ', 5_000), ends: ANY },
    { name: 'quotes.yaml', make: () => text(`a: "${'\\x'.repeat(50_000)}`), ends: ANY },
    { name: 'dates.toml', make: () => text(`a = ${'1'.repeat(100_000)}`), ends: ANY },
    {
      name: 'proto.json',
      make: () =>
        text('{"__proto__": {"polluted": "yes"}, "constructor": {"prototype": {"polluted": "yes"}}}'),
      ends: ['ok'],
    },
    {
      name: 'proto.md',
      make: () => text('---\n__proto__:\n  polluted: "yes"\nconstructor: x\n---\ntext'),
      ends: ['ok'],
    },
    {
      name: 'proto.toml',
      make: () => text('__proto__.polluted = "yes"\n[constructor]\nprototype = 1\n'),
      ends: ANY,
    },
    { name: 'proto.csv', make: () => text('__proto__,constructor\n1,2\n'), ends: ['ok'] },
  ];
}
