/**
 * A note of ours: frontmatter with our seal, our sections, and behind them what its owner wrote. Written and read back here alone.
 *
 * ```
 * ---
 * type: Person                      what the owner may change: type, aliases, the summary, relations
 * aliases: [J. R. Smith]
 * tags: [kith/person]
 * mentions: 12
 * documents: 3
 * kith-id: john ronald smith        whose note it is: the entity's key; "#index"; "#source <path>"
 * kith-seal: kb0123456789ab-...     which knowledge base wrote it, and a hash of all else: whether it was changed since
 * ---
 *
 * # John Ronald Smith
 * Summary.
 * ## Relations
 * - worksFor:: [[Acme]]
 *   > John works for Acme. ([[may]])
 * ## Named beside, ## Named in      made anew each time
 * ## Anything else                  the owner's, kept as it is
 * ```
 *
 * @module knowledge/exchange/note
 */
import { createHash } from 'node:crypto';
import { type Document, parseDocument, stringify, YAMLMap } from 'yaml';
import { splitFrontmatter } from '../parse/frontmatter.ts';

export const HEADINGS = {
  ...{ relations: 'Relations', beside: 'Named beside', sources: 'Named in' },
  types: 'By type',
} as const;
/** Lists that are made anew. What else is written below them is the owner's. */
const LISTS: ReadonlySet<string> = new Set([HEADINGS.beside, HEADINGS.sources]);

export interface NoteParts {
  /** In their order. */
  readonly frontmatter: Readonly<Record<string, unknown>>;
  readonly id: string;
  /** Of the knowledge base. */
  readonly kb: string;
  readonly title: string;
  /** Markdown. */
  readonly intro: string;
  /** Markdown of our sections, without their headings; empty ones are left out. */
  readonly sections: readonly (readonly [heading: string, body: string])[];
}

/** What of a note is not ours, to be put back. */
export interface Foreign {
  /** YAML lines; empty or ending in a line end. */
  readonly properties: string;
  readonly tags: readonly string[];
  /** Between frontmatter and title. */
  readonly head: string;
  /** Sections with their headings. */
  readonly tail: string;
}

export const NOTHING_FOREIGN: Foreign = { properties: '', tags: [], head: '', tail: '' };

export interface ReadNote {
  readonly id: string;
  readonly kb: string;
  /** Of its seal. */
  readonly hash: string;
  /** False when somebody changed it since it was written. */
  readonly isAsWritten: boolean;
  /** Ours, as they stand there. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** Null when the heading is gone. */
  readonly title: string | null;
  readonly intro: string;
  /** By heading; without it when the section is gone. */
  readonly sections: ReadonlyMap<string, string>;
  readonly foreign: Foreign;
}

const OURS = ['type', 'aliases', 'tags', 'mentions', 'documents', 'source', 'kith-id', 'kith-seal'] as const;
const OUR_TAG = /^#?kith(?:\/|$)/iu;
const SEAL = /^kith-seal: kb([0-9a-f]{12})-([0-9a-f]{16})$/mu;
/** Characters of a note's beginning in which its seal stands: files without one are not read further. */
export const SEAL_WITHIN = 64 * 1024;
/** Aliases of YAML that are followed: each makes a copy. */
const MOST_ANCHORS = 100;

export const kbMark = (id: string): string => id.slice(0, 12).padEnd(12, '0');

