/**
 * Long lines, many lines, bytes that are no characters, and nothing at all.
 *
 * @module knowledge/parse/testing/hostile/lines
 */
import { ANY, type HostileFile, text } from './file.ts';

export function lines(): HostileFile[] {
  const mb = 1024 * 1024;
  return [
    { name: 'line.txt', make: () => text('x'.repeat(20 * mb)), ends: ['ok'] },
    { name: 'words.txt', make: () => text('lorem ipsum '.repeat(mb)), ends: ['ok'] },
    { name: 'empty-lines.txt', make: () => text('\n'.repeat(10 * mb)), ends: ['ok'] },
    { name: 'short-lines.txt', make: () => text('a\n\n'.repeat(2 * mb)), ends: ['ok'] },
    { name: 'line.md', make: () => text('x '.repeat(mb)), ends: ['ok', 'parse_timeout'] },
    { name: 'headings.md', make: () => text('# a\n'.repeat(50_000)), ends: ['ok'] },
    { name: 'line.csv', make: () => text('a,'.repeat(mb)), ends: ['ok'] },
    { name: 'quote.csv', make: () => text(`a,b\n"${'x\n'.repeat(mb)}`), ends: ['ok'] },
    { name: 'rows.csv', make: () => text('a,b\n'.repeat(500_000)), ends: ['ok'] },
    { name: 'line.json', make: () => text(`"${'x'.repeat(8 * mb)}"`), ends: ['ok'] },
    {
      name: 'keys.json',
      make: () => text(`{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":${n}`).join(',')}}`),
      ends: ['ok'],
    },
    { name: 'line.html', make: () => text(`<p>${'x '.repeat(2 * mb)}`), ends: ['ok'] },
    {
      name: 'attributes.html',
      make: () => text(`<p ${Array.from({ length: 20_000 }, (_, n) => `a${n}="x"`).join(' ')}>x</p>`),
      ends: ['ok'],
    },
    {
      name: 'links.html',
      make: () => text('<a href="https://example.org/x">y</a>'.repeat(30_000)),
      ends: ['ok'],
    },
    {
      name: 'many-links.html',
      make: () => text(Array.from({ length: 40_000 }, (_, n) => `<a href="/${n}">y</a>`).join('')),
      ends: ['ok'],
    },
    { name: 'title.html', make: () => text(`<html><title>${'x'.repeat(mb)}</title><body>y`), ends: ['ok'] },
    {
      name: 'header.eml',
      make: () => text(`From: a@b.c\r\nDate: x\r\nSubject: ${'x'.repeat(4 * mb)}\r\n\r\ntext`),
      ends: ANY,
    },
    {
      name: 'people.eml',
      make: () =>
        text(
          `From: a@b.c\r\nDate: x\r\nSubject: y\r\nTo: ${Array.from({ length: 20_000 }, (_, n) => `p${n}@b.c`).join(', ')}\r\n\r\ntext`,
        ),
      ends: ANY,
    },
    {
      name: 'invalid.txt',
      make: () => Buffer.alloc(mb, Buffer.from([0x61, 0xff, 0xc3, 0x20, 0xe2, 0x28])),
      ends: ANY,
    },
    {
      name: 'surrogates.txt',
      make: () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.alloc(mb, Buffer.from([0, 0xd8]))]),
      ends: ANY,
    },
    { name: 'overlong.md', make: () => Buffer.alloc(10_000, Buffer.from([0xc0, 0xaf])), ends: ANY },
    { name: 'zeros.txt', make: () => Buffer.alloc(mb), ends: ['parse_unsupported'] },
    { name: 'zeros.pdf', make: () => Buffer.alloc(mb), ends: ['parse_broken'] },
    { name: 'zeros.docx', make: () => Buffer.alloc(mb), ends: ['parse_broken'] },
    { name: 'empty.pdf', make: () => Buffer.alloc(0), ends: ['parse_broken'] },
    { name: 'empty.docx', make: () => Buffer.alloc(0), ends: ['parse_broken'] },
    { name: 'empty.md', make: () => Buffer.alloc(0), ends: ['ok'] },
    { name: 'empty.json', make: () => Buffer.alloc(0), ends: ['parse_broken'] },
    { name: 'marks.txt', make: () => text('\u0301'.repeat(500_000)), ends: ['ok'] },
    { name: 'mark.txt', make: () => Buffer.from([0xff, 0xfe]), ends: ['ok'] },
  ];
}
