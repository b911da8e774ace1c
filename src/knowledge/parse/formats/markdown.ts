/**
 * Markdown as GitHub and Obsidian write it.
 *
 * @module knowledge/parse/formats/markdown
 */
import type { Nodes, Parents, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import type { Block, ParsedDocument } from '../../types.ts';
import { textOf } from '../decode.ts';
import { DocumentWriter, tableLine } from '../document-writer.ts';
import { splitFrontmatter, writeFrontmatter } from '../frontmatter.ts';
import { markdownPieces } from '../markdown-pieces.ts';
import type { ParserInput } from '../parser.ts';
import { withoutWikiMarks } from '../wikilinks.ts';

const syntax = gfm();
const tree = gfmFromMarkdown();

class Reader {
  readonly #writer: DocumentWriter;
  readonly #depth: number;
  readonly #line: number;
  readonly #definitions = new Map<string, string>();

  /** @param line of the file on which the piece begins. */
  constructor(writer: DocumentWriter, depth: number, line: number) {
    this.#writer = writer;
    this.#depth = depth;
    this.#line = line;
  }

  read(markdown: string): void {
    const root = fromMarkdown(markdown, { extensions: [syntax], mdastExtensions: [tree] });
    for (const child of root.children)
      if (child.type === 'definition') this.#definitions.set(child.identifier, child.url);
    for (const child of root.children) {
      if (this.#writer.full) {
        this.#block('text', '…', child);
        return;
      }
      this.#content(child, 1);
    }
  }

  #block(kind: Block['kind'], text: string, node: Nodes): void {
    const line = node.position?.start.line;
    // The id of a block stands at its end, for links to it.
    const read =
      kind === 'code' ? text : withoutWikiMarks(text, this.#writer).replace(/\s\^[\w-]{1,60}\s*$/, '');
    this.#writer.block(kind, read, line === undefined ? {} : { line: this.#line + line - 1 });
  }

  #content(node: RootContent, depth: number): void {
    if (depth > this.#depth) {
      this.#writer.cutDepth();
      return;
    }
    switch (node.type) {
      case 'heading': {
        const text = withoutWikiMarks(this.#inline(node, depth), this.#writer);
        if (node.depth === 1) this.#writer.title(text);
        this.#writer.heading(node.depth, text);
        return;
      }
      case 'paragraph': {
        this.#block('text', this.#inline(node, depth), node);
        return;
      }
      case 'code': {
        this.#block('code', node.value, node);
        return;
      }
      case 'html': {
        this.#block('text', htmlText(node.value), node);
        return;
      }
      case 'table': {
        const rows = node.children.map((row) =>
          tableLine(row.children.map((cell) => this.#inline(cell, depth).replaceAll('\\|', '|'))),
        );
        this.#block('table', rows.join('\n'), node);
        return;
      }
      case 'list': {
        this.#block('list', this.#list(node, depth, 0).join('\n'), node);
        return;
      }
      case 'blockquote': {
        this.#quote(node, depth);
        return;
      }
      case 'footnoteDefinition':
        for (const child of node.children) this.#content(child, depth + 1);
        return;
    }
  }

  #quote(node: Extract<RootContent, { type: 'blockquote' }>, depth: number): void {
    let text: string[] = [];
    let first: Nodes = node;
    const flush = () => {
      if (text.length > 0)
        this.#block('quote', text.join('\n').replace(/^\[![\w-]+\][+-]?[^\S\n]*/, ''), first);
      text = [];
    };
    for (const child of node.children) {
      if (child.type === 'paragraph') {
        if (text.length === 0) first = child;
        text.push(this.#inline(child, depth));
      } else {
        flush();
        this.#content(child, depth + 1);
      }
    }
    flush();
  }

  /** Lines of a list, inner lists indented. */
  #list(node: Extract<RootContent, { type: 'list' }>, depth: number, indent: number): string[] {
    if (depth > this.#depth) {
      this.#writer.cutDepth();
      return [];
    }
    const lines: string[] = [];
    let number = node.start ?? 1;
    for (const item of node.children) {
      const mark = node.ordered === true ? `${number}. ` : '- ';
      const done = item.checked === true ? '[x] ' : item.checked === false ? '[ ] ' : '';
      let first = true;
      for (const child of item.children) {
        if (child.type === 'list') lines.push(...this.#list(child, depth + 1, indent + 1));
        else {
          const lead = first ? `${'  '.repeat(indent)}${mark}${done}` : '  '.repeat(indent + 1);
          lines.push(lead + this.#itemText(child, depth + 1));
        }
        first = false;
      }
      number += 1;
    }
    return lines;
  }

  #itemText(node: RootContent, depth: number): string {
    if (depth > this.#depth) {
      this.#writer.cutDepth();
      return '';
    }
    if (node.type === 'code' || node.type === 'html')
      return node.type === 'code' ? node.value : htmlText(node.value);
    if (node.type === 'blockquote')
      return node.children.map((child) => this.#itemText(child, depth + 1)).join('\n');
    if (node.type === 'list') return this.#list(node, depth + 1, 1).join('\n');
    return 'children' in node ? this.#inline(node, depth) : '';
  }

  #inline(node: Parents, depth: number): string {
    if (depth > this.#depth) {
      this.#writer.cutDepth();
      return '';
    }
    return node.children.map((child) => this.#inlineOf(child, depth + 1)).join('');
  }

  #inlineOf(node: Parents['children'][number], depth: number): string {
    switch (node.type) {
      case 'text':
        return node.value.replaceAll('==', '');
      case 'inlineCode':
        return node.value;
      case 'break':
        return '\n';
      case 'html':
        return htmlText(node.value);
      case 'image':
      case 'imageReference':
        return node.alt ?? '';
      case 'link': {
        const text = this.#inline(node, depth);
        this.#writer.link('link', node.url, text);
        return text;
      }
      case 'linkReference': {
        const text = this.#inline(node, depth);
        const url = this.#definitions.get(node.identifier);
        if (url !== undefined) this.#writer.link('link', url, text);
        return text;
      }
      case 'footnoteReference':
        return '';
      default:
        return 'children' in node ? this.#inline(node, depth) : '';
    }
  }
}

/** Of HTML in Markdown only what stands between the tags. */
function htmlText(html: string): string {
  if (/^\s*<(?:script|style|!--)/i.test(html)) return '';
  return html.replace(/<[^<>]{0,2000}>/g, ' ').trim();
}

/** Comments of Obsidian are not shown. */
const COMMENT = /%%[^%]{0,20000}(?:%[^%]{1,20000}){0,20}%%/g;

export function parseMarkdown({ bytes, limits }: ParserInput): ParsedDocument {
  const writer = new DocumentWriter(limits);
  let body = textOf(bytes, writer).replace(/\r\n?/g, '\n');
  let line = 1;
  const front = splitFrontmatter(body);
  if (front !== null && writeFrontmatter(writer, front.yaml)) {
    body = front.body;
    line = front.line;
  }
  for (const piece of markdownPieces(body)) {
    const text = piece.text.includes('%%') ? piece.text.replace(COMMENT, keepLines) : piece.text;
    new Reader(writer, limits.depth, line + piece.line - 1).read(text);
    if (writer.full) break;
  }
  return writer.finish();
}

const keepLines = (removed: string): string => '\n'.repeat(removed.split('\n').length - 1);
