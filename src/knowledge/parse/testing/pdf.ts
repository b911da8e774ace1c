/**
 * A small writer of PDF files, for tests: pages with lines of text in Helvetica, pages with a picture only, and files that ask
 * for a password.
 *
 * @module knowledge/parse/testing/pdf
 */

export interface PdfText {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

export interface PdfOptions {
  readonly title?: string;
  /** Asks for a password: no key opens what it says of its owner and user. */
  readonly encrypted?: boolean;
}

const escapeText = (text: string): string => text.replace(/[\\()]/g, (letter) => `\\${letter}`);

/** @param pages lines of each page; null is a page that is a picture. */
export function pdf(pages: readonly (readonly PdfText[] | null)[], options: PdfOptions = {}): Uint8Array {
  const objects: string[] = [];
  const add = (body: string): number => objects.push(body);
  const stream = (dictionary: string, content: string) =>
    `<< ${dictionary} /Length ${content.length} >>\nstream\n${content}\nendstream`;
  const catalog = add('');
  const tree = add('');
  const font = add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>');
  const picture = add(
    stream(
      '/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8',
      'x',
    ),
  );
  const kids = pages.map((lines) => {
    const drawing =
      lines === null
        ? 'q 500 0 0 700 50 50 cm /Im0 Do Q'
        : lines
            .map(
              ({ text, x, y, size }) => `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${escapeText(text)}) Tj ET`,
            )
            .join('\n');
    const content = add(stream('', drawing));
    return add(
      `<< /Type /Page /Parent ${tree} 0 R /MediaBox [0 0 612 792] /Contents ${content} 0 R /Resources << /Font << /F1 ${font} 0 R >> /XObject << /Im0 ${picture} 0 R >> >> >>`,
    );
  });
  objects[catalog - 1] = `<< /Type /Catalog /Pages ${tree} 0 R >>`;
  objects[tree - 1] =
    `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`;
  const info = options.title === undefined ? null : add(`<< /Title (${escapeText(options.title)}) >>`);
  const lock =
    options.encrypted === true
      ? add(`<< /Filter /Standard /V 1 /R 2 /P -4 /O <${'41'.repeat(32)}> /U <${'42'.repeat(32)}> >>`)
      : null;
  let out = '%PDF-1.4\n';
  const offsets = objects.map((body, index) => {
    const at = out.length;
    out += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return at;
  });
  const start = out.length;
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`);
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows.join('')}`;
  const extra = [
    info === null ? '' : `/Info ${info} 0 R`,
    lock === null ? '' : `/Encrypt ${lock} 0 R /ID [<00> <00>]`,
  ].join(' ');
  out += `trailer\n<< /Size ${objects.length + 1} /Root ${catalog} 0 R ${extra} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(out, 'latin1');
}

/** Lines of body text one below the other, from a height. */
export function linesFrom(y: number, lines: readonly string[], size = 10): PdfText[] {
  return lines.map((text, index) => ({ text, x: 72, y: y - index * 1.2 * size, size }));
}
