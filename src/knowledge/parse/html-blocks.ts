/**
 * A tree of HTML as headings and blocks; what makes pages, chapters, mails and converted documents alike.
 *
 * @module knowledge/parse/html-blocks
 */
import type { Block, Place } from '../types.ts';
import type { DocumentWriter } from './document-writer.ts';
import {
  type DomElement,
  type DomNode,
  isElement,
  isHidden,
  TEXT_NODE,
  tagOf,
  UNSEEN,
  walkDom,
} from './html-dom.ts';
import { TableBlocks } from './table-blocks.ts';

/** Elements that begin and end a paragraph. */
const BLOCKS = new Set(
  (
    'address article aside body blockquote center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 ' +
    'header hgroup hr html legend li main nav ol p pre section summary table tbody tfoot thead tr td th ul caption'
  ).split(' '),
);
const LISTS = new Set(['ul', 'ol', 'dl']);
const ITEMS = new Set(['li', 'dt', 'dd']);
const LEVEL = /^h([1-6])$/;

/** Tables that have others inside are there for the layout. */
function layoutTables(root: DomNode): ReadonlySet<DomNode> {
  const open: DomNode[] = [];
  const layout = new Set<DomNode>();
  walkDom(root, {
    enter: (node) => {
      if (!isElement(node)) return false;
      if (tagOf(node) === 'table') {
        const outer = open.at(-1);
        if (outer !== undefined) layout.add(outer);
        open.push(node);
      }
      return true;
    },
    leave: (node) => {
      if (open.at(-1) === node) open.pop();
    },
  });
  return layout;
}

export interface HtmlBlockOptions {
  readonly place?: Place;
  /** Elements that are left out, besides what is never seen. */
  readonly without?: ReadonlySet<string>;
  /** Added to the levels of headings. */
  readonly deeper?: number;
}

class BlockReader {
  readonly #writer: DocumentWriter;
  readonly #options: HtmlBlockOptions;
  readonly #place: Place;
  readonly #layout: ReadonlySet<DomNode>;
  #text: string[] = [];
  #characters = 0;
  #list: string[] = [];
  #listDepth = 0;
  #itemBegins = false;
  #quotes = 0;
  #pre = 0;
  #table: { readonly node: DomNode; readonly rows: string[][]; cells: string[] | null } | null = null;
  readonly #anchors: { readonly node: DomNode; readonly from: number }[] = [];

  constructor(root: DomNode, writer: DocumentWriter, options: HtmlBlockOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#place = options.place ?? {};
    this.#layout = layoutTables(root);
  }

  enter(node: DomNode): boolean {
    if (this.#writer.full) return false;
    if (node.nodeType === TEXT_NODE) {
      const value = node.nodeValue ?? '';
      this.#put(this.#pre > 0 ? value : value.replace(/\s+/g, ' '));
      return false;
    }
    if (!isElement(node)) return false;
    const tag = tagOf(node);
    if (UNSEEN.has(tag) || this.#options.without?.has(tag) === true || isHidden(node)) return false;
    this.#open(tag, node);
    return true;
  }

  leave(node: DomNode): void {
    const tag = tagOf(node);
    const level = LEVEL.exec(tag)?.[1];
    if (level !== undefined && this.#table === null) {
      this.#heading(Number(level));
      return;
    }
    if (this.#table !== null) {
      this.#leaveTable(tag, node);
      return;
    }
    if (BLOCKS.has(tag)) this.#flush();
    if (tag === 'pre') this.#pre -= 1;
    else if (tag === 'blockquote') this.#quotes -= 1;
    else if (LISTS.has(tag)) {
      this.#listDepth -= 1;
      if (this.#listDepth === 0) this.#endList();
    } else if (tag === 'a') this.#endAnchor(node);
  }

  end(): void {
    this.#flush();
    this.#endList();
  }

  #put(text: string): void {
    this.#text.push(text);
    this.#characters += text.length;
  }

  #open(tag: string, node: DomElement): void {
    if (tag === 'br') {
      this.#put('\n');
      return;
    }
    if (tag === 'a') this.#anchors.push({ node, from: this.#text.length });
    if (this.#table !== null) {
      if (tag === 'tr') this.#table.cells = [];
      else if (tag === 'td' || tag === 'th') this.#take();
      else if (BLOCKS.has(tag)) this.#put(' ');
      return;
    }
    if (BLOCKS.has(tag)) this.#flush();
    if (tag === 'pre') this.#pre += 1;
    else if (tag === 'blockquote') this.#quotes += 1;
    else if (LISTS.has(tag)) this.#listDepth += 1;
    else if (ITEMS.has(tag)) this.#itemBegins = true;
    else if (tag === 'table' && !this.#layout.has(node)) {
      this.#endList();
      this.#table = { node, rows: [], cells: null };
    }
  }

  #leaveTable(tag: string, node: DomNode): void {
    const table = this.#table!;
    if (tag === 'a') this.#endAnchor(node);
    else if (tag === 'td' || tag === 'th') {
      const text = this.#take();
      table.cells?.push(text);
    } else if (tag === 'tr') {
      if (table.cells !== null && table.cells.length > 0) table.rows.push(table.cells);
      table.cells = null;
    } else if (tag === 'caption') {
      this.#writer.block('text', this.#take(), this.#place);
    } else if (node === table.node) {
      this.#table = null;
      this.#writeTable(table.rows);
    }
  }

  #writeTable(rows: readonly string[][]): void {
    // One row or one column is layout, too.
    if (rows.length < 2 || rows.every((row) => row.length < 2)) {
      for (const row of rows) for (const cell of row) this.#writer.block('text', cell, this.#place);
      return;
    }
    const table = new TableBlocks(this.#writer);
    for (const row of rows) table.row(row, this.#place);
    table.end();
  }

  #take(): string {
    const text = this.#text.join('');
    this.#text = [];
    this.#characters = 0;
    // What an open link said so far is gone with it.
    for (const [index, anchor] of this.#anchors.entries()) this.#anchors[index] = { ...anchor, from: 0 };
    return text;
  }

  #endAnchor(node: DomNode): void {
    const anchor = this.#anchors.at(-1);
    if (anchor?.node !== node) return;
    this.#anchors.pop();
    const href = (node as DomElement).getAttribute('href')?.trim() ?? '';
    if (href === '' || href.startsWith('#')) return;
    this.#writer.link('link', href, this.#text.slice(anchor.from).join(''));
  }

  #heading(level: number): void {
    const text = this.#take();
    this.#endList();
    this.#writer.heading(level + (this.#options.deeper ?? 0), text);
  }

  #flush(): void {
    if (this.#characters === 0) return;
    const text = this.#take();
    if (text.trim() === '') return;
    if (this.#listDepth > 0) {
      const mark = this.#itemBegins ? '- ' : '  ';
      this.#list.push(
        `${'  '.repeat(Math.min(this.#listDepth, 20) - 1)}${mark}${text.replace(/\s+/g, ' ').trim()}`,
      );
      this.#itemBegins = false;
      return;
    }
    let kind: Block['kind'] = 'text';
    if (this.#pre > 0) kind = 'code';
    else if (this.#quotes > 0) kind = 'quote';
    this.#writer.block(kind, text, this.#place);
  }

  #endList(): void {
    if (this.#list.length > 0) this.#writer.block('list', this.#list.join('\n'), this.#place);
    this.#list = [];
  }
}

/** What is below `root` into an open document. */
export function writeHtmlBlocks(root: DomNode, writer: DocumentWriter, options: HtmlBlockOptions = {}): void {
  const reader = new BlockReader(root, writer, options);
  walkDom(root, reader);
  reader.end();
}
