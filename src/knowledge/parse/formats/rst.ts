/**
 * reStructuredText: titles by their adornment, paragraphs, lists, literal blocks, tables, fields and the common directives.
 * A reader of what people write, not of the whole specification: what it does not know stays text.
 *
 * @module knowledge/parse/formats/rst
 */
import type { ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter, tableLine } from '../document-writer.ts';
import type { ParserInput } from '../parser.ts';

const ADORNMENT = /^([!-/:-@[-`{-~])\1{2,}\s*$/;
const FIELD = /^:([^:\n]{1,60}):(?:\s+(.*))?$/;
const DIRECTIVE = /^\.\.\s+(?:\|[^|]{1,60}\|\s+)?([\w:-]{1,40})::\s*(.*)$/;
const LIST = /^(?:[-*+•]|\d{1,3}[.)]|[a-zA-Z#][.)])\s+\S/;
const RULE = /^=+(?:\s+=+)+\s*$/;
/** Directives whose content is shown as it stands, and those whose content is not shown. */
const CODE = new Set([
  'code',
  'code-block',
  'sourcecode',
  'literalinclude',
  'highlight',
  'math',
  'parsed-literal',
]);
const HIDDEN = new Set([
  'image',
  'figure',
  'include',
  'contents',
  'toctree',
  'raw',
  'meta',
  'index',
  'default-role',
]);

const indentOf = (line: string): number => line.length - line.trimStart().length;

class Reader {
  readonly #writer: DocumentWriter;
  readonly #lines: readonly string[];
  /** Adornments in the order in which they came: the first is the outermost. */
  readonly #levels: string[] = [];
  #at = 0;

  constructor(writer: DocumentWriter, lines: readonly string[]) {
    this.#writer = writer;
    this.#lines = lines;
  }

  read(): void {
    while (this.#at < this.#lines.length && !this.#writer.full) this.#element();
  }

  #line(offset = 0): string {
    return this.#lines[this.#at + offset] ?? '';
  }

  #heading(style: string, text: string): void {
    let level = this.#levels.indexOf(style);
    if (level === -1) level = this.#levels.push(style) - 1;
    const said = this.#inline(text.trim());
    if (level === 0) this.#writer.title(said);
    this.#writer.heading(level + 1, said);
  }

  #element(): void {
    const line = this.#line();
    if (line.trim() === '') {
      this.#at += 1;
      return;
    }
    const over = ADORNMENT.exec(line);
    if (over !== null && this.#line(2).trimEnd() === line.trimEnd() && this.#line(1).trim() !== '') {
      this.#heading(`${over[1]}${over[1]}`, this.#line(1));
      this.#at += 3;
      return;
    }
    const under = ADORNMENT.exec(this.#line(1));
    if (
      under !== null &&
      indentOf(line) === 0 &&
      over === null &&
      this.#line(1).trimEnd().length >= Math.min(3, line.trimEnd().length)
    ) {
      this.#heading(under[1]!, line);
      this.#at += 2;
      return;
    }
    if (/^\+[-=+]{3,}\+\s*$/.test(line)) {
      this.#gridTable();
      return;
    }
    if (RULE.test(line)) {
      this.#simpleTable();
      return;
    }
    if (over !== null) {
      this.#at += 1;
      return;
    }
    if (/^\.\.(?:\s|$)/.test(line)) {
      this.#explicit();
      return;
    }
    const field = FIELD.exec(line);
    if (field !== null) {
      this.#field(field[1]!, field[2] ?? '');
      return;
    }
    this.#paragraph();
  }

  #field(name: string, first: string): void {
    this.#at += 1;
    const rest = this.#indented().map((line) => line.trim());
    const value = this.#inline([first, ...rest].join(' ').trim());
    if (/^(?:tags|keywords)$/i.test(name)) for (const tag of value.split(/[,;]\s*/)) this.#writer.tag(tag);
    this.#writer.property(name.toLowerCase(), value);
  }

  /** Lines that are indented or empty, from here on. */
  #indented(): string[] {
    const lines: string[] = [];
    while (this.#at < this.#lines.length && (this.#line().trim() === '' || indentOf(this.#line()) > 0)) {
      lines.push(this.#line());
      this.#at += 1;
    }
    while (lines.at(-1)?.trim() === '') lines.pop();
    return lines;
  }

  /** A directive, a target of links, a comment. */
  #explicit(): void {
    const start = this.#at + 1;
    const line = this.#line();
    const target = /^\.\.\s+_([^:]{1,200}):\s+(\S+)/.exec(line);
    const note = /^\.\.\s+\[[#*\w-]{1,40}\]\s+(.*)$/.exec(line);
    const directive = DIRECTIVE.exec(line);
    this.#at += 1;
    const body = this.#indented();
    if (target !== null) {
      this.#writer.link('link', target[2]!, target[1]!);
      return;
    }
    if (note !== null) {
      this.#writer.block('text', this.#inline([note[1]!, ...body].map((row) => row.trim()).join('\n')), {
        line: start,
      });
      return;
    }
    if (directive === null) return;
    const name = directive[1]!.toLowerCase();
    if (HIDDEN.has(name)) return;
    while (FIELD.test((body[0] ?? '').trim())) body.shift();
    const text = dedent(body);
    if (CODE.has(name)) {
      this.#writer.block('code', text, { line: start });
      return;
    }
    if (name === 'csv-table' || name === 'list-table') {
      this.#writer.block('table', [this.#inline(directive[2]!), text].join('\n'), { line: start });
      return;
    }
    const said = this.#inline([directive[2]!, text].join('\n').trim());
    this.#writer.block(name === 'epigraph' || name === 'pull-quote' ? 'quote' : 'text', said, {
      line: start,
    });
  }

  #gridTable(): void {
    const start = this.#at + 1;
    const rows: string[] = [];
    let cells: string[] | null = null;
    for (; /^[+|]/.test(this.#line()); this.#at += 1) {
      const line = this.#line().trim();
      if (line.startsWith('+')) {
        if (cells !== null) rows.push(tableLine(cells));
        cells = null;
        continue;
      }
      const parts = line.replace(/^\||\|$/g, '').split('|');
      cells = cells === null ? parts : parts.map((part, index) => `${cells?.[index] ?? ''} ${part}`);
    }
    if (cells !== null) rows.push(tableLine(cells));
    this.#writer.block('table', this.#inline(rows.join('\n')), { line: start });
  }

  #simpleTable(): void {
    const start = this.#at + 1;
    const rule = this.#line().trimEnd();
    const starts = [...rule.matchAll(/=+/g)].map((match) => match.index);
    const rows: string[] = [];
    this.#at += 1;
    for (let rules = 1; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#line();
      if (RULE.test(line)) {
        rules += 1;
        const ends = rules >= 3 || this.#line(1).trim() === '';
        if (!ends) continue;
        this.#at += 1;
        break;
      }
      if (line.trim() === '' || /^[-\s]+$/.test(line)) continue;
      rows.push(tableLine(starts.map((from, index) => line.slice(from, starts[index + 1]))));
    }
    this.#writer.block('table', this.#inline(rows.join('\n')), { line: start });
  }

  #paragraph(): void {
    const start = this.#at + 1;
    const indent = indentOf(this.#line());
    const lines: string[] = [];
    const isList = LIST.test(this.#line().trimStart());
    while (this.#at < this.#lines.length) {
      const line = this.#line();
      if (line.trim() === '') {
        // Items of a list may have empty lines between them.
        const more =
          isList &&
          (LIST.test(this.#line(1).trimStart()) || indentOf(this.#line(1)) > indent) &&
          this.#line(1).trim() !== '';
        if (!more) break;
        this.#at += 1;
        continue;
      }
      if (lines.length > 0 && ADORNMENT.test(this.#line(1)) && indentOf(line) === 0 && !isList) break;
      lines.push(line.slice(Math.min(indent, indentOf(line))).trimEnd());
      this.#at += 1;
    }
    const text = lines.join('\n');
    const literal = text.endsWith('::');
    const said = literal ? text.replace(/\s*::$/, text === '::' ? '' : ':') : text;
    const kind = isList ? 'list' : indent > 0 ? 'quote' : 'text';
    this.#writer.block(kind, this.#inline(said), { line: start });
    if (!literal) return;
    while (this.#at < this.#lines.length && this.#line().trim() === '') this.#at += 1;
    const codeLine = this.#at + 1;
    const code = this.#indented();
    if (code.length > 0) this.#writer.block('code', dedent(code), { line: codeLine });
  }

  /** Without the marks of inline markup; links are given to the writer. */
  #inline(text: string): string {
    return text
      .replace(/`([^`<\n]{1,300})<([^<>`\s]{1,1000})>`__?/g, (_, label: string, url: string) => {
        this.#writer.link('link', url, label.trim());
        return label.trim();
      })
      .replace(/:[\w:+-]{1,40}:`([^`\n]{1,300})`/g, (_, inner: string) =>
        inner.replace(/\s*<[^<>]*>$/, '').replace(/^[~!]/, ''),
      )
      .replace(/``([^`\n]{1,1000})``/g, '$1')
      .replace(/`([^`\n]{1,300})`_{0,2}/g, '$1')
      .replace(/\*\*([^*\n]{1,1000})\*\*/g, '$1')
      .replace(/(^|[\s(])\*([^*\s][^*\n]{0,1000})\*/g, '$1$2')
      .replace(/\|([^|\n]{1,60})\|_/g, '$1')
      .replace(/\b(\w{1,60})_(?=[\s.,;:)]|$)/g, '$1');
  }
}

function dedent(lines: readonly string[]): string {
  const indents = lines.filter((line) => line.trim() !== '').map(indentOf);
  const least = indents.reduce((a, b) => Math.min(a, b), 1_000);
  return lines
    .map((line) => line.slice(least))
    .join('\n')
    .trimEnd();
}

export function parseRst({ bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  const text = textOf(bytes, writer).replace(/\r\n?/g, '\n').replaceAll('\t', '        ');
  new Reader(writer, text.split('\n')).read();
  return writer.finish();
}
