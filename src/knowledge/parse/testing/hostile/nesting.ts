/**
 * Files that are nested deeper than anybody nests.
 *
 * @module knowledge/parse/testing/hostile/nesting
 */
import { epub, zipOf } from '../office.ts';
import { ANY, body, type HostileFile, TYPED, text, word } from './file.ts';

const nested = (open: string, close: string, depth: number, inside = 'x'): Uint8Array =>
  text(open.repeat(depth) + inside + close.repeat(depth));

export function nesting(): HostileFile[] {
  const deep = 100_000;
  const tags = (name: string) => [`<${name}>`, `</${name}>`] as const;
  return [
    { name: 'deep.json', make: () => nested('[', ']', deep, '1'), ends: ['ok'] },
    { name: 'deep-objects.json', make: () => nested('{"a":', '}', deep, '1'), ends: ['ok'] },
    { name: 'deep-open.json', make: () => text('['.repeat(deep)), ends: ['parse_broken'] },
    { name: 'deep.yaml', make: () => nested('[', ']', 20_000, '1'), ends: ANY },
    {
      name: 'deep-block.yaml',
      make: () => text(Array.from({ length: 3_000 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')),
      ends: ANY,
    },
    { name: 'deep.toml', make: () => text(`a = ${'['.repeat(deep)}`), ends: ['parse_broken'] },
    { name: 'deep-keys.toml', make: () => text(`${'a.'.repeat(20_000)}b = 1`), ends: ANY },
    { name: 'deep.html', make: () => nested(...tags('div'), deep), ends: ['parse_too_large'] },
    { name: 'deeper-than-most.html', make: () => nested('<div>', '</div>', 5_000), ends: ['ok'] },
    {
      name: 'deep-lists.html',
      make: () => nested('<ul><li>', '</li></ul>', 30_000),
      ends: ['parse_too_large'],
    },
    {
      name: 'deep-tables.html',
      make: () => nested('<table><tr><td>', '</td></tr></table>', 20_000),
      ends: ['parse_too_large'],
    },
    {
      name: 'deep-inline.html',
      make: () => nested('<b><i>', '</i></b>', 50_000, body),
      ends: ['parse_too_large'],
    },
    { name: 'deep-open.html', make: () => text('<section>'.repeat(deep)), ends: ['parse_too_large'] },
    { name: 'deep-quotes.md', make: () => text(`${'> '.repeat(2_000)}x`), ends: ANY },
    {
      name: 'deep-lists.md',
      make: () => text(Array.from({ length: 500 }, (_, n) => `${'  '.repeat(n)}- x`).join('\n')),
      ends: ANY,
    },
    { name: 'deep-emphasis.md', make: () => text(`${'*a **b '.repeat(3_000)}`), ends: ANY },
    { name: 'deep-brackets.md', make: () => text('['.repeat(20_000)), ends: ANY },
    {
      name: 'deep.docx',
      make: () => word(`<w:document><w:body>${'<w:p>'.repeat(deep)}</w:body></w:document>`),
      ends: ['parse_too_large', 'parse_broken'],
    },
    {
      name: 'deep-tables.docx',
      make: () => word(`<w:document><w:body>${'<w:tbl><w:tr><w:tc>'.repeat(20_000)}</w:body></w:document>`),
      ends: ['parse_too_large', 'parse_broken'],
    },
    {
      name: 'deep.xlsx',
      make: () => zipOf({ 'xl/workbook.xml': `<workbook>${'<a>'.repeat(deep)}` }),
      ends: ['parse_too_large', 'parse_broken'],
    },
    {
      name: 'deep.pptx',
      make: () => zipOf({ 'ppt/presentation.xml': `<p>${'<a>'.repeat(deep)}` }),
      ends: ['parse_too_large', 'parse_broken'],
    },
    {
      name: 'deep.epub',
      make: () => epub('x', [{ file: 'a.xhtml', html: '<div>'.repeat(deep) }]),
      ends: ['ok'],
    },
    { name: 'deep-templates.wiki', make: () => nested('{{a|', '}}', 20_000), ends: ['parse_too_large'] },
    { name: 'deep-links.wiki', make: () => nested('[[a|', ']]', 20_000), ends: ['parse_too_large'] },
    { name: 'deep-dump.xml', make: () => text(`<mediawiki>${'<a>'.repeat(deep)}`), ends: ['parse_broken'] },
    { name: 'deep-parts.eml', make: () => text(deepMail(300)), ends: ANY },
    {
      name: 'deep-arrays.pdf',
      make: () => text(`%PDF-1.4\n1 0 obj\n${'['.repeat(deep)}\nendobj\ntrailer << /Root 1 0 R >>`),
      ends: ['parse_broken', 'parse_too_large'],
    },
    { name: 'zip-in-zip.docx', make: () => zipInZip(30), ends: TYPED },
  ];
}

function deepMail(depth: number): string {
  let mail = 'Content-Type: text/plain\r\n\r\nx\r\n';
  for (let at = 0; at < depth; at += 1)
    mail = `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n${mail}\r\n--b${at}--\r\n`;
  return `From: a@b.c\r\nTo: a@b.c\r\nSubject: x\r\nMIME-Version: 1.0\r\n${mail}`;
}

function zipInZip(depth: number): Uint8Array {
  let inner = zipOf({ 'a.txt': 'x' });
  for (let at = 0; at < depth; at += 1) inner = zipOf({ 'inner.zip': inner });
  return inner;
}
