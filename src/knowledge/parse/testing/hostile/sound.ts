/**
 * A sound file of each format, and what becomes of it: cut off, damaged, under another name.
 *
 * @module knowledge/parse/testing/hostile/sound
 */
import { docx, epub, pptx, xlsx } from '../office.ts';
import { linesFrom, pdf } from '../pdf.ts';
import { doc } from '../word.ts';
import { ANY, body, type HostileFile, text } from './file.ts';

const WIKI = `{{Infobox person|name=Ada}}\n'''Ada''' [[London|in London]].\n\n== Life ==\n* one\n`;

/** A sound file of each format. */
export const SOUND: Readonly<Record<string, () => Uint8Array>> = {
  'a.txt': () => text(body),
  'a.md': () =>
    text(
      `---\ntitle: x\ntags: [a]\n---\n# One\n\n${body}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n  - [[y]]\n\n\`\`\`\ncode\n\`\`\`\n`,
    ),
  'a.rst': () =>
    text(`Title\n=====\n\n${body}\n\n.. code:: x\n\n   y\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n`),
  'a.csv': () => text(`a,b\n${'"x, y",2\n'.repeat(50)}`),
  'a.json': () => text(JSON.stringify({ a: [1, 2, { b: body }], c: { d: { e: [[1]] } } })),
  'a.yaml': () => text(`a: 1\nb: [x, y]\nc:\n  d: &e {f: 1}\n  g: *e\nh: |\n  ${body}\n`),
  'a.toml': () => text(`a = 1\n[b]\nc = "x"\n[[d]]\ne = 1979-05-27T07:32:00Z\n`),
  'a.html': () =>
    text(
      `<!doctype html><html><body><h1>One</h1><p>${body}</p><table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table></body></html>`,
    ),
  'a.pdf': () => pdf([linesFrom(700, [body.slice(0, 90), body.slice(0, 80)]), null]),
  'a.docx': () =>
    docx('x', [
      { heading: 1, text: 'One' },
      { paragraph: body },
      {
        table: [
          ['a', 'b'],
          ['1', '2'],
        ],
      },
    ]),
  'a.doc': () => doc(`${body}\rmore\r`),
  'a.pptx': () => pptx([{ title: 'One', points: ['a', 'b'], notes: body }]),
  'a.xlsx': () =>
    xlsx({
      One: [
        ['a', 'b'],
        [1, { date: 43_831 }],
      ],
    }),
  'a.epub': () => epub('x', [{ file: 'a.xhtml', html: `<h1>One</h1><p>${body}</p>` }]),
  'a.eml': () =>
    text(
      `From: a@b.c\r\nTo: d@e.f\r\nSubject: x\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${body}\r\n--b\r\nContent-Type: application/json; name=x.json\r\nContent-Disposition: attachment; filename=x.json\r\n\r\n{"a":1}\r\n--b--\r\n`,
    ),
  'a.wiki': () => text(WIKI.repeat(5)),
  'dump.xml': () =>
    text(
      `<mediawiki><page><title>A</title><ns>0</ns><revision><text>${WIKI}</text></revision></page><page><title>B</title><ns>0</ns><revision><text>${body}</text></revision></page></mediawiki>`,
    ),
};

/** Each format, cut off at points all over it. */
export function truncated(points: number): HostileFile[] {
  return Object.entries(SOUND).flatMap(([name, make]) =>
    Array.from({ length: points }, (_, point) => ({
      name: `cut-${point + 1}-of-${points}-${name}`,
      make: () => {
        const bytes = make();
        return bytes.subarray(0, Math.floor((bytes.length * (point + 0.5)) / points));
      },
      ends: ANY,
    })),
  );
}

/** Each format with bytes changed in the middle, always the same ones. */
export function damaged(): HostileFile[] {
  return Object.entries(SOUND).flatMap(([name, make]) =>
    [7, 31].map((step) => ({
      name: `damaged-by-${step}-${name}`,
      make: () => {
        const bytes = Uint8Array.from(make());
        for (let at = step * 3; at < bytes.length; at += step * 11)
          bytes[at] = (bytes[at]! * 7 + step) & 0xff;
        return bytes;
      },
      ends: ANY,
    })),
  );
}

/** Each binary format under the name of each other, and texts under theirs. */
export function misnamed(): HostileFile[] {
  const names = Object.keys(SOUND);
  return names.map((name, index) => ({
    name: `really-${name}.${names[(index + 5) % names.length]!.split('.')[1]!}`,
    make: SOUND[name]!,
    ends: ANY,
  }));
}
