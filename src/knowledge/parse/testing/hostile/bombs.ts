/**
 * Small files that stand for large ones, and files that lead back to themselves.
 *
 * @module knowledge/parse/testing/hostile/bombs
 */
import { deflateRawSync } from 'node:zlib';
import { epub, xlsx, zipOf } from '../office.ts';
import { pdf } from '../pdf.ts';
import { compoundFile, doc } from '../word.ts';
import { ANY, body, type HostileFile, TYPED, text, word } from './file.ts';

/** A zip with one file of zeros, whose headers say what they like. */
function zipBomb(name: string, megabytes: number, declared: number | null): Uint8Array {
  const packed = deflateRawSync(Buffer.alloc(megabytes * 1024 * 1024), { level: 9 });
  const size = declared ?? megabytes * 1024 * 1024;
  const header = (signature: number, length: number) => {
    const out = Buffer.alloc(length);
    out.writeUInt32LE(signature, 0);
    return out;
  };
  const local = header(0x04034b50, 30);
  local.writeUInt16LE(20, 4);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(size, 22);
  local.writeUInt16LE(name.length, 26);
  return Buffer.concat([local, Buffer.from(name), packed]);
}

export function bombs(): HostileFile[] {
  const huge = 'A'.repeat(1_000);
  const laughs = (depth: number) => {
    const lines = [`a0: &a0 [${'lol, '.repeat(9)}lol]`];
    for (let at = 1; at < depth; at += 1)
      lines.push(`a${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}*a${at - 1}]`);
    return lines.join('\n');
  };
  const entities = Array.from(
    { length: 12 },
    (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`,
  ).join('');
  const doctype = `<!DOCTYPE a [<!ENTITY e0 "lol">${entities}]>`;
  return [
    { name: 'bomb.docx', make: () => zipBomb('word/document.xml', 300, null), ends: ['parse_too_large'] },
    { name: 'lying-bomb.docx', make: () => zipBomb('word/document.xml', 300, 10), ends: ['parse_too_large'] },
    { name: 'bomb.xlsx', make: () => zipBomb('xl/workbook.xml', 300, 1), ends: ['parse_too_large'] },
    { name: 'bomb.pptx', make: () => zipBomb('ppt/presentation.xml', 300, 0), ends: ['parse_too_large'] },
    { name: 'bomb.epub', make: () => zipBomb('META-INF/container.xml', 300, 5), ends: TYPED },
    {
      name: 'many.docx',
      make: () => zipOf(Object.fromEntries(Array.from({ length: 25_000 }, (_, n) => [`word/${n}.xml`, '']))),
      ends: ['parse_too_large'],
    },
    {
      name: 'many-strings.xlsx',
      make: () =>
        zipOf({
          'xl/workbook.xml': '<workbook/>',
          'xl/sharedStrings.xml': `<sst>${'<si><t>a</t></si>'.repeat(200_000)}</sst>`,
        }),
      ends: ANY,
    },
    {
      name: 'escape.docx',
      make: () => zipOf({ '../../../etc/word/document.xml': 'x', '/word/document.xml': '<w:document/>' }),
      ends: ANY,
    },
    { name: 'laughs.yaml', make: () => text(laughs(10)), ends: ['parse_broken'] },
    { name: 'laughs.md', make: () => text(`---\n${laughs(10)}\n---\ntext`), ends: ['ok'] },
    { name: 'loop.yaml', make: () => text('a: &a\n  b: *a\n  c: [*a, *a]\n'), ends: ['ok', 'parse_broken'] },
    {
      name: 'merge.yaml',
      make: () =>
        text(
          `a: &a {x: 1}\n${Array.from({ length: 2_000 }, (_, n) => `k${n}: {<<: *a, y: ${n}}`).join('\n')}`,
        ),
      ends: ANY,
    },
    {
      name: 'entities.docx',
      make: () =>
        word(
          `<?xml version="1.0"?>${doctype}<w:document><w:body><w:p><w:r><w:t>&e12;</w:t></w:r></w:p></w:body></w:document>`,
        ),
      ends: TYPED,
    },
    { name: 'entities.xml', make: () => text(`<?xml version="1.0"?>${doctype}<a>&e12;</a>`), ends: ANY },
    {
      name: 'entities-dump.xml',
      make: () => text(`<mediawiki>${'&lt;'.repeat(100_000)}</mediawiki>`),
      ends: ['ok'],
    },
    {
      name: 'external.docx',
      make: () =>
        word(
          '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>',
        ),
      ends: TYPED,
    },
    {
      name: 'repeat.xlsx',
      make: () => xlsx({ A: Array.from({ length: 300 }, () => [huge, huge]) }),
      ends: ANY,
    },
    { name: 'pages.pdf', make: () => pdf(Array.from({ length: 300 }, () => [])), ends: ['ok'] },
  ];
}

export function loops(): HostileFile[] {
  const looped = () => {
    const bytes = Buffer.from(doc('text\r'));
    // Sectors of the first stream lead back to its first one.
    bytes.writeInt32LE(2, 512 + 4 * 4);
    return bytes;
  };
  const directory = () => {
    const bytes = Buffer.from(doc('text\r'));
    // The directory is behind itself.
    bytes.writeInt32LE(1, 512 + 4);
    return bytes;
  };
  return [
    { name: 'loop.doc', make: looped, ends: [...ANY, 'parse_timeout', 'parse_memory'] },
    { name: 'loop-directory.doc', make: directory, ends: [...ANY, 'parse_timeout', 'parse_memory'] },
    {
      name: 'loop-pages.pdf',
      make: () =>
        text(
          '%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>\nendobj\ntrailer << /Root 1 0 R >>\n',
        ),
      ends: ANY,
    },
    {
      name: 'loop-objects.pdf',
      make: () => text('%PDF-1.4\n1 0 obj\n1 0 R\nendobj\ntrailer << /Root 1 0 R /Prev 9 >>\nstartxref\n9\n'),
      ends: ANY,
    },
    {
      name: 'loop-slides.pptx',
      make: () =>
        zipOf({
          'ppt/presentation.xml': '<p xmlns:r="r"><sldId r:id="a"/><sldId r:id="a"/></p>',
          'ppt/_rels/presentation.xml.rels':
            '<Relationships><Relationship Id="a" Type="x/slide" Target="presentation.xml"/></Relationships>',
        }),
      ends: ANY,
    },
    {
      name: 'loop-links.md',
      make: () => text('[[loop-links]] ![[loop-links]]\n'.repeat(2_000)),
      ends: ['ok'],
    },
    {
      name: 'loop-spine.epub',
      make: () =>
        epub(
          'x',
          Array.from({ length: 50 }, () => ({ file: 'a.xhtml', html: body })),
        ),
      ends: ['ok'],
    },
    {
      name: 'no-streams.doc',
      make: () => compoundFile(['A', Buffer.alloc(1)], ['B', Buffer.alloc(1)]),
      ends: ['parse_broken'],
    },
    {
      name: 'count.pdf',
      make: () =>
        text(
          '%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 999999999 /Kids [] >>\nendobj\ntrailer << /Root 1 0 R >>\n',
        ),
      ends: [...ANY, 'parse_timeout'],
    },
  ];
}
