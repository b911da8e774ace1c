/**
 * What Office's zips have in common: parts, the relations between them, and who wrote the document when.
 *
 * @module knowledge/parse/opc
 */
import type { DocumentWriter } from './document-writer.ts';
import { broken } from './failures.ts';
import type { ParseLimits } from './types.ts';
import { readXml, type XmlHandlers } from './xml.ts';
import type { ZipFiles } from './zip.ts';

export interface Relation {
  /** Last part of its type's URL: `slide`, `notesSlide`, `hyperlink`. */
  readonly type: string;
  /** Name of the part, or a URL. */
  readonly target: string;
  readonly external: boolean;
}

const RELATIONS = 50_000;

export class OfficeParts {
  readonly #name: string;
  readonly #files: ZipFiles;
  readonly #limits: ParseLimits;

  constructor(name: string, files: ZipFiles, limits: ParseLimits) {
    this.#name = name;
    this.#files = files;
    this.#limits = limits;
  }

  has(part: string): boolean {
    return this.#files.has(part);
  }

  /** Walks over a part that the document cannot be read without. */
  read(part: string, handlers: XmlHandlers): void {
    const bytes = this.#files.get(part);
    if (bytes === undefined) throw broken(this.#name, `the part ${part} is missing in it`);
    readXml(this.#name, bytes, this.#limits, handlers);
  }

  /** By id; empty where the part has none. */
  relations(part: string): Map<string, Relation> {
    const found = new Map<string, Relation>();
    const at = part.lastIndexOf('/');
    const folder = part.slice(0, Math.max(0, at));
    const file = `${folder === '' ? '' : `${folder}/`}_rels/${part.slice(at + 1)}.rels`;
    if (!this.has(file)) return found;
    this.read(file, {
      open: (name, { Id, Type, Target, TargetMode }) => {
        if (name !== 'Relationship' || Id === undefined || Target === undefined) return;
        const external = TargetMode === 'External';
        const type = (Type ?? '').slice((Type ?? '').lastIndexOf('/') + 1);
        const target = external ? Target : resolvePart(folder, Target);
        if (found.size < RELATIONS) found.set(Id, { type, target, external });
      },
    });
    return found;
  }

  /** Title and properties of `docProps/core.xml`, where it can be read. */
  writeCore(writer: DocumentWriter): void {
    if (!this.has('docProps/core.xml')) return;
    let field = '';
    let text = '';
    this.read('docProps/core.xml', {
      open: (name) => {
        field = name;
        text = '';
      },
      text: (piece) => {
        if (text.length < 10_000) text += piece;
      },
      close: (name) => {
        if (name !== field) return;
        field = '';
        if (name === 'title') writer.title(text);
        else if (name === 'keywords') for (const tag of text.split(/[,;]\s*/)) writer.tag(tag);
        else if (CORE.has(name)) writer.property(CORE.get(name)!, text);
      },
    });
  }
}

const CORE = new Map([
  ['creator', 'author'],
  ['subject', 'subject'],
  ['description', 'description'],
  ['created', 'created'],
  ['modified', 'modified'],
  ['category', 'category'],
  ['language', 'language'],
]);

/** Name of the part that `target` names from a part in `folder`. */
export function resolvePart(folder: string, target: string): string {
  const path = target.startsWith('/') ? target : `${folder}/${target}`;
  const out: string[] = [];
  for (const piece of path.split('/')) {
    if (piece === '..') out.pop();
    else if (piece !== '' && piece !== '.') out.push(piece);
  }
  return out.join('/');
}
