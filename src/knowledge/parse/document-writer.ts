/**
 * What all parsers write to: headings, blocks, links and properties in reading order become a `ParsedDocument`, within the
 * limits of a file. What is over them is left out and said in a note.
 *
 * @module knowledge/parse/document-writer
 */
import type { Block, Link, ParsedDocument, ParseNote, Place, Property, Section } from '../types.ts';
import type { ParseLimits } from './types.ts';

/** Characters that a block, a heading or a link counts at least: many empty ones need memory too. */
const LEAST_COST = 64;
const HEADING_CHARACTERS = 300;
const TARGET_CHARACTERS = 2_000;
const PROPERTIES = 200;
const PROPERTY_CHARACTERS = 2_000;
const PROPERTY_ITEMS = 200;
const KEY_CHARACTERS = 100;
const NAMES = 500;
const NOTES = 50;
const NOTE_CHARACTERS = 500;
const LEVELS = 9;

const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u00ad\u200b\ufeff]/g;

/** One form of line ends, no control characters, soft hyphens or halves of surrogate pairs; composed accents. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, '\n').replace(CONTROLS, '').normalize('NFC');
}

/** On one line, at most `limit` characters. */
export function oneLine(text: string, limit: number): string {
  // Cut first: what comes may have any length.
  return cut(
    cleanText(text.slice(0, 4 * limit))
      .replace(/\s+/g, ' ')
      .trim(),
    limit,
  );
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`;
}

/** Cells as a line of a table. */
export function tableLine(cells: readonly string[]): string {
  return cells.map((cell) => cell.replace(/\s+/g, ' ').trim()).join(' | ');
}

const joined = (text: string): string =>
  text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

/** The indent of an inner list says what it belongs to. */
const leanList = (text: string): string =>
  text
    .split('\n')
    .map((line) => {
      const indent = /^[^\S\n]*/.exec(line)![0].length;
      return ' '.repeat(Math.min(indent, 40)) + joined(line);
    })
    .filter((line) => line.trim() !== '')
    .join('\n')
    .trim();

const LEAN: Readonly<Record<Block['kind'], (text: string) => string>> = {
  text: joined,
  quote: joined,
  table: joined,
  list: leanList,
  code: (text) => leanCode(text),
};

const leanCode = (text: string): string => text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();

export class DocumentWriter {
  readonly #limits: ParseLimits;
  readonly #sections: Section[] = [];
  readonly #links: Link[] = [];
  readonly #linkKeys = new Set<string>();
  readonly #aliases = new Set<string>();
  readonly #tags = new Set<string>();
  readonly #properties = new Map<string, Property>();
  readonly #notes: ParseNote[] = [];
  readonly #saidCut = new Set<string>();
  #headings: { readonly level: number; readonly text: string }[] = [];
  #blocks: Block[] = [];
  #left: number;
  #title: string | null = null;

  constructor(limits: ParseLimits) {
    this.#limits = limits;
    this.#left = limits.characters;
  }

  /** True when no more text fits; a parser may stop then. */
  get full(): boolean {
    return this.#left <= 0;
  }

  /** The first that is set and has text stays. */
  title(text: string | null | undefined): void {
    if (this.#title !== null || text === null || text === undefined) return;
    const title = oneLine(text, HEADING_CHARACTERS);
    if (title !== '') this.#title = title;
  }

  /** Begins a section. `level` from 1; a heading ends those of its level and below. */
  heading(level: number, text: string): void {
    const line = oneLine(text, HEADING_CHARACTERS);
    if (line === '' || !this.#spend(line.length)) return;
    const at = Math.min(Math.max(1, Math.trunc(level)), LEVELS);
    const above = this.#headings.filter((heading) => heading.level < at);
    // A heading directly above a deeper one is in the deeper one's path.
    if (this.#blocks.length > 0 || above.length < this.#headings.length) this.#close();
    this.#headings = [...above, { level: at, text: line }];
  }

  /** True below a heading. */
  get nested(): boolean {
    return this.#headings.length > 0;
  }

  /** Ends all sections: what follows stands below no heading. */
  topLevel(): void {
    this.#close();
    this.#headings = [];
  }

  /** Ends sections of a level and deeper: what follows stands below the headings above them. */
  back(level: number): void {
    const above = this.#headings.filter((heading) => heading.level < level);
    if (above.length === this.#headings.length) return;
    this.#close();
    this.#headings = above;
  }

  block(kind: Block['kind'], text: string, place: Place = {}): void {
    if (this.full) {
      this.#cutText();
      return;
    }
    // What does not fit is not worth cleaning.
    const clean = cleanText(text.slice(0, 2 * this.#left + LEAST_COST));
    const lean = LEAN[kind](clean);
    if (lean === '') return;
    const fitting = lean.length <= this.#left ? lean : lean.slice(0, this.#left).toWellFormed();
    this.#spend(fitting.length);
    if (fitting.length < lean.length) this.#cutText();
    this.#blocks.push({ kind, text: fitting, place });
  }

  link(kind: Link['kind'], target: string, label: string | null = null): void {
    const to = oneLine(target, TARGET_CHARACTERS);
    if (to === '' || /^(?:data|javascript|vbscript|blob):/i.test(to)) return;
    const said = label === null ? null : oneLine(label, HEADING_CHARACTERS) || null;
    const shown = said === to ? null : said;
    const key = `${kind}\n${to}\n${shown ?? ''}`;
    if (this.#linkKeys.has(key)) return;
    if (this.#links.length >= this.#limits.links) {
      this.#sayCut('links', `Only the first ${this.#limits.links} links were kept.`);
      return;
    }
    this.#linkKeys.add(key);
    this.#links.push({ target: to, kind, label: shown });
  }

  alias(name: string): void {
    const line = oneLine(name, HEADING_CHARACTERS);
    if (line !== '' && this.#aliases.size < NAMES) this.#aliases.add(line);
  }

  /** With or without its `#`. */
  tag(name: string): void {
    const line = oneLine(name, KEY_CHARACTERS).replace(/^#+/, '');
    if (line !== '' && this.#tags.size < NAMES) this.#tags.add(line);
  }

  property(key: string, value: Property): void {
    const name = oneLine(key, KEY_CHARACTERS);
    if (name === '' || name === '__proto__' || this.#properties.size >= PROPERTIES) return;
    if (typeof value === 'number' || typeof value === 'boolean') {
      if (Number.isNaN(value)) return;
      this.#properties.set(name, value);
    } else if (typeof value === 'string') {
      const line = oneLine(value, PROPERTY_CHARACTERS);
      if (line !== '') this.#properties.set(name, line);
    } else {
      const items = value.slice(0, PROPERTY_ITEMS).map((item) => oneLine(item, PROPERTY_CHARACTERS));
      const kept = items.filter((item) => item !== '');
      if (kept.length > 0) this.#properties.set(name, kept);
    }
  }

  note(code: ParseNote['code'], message: string): void {
    if (this.#notes.length < NOTES) this.#notes.push({ code, message: oneLine(message, NOTE_CHARACTERS) });
  }

  /** A note `cut`, once for each thing that is cut. */
  #sayCut(what: string, message: string): void {
    if (this.#saidCut.has(what)) return;
    this.#saidCut.add(what);
    this.note('cut', message);
  }

  cutPages(what: string): void {
    this.#sayCut('pages', `Only the first ${this.#limits.pages} ${what} were read.`);
  }

  cutRows(): void {
    this.#sayCut('rows', `Only the first ${this.#limits.rows} rows were read.`);
  }

  cutDepth(): void {
    this.#sayCut('depth', `What is nested deeper than ${this.#limits.depth} levels was left out.`);
  }

  #cutText(): void {
    this.#sayCut('text', `Only the first ${this.#limits.characters} characters were read.`);
  }

  #spend(characters: number): boolean {
    if (this.full) {
      this.#cutText();
      return false;
    }
    this.#left -= Math.max(LEAST_COST, characters);
    return true;
  }

  #close(): void {
    if (this.#blocks.length > 0 || this.#headings.length > 0)
      this.#sections.push({ headings: this.#headings.map((heading) => heading.text), blocks: this.#blocks });
    this.#blocks = [];
  }

  /** @param pages pages or slides of the file, where it has such. */
  finish(pages: number | null = null): ParsedDocument {
    this.topLevel();
    return {
      title: this.#title,
      sections: this.#sections,
      links: this.#links,
      aliases: [...this.#aliases],
      tags: [...this.#tags],
      properties: Object.fromEntries(this.#properties),
      pages,
      notes: this.#notes,
    };
  }
}
