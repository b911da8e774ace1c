/**
 * Small writers of office files and e-books, for tests: what the formats' programs write, reduced to what matters.
 *
 * @module knowledge/parse/testing/office
 */
import { strToU8, type Zippable, zipSync } from 'fflate';

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const RELS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

export function zipOf(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries: Zippable = {};
  for (const [name, content] of Object.entries(files))
    entries[name] = typeof content === 'string' ? strToU8(content) : content;
  return zipSync(entries, { level: 6, mtime: new Date('2020-01-01T00:00:00Z') });
}

function relations(
  items: readonly { id: string; type: string; target: string; external?: boolean }[],
): string {
  const lines = items.map(
    ({ id, type, target, external }) =>
      `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${escapeXml(target)}"${external === true ? ' TargetMode="External"' : ''}/>`,
  );
  return `${HEAD}<Relationships xmlns="${RELS}">${lines.join('')}</Relationships>`;
}

const core = (title: string): string =>
  `${HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${escapeXml(title)}</dc:title><dc:creator>Ada Lovelace</dc:creator><cp:keywords>engines, notes</cp:keywords></cp:coreProperties>`;

const TYPES = (main: string, type: string): string =>
  `${HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/${main}" ContentType="application/vnd.openxmlformats-officedocument.${type}.main+xml"/></Types>`;

export type WordPart =
  | { readonly heading: number; readonly text: string }
  | { readonly paragraph: string; readonly url?: string }
  | { readonly list: readonly string[] }
  | { readonly table: readonly (readonly string[])[] };