/** The note, and the hash of its seal. */
export function writeNote(
  parts: NoteParts,
  foreign: Foreign,
): { readonly text: string; readonly hash: string } {
  const { frontmatter, id, kb, title, intro, sections } = parts;
  const { tags = [], ...rest } = frontmatter as { tags?: readonly string[] };
  const yaml = stringify(
    { ...rest, tags: [...tags, ...foreign.tags], 'kith-id': id },
    { lineWidth: 0, nullStr: '', aliasDuplicateObjects: false },
  );
  const blocks = [
    foreign.head,
    `# ${title}`,
    intro,
    ...sections.flatMap(([heading, body]) => (body === '' ? [] : [`## ${heading}`, body])),
    foreign.tail,
  ].filter((block) => block !== '');
  const before = `---\n${yaml}`;
  const after = `${foreign.properties}---\n\n${blocks.join('\n\n')}\n`;
  const hash = hashOf(before + after);
  return { hash, text: `${before}kith-seal: kb${kbMark(kb)}-${hash}\n${after}` };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Null for what is no note of ours. */
export function readNote(text: string): ReadNote | null {
  const plain = text.replace(/^\uFEFF/u, '').replace(/\r\n?/gu, '\n');
  const front = splitFrontmatter(plain);
  if (front === null) return null;
  const document = yamlOf(front.yaml);
  if (document === null) return null;
  const values = document.toJS({ maxAliasCount: MOST_ANCHORS }) as Record<string, unknown>;
  const id = values['kith-id'];
  const seal = /^kb([0-9a-f]{12})-([0-9a-f]{16})$/u.exec(String(values['kith-seal']));
  if (typeof id !== 'string' || id === '' || seal === null) return null;
  const ours = Object.fromEntries(OURS.flatMap((name) => (name in values ? [[name, values[name]]] : [])));
  const found = SEAL.exec(plain);
  const isAsWritten =
    found !== null &&
    plain === text &&
    hashOf(plain.slice(0, found.index) + plain.slice(found.index + found[0].length + 1)) === seal[2];
  const tags = listOf(values.tags).filter((tag) => !OUR_TAG.test(tag));
  for (const name of OURS) document.delete(name);
  const isEmpty = document.contents instanceof YAMLMap && document.contents.items.length === 0;
  return {
    ...{ id, kb: seal[1]!, hash: seal[2]!, isAsWritten, properties: ours },
    ...bodyOf(front.body, { tags, properties: isEmpty ? '' : withEnd(document.toString({ lineWidth: 0 })) }),
  };
}

const withEnd = (yaml: string): string => (yaml === '' || yaml.endsWith('\n') ? yaml : `${yaml}\n`);

function yamlOf(yaml: string): Document | null {
  try {
    const document = parseDocument(yaml, { logLevel: 'silent', uniqueKeys: false });
    return document.errors.length === 0 && document.contents instanceof YAMLMap ? document : null;
  } catch {
    return null;
  }
}

/** Lists as Obsidian takes them: also a text with commas. */
export function listOf(value: unknown): string[] {
  // What is written as [[Person]] without quotes is a list in a list.
  const all = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value.flat(2) : [value];
  return all.flatMap((each: unknown) =>
    typeof each === 'string' || typeof each === 'number' || typeof each === 'boolean'
      ? [String(each).trim()].filter((text) => text !== '')
      : [],
  );
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(HEADINGS));

/** Line by line: text in fences has no headings. */
function bodyOf(
  body: string,
  front: Pick<Foreign, 'tags' | 'properties'>,
): Pick<ReadNote, 'title' | 'intro' | 'sections' | 'foreign'> {
  const head: string[] = [];
  const intro: string[] = [];
  const tail: string[] = [];
  const sections = new Map<string, string[]>();
  let title: string | null = null;
  let into = head;
  let fence: string | null = null;
  for (const line of body.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/u.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === null) fence = mark;
      else if (mark.startsWith(fence)) fence = null;
    }
    const heading = fence === null ? /^(#{1,2})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/u.exec(line) : null;
    if (heading?.[1] === '#' && title === null && into === head) {
      title = heading[2]!;
      into = intro;
    } else if (heading !== null) {
      const name = heading[2]!;
      const isOurs = heading[1] === '##' && KNOWN.has(name) && !sections.has(name);
      if (isOurs) {
        into = [];
        sections.set(name, into);
      } else {
        into = tail;
        tail.push(line);
      }
    } else into.push(line);
  }
  const behind: string[] = [];
  for (const [name, lines] of sections) {
    if (!LISTS.has(name)) continue;
    const end = lines.findIndex((line) => !/^\s*(?:[-*+]\s|$)/u.test(line));
    if (end >= 0) behind.push(...lines.splice(end));
  }
  const joined = (lines: readonly string[]): string => lines.join('\n').replace(/^\n+|\s+$/gu, '');
  // Without its title all of a note's beginning is the summary.
  const opening = title === null ? [[], head] : [head, intro];
  return {
    title,
    intro: joined(opening[1]!),
    sections: new Map([...sections].map(([name, lines]) => [name, joined(lines)])),
    foreign: {
      ...front,
      head: joined(opening[0]!),
      tail: [joined(behind), joined(tail)].filter((part) => part !== '').join('\n\n'),
    },
  };
}