/** A picture of one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

export function docx(title: string, parts: readonly WordPart[]): Uint8Array {
  const links: { id: string; type: string; target: string; external: boolean }[] = [];
  const run = (text: string) => `<w:r><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r>`;
  const body = parts.map((part) => {
    if ('heading' in part)
      return `<w:p><w:pPr><w:pStyle w:val="Heading${part.heading}"/></w:pPr>${run(part.text)}</w:p>`;
    if ('list' in part)
      return part.list
        .map(
          (item) =>
            `<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>${run(item)}</w:p>`,
        )
        .join('');
    if ('table' in part) {
      const rows = part.table.map(
        (row) => `<w:tr>${row.map((cell) => `<w:tc><w:p>${run(cell)}</w:p></w:tc>`).join('')}</w:tr>`,
      );
      return `<w:tbl>${rows.join('')}</w:tbl>`;
    }
    if (part.url === undefined) return `<w:p>${run(part.paragraph)}</w:p>`;
    const id = `link${links.length}`;
    links.push({ id, type: 'hyperlink', target: part.url, external: true });
    return `<w:p><w:hyperlink r:id="${id}">${run(part.paragraph)}</w:hyperlink></w:p>`;
  });
  const styles = [1, 2, 3].map(
    (level) =>
      `<w:style w:type="paragraph" w:styleId="Heading${level}"><w:name w:val="heading ${level}"/></w:style>`,
  );
  const w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
  return zipOf({
    '[Content_Types].xml': TYPES('word/document.xml', 'wordprocessingml.document'),
    '_rels/.rels': relations([{ id: 'r1', type: 'officeDocument', target: 'word/document.xml' }]),
    'docProps/core.xml': core(title),
    'word/document.xml': `${HEAD}<w:document ${w} xmlns:r="${OFFICE}"><w:body>${body.join('')}</w:body></w:document>`,
    'word/styles.xml': `${HEAD}<w:styles ${w}>${styles.join('')}</w:styles>`,
    'word/numbering.xml': `${HEAD}<w:numbering ${w}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`,
    'word/_rels/document.xml.rels': relations([
      { id: 'styles', type: 'styles', target: 'styles.xml' },
      { id: 'numbering', type: 'numbering', target: 'numbering.xml' },
      ...links,
    ]),
    'word/media/image1.png': PIXEL,
  });
}

export interface Slide {
  readonly title: string;
  readonly points: readonly string[];
  readonly notes?: string;
  readonly table?: readonly (readonly string[])[];
}

/** Slides are stored in the opposite order of the presentation's. */
export function pptx(slides: readonly Slide[]): Uint8Array {
  const a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"';
  const p = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"';
  const paragraph = (text: string) => `<a:p><a:r><a:t>${escapeXml(text)}</a:t></a:r></a:p>`;
  const shape = (kind: string, lines: readonly string[]) =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${kind}"/></p:nvPr></p:nvSpPr><p:txBody>${lines.map(paragraph).join('')}</p:txBody></p:sp>`;
  const files: Record<string, string> = {
    '[Content_Types].xml': TYPES('ppt/presentation.xml', 'presentationml.presentation'),
    '_rels/.rels': relations([{ id: 'r1', type: 'officeDocument', target: 'ppt/presentation.xml' }]),
  };
  const file = (index: number) => slides.length - index;
  for (const [index, { title, points, notes, table }] of slides.entries()) {
    const rows = table?.map(
      (row) =>
        `<a:tr>${row.map((cell) => `<a:tc><a:txBody>${paragraph(cell)}</a:txBody></a:tc>`).join('')}</a:tr>`,
    );
    const grid = rows === undefined ? '' : `<p:graphicFrame><a:tbl>${rows.join('')}</a:tbl></p:graphicFrame>`;
    files[`ppt/slides/slide${file(index)}.xml`] =
      `${HEAD}<p:sld ${a} ${p}><p:cSld><p:spTree>${shape('title', [title])}${shape('body', points)}${shape('sldNum', ['9'])}${grid}</p:spTree></p:cSld></p:sld>`;
    if (notes === undefined) continue;
    files[`ppt/slides/_rels/slide${file(index)}.xml.rels`] = relations([
      { id: 'n1', type: 'notesSlide', target: `../notesSlides/notesSlide${file(index)}.xml` },
    ]);
    files[`ppt/notesSlides/notesSlide${file(index)}.xml`] =
      `${HEAD}<p:notes ${a} ${p}><p:cSld><p:spTree>${shape('sldImg', [])}${shape('body', [notes])}</p:spTree></p:cSld></p:notes>`;
  }
  const ids = slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="s${index}"/>`);
  files['ppt/presentation.xml'] =
    `${HEAD}<p:presentation ${p} xmlns:r="${OFFICE}"><p:sldIdLst>${ids.join('')}</p:sldIdLst></p:presentation>`;
  files['ppt/_rels/presentation.xml.rels'] = relations(
    slides.map((_, index) => ({ id: `s${index}`, type: 'slide', target: `slides/slide${file(index)}.xml` })),
  );
  return zipOf(files);
}

/** A cell: a text, a number, or a date as days since 1900 in a date's style. */
export type Cell = string | number | { readonly date: number } | null;

export function xlsx(sheets: Readonly<Record<string, readonly (readonly Cell[])[]>>): Uint8Array {
  const x = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const strings: string[] = [];
  const names = Object.keys(sheets);
  const files: Record<string, string> = {
    '[Content_Types].xml': TYPES('xl/workbook.xml', 'spreadsheetml.sheet'),
    '_rels/.rels': relations([{ id: 'r1', type: 'officeDocument', target: 'xl/workbook.xml' }]),
    'xl/workbook.xml': `${HEAD}<workbook ${x} xmlns:r="${OFFICE}"><sheets>${names
      .map((name, index) => `<sheet name="${escapeXml(name)}" sheetId="${index + 1}" r:id="s${index}"/>`)
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations(
      names.map((_, index) => ({
        id: `s${index}`,
        type: 'worksheet',
        target: `/xl/worksheets/sheet${index + 1}.xml`,
      })),
    ),
    'xl/styles.xml': `${HEAD}<styleSheet ${x}><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><cellStyleXfs><xf numFmtId="0"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>`,
  };
  const reference = (row: number, column: number) => `${String.fromCharCode(65 + column)}${row + 1}`;
  for (const [index, rows] of Object.values(sheets).entries()) {
    const lines = rows.map((cells, row) => {
      const written = cells.map((cell, column) => {
        if (cell === null) return '';
        const at = `r="${reference(row, column)}"`;
        if (typeof cell === 'object') return `<c ${at} s="1"><v>${cell.date}</v></c>`;
        if (typeof cell === 'number') return `<c ${at}><v>${cell}</v></c>`;
        return `<c ${at} t="s"><v>${strings.push(cell) - 1}</v></c>`;
      });
      return `<row r="${row + 1}">${written.join('')}</row>`;
    });
    files[`xl/worksheets/sheet${index + 1}.xml`] =
      `${HEAD}<worksheet ${x}><sheetData>${lines.join('')}</sheetData></worksheet>`;
  }
  files['xl/sharedStrings.xml'] =
    `${HEAD}<sst ${x}>${strings.map((text) => `<si><t>${escapeXml(text)}</t></si>`).join('')}</sst>`;
  return zipOf(files);
}

export interface Chapter {
  readonly file: string;
  /** Body of the chapter in XHTML. */
  readonly html: string;
}

/** @param extra further files of the zip. */
export function epub(
  title: string,
  chapters: readonly Chapter[],
  extra: Readonly<Record<string, string>> = {},
): Uint8Array {
  const items = chapters.map(
    ({ file }, index) =>
      `<item id="c${index}" href="${escapeXml(file)}" media-type="application/xhtml+xml"/>`,
  );
  const spine = chapters.map((_, index) => `<itemref idref="c${index}"/>`);
  const files: Record<string, string> = {
    mimetype: 'application/epub+zip',
    'META-INF/container.xml': `${HEAD}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`,
    'OEBPS/book.opf': `${HEAD}<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${escapeXml(title)}</dc:title><dc:creator>Mary Shelley</dc:creator><dc:language>en</dc:language></metadata><manifest>${items.join('')}</manifest><spine>${spine.join('')}</spine></package>`,
    ...extra,
  };
  for (const { file, html } of chapters)
    files[`OEBPS/${decodeURIComponent(file)}`] =
      `${HEAD}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>${html}</body></html>`;
  return zipOf(files);
}
