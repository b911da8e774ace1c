/**
 * What a document names, found without a model: its title, aliases, tags and links, headings, and names in its text.
 *
 * @module knowledge/graph/mentions
 */
import type { NewText } from '../ingest/types.ts';
import type { Chunk, Link, Mention } from '../types.ts';
import { namesIn } from './names.ts';
import { MOST_NAME, normalForm } from './normal.ts';

/** Mentions of one chunk; what is more is left out, names last. */
export const MOST_MENTIONS = 400;
/** Mentions of one document, the same way. The store takes more, so that no document is refused for its names. */
const MOST_OF_DOCUMENT = 1_000_000;
/** Links, aliases and tags of one document that are looked for in its chunks. */
const MOST_FACTS = 2000;
/** Characters that are searched for those, over all chunks. */
const MOST_SEARCHED = 200_000_000;

export function mentionsOf({
  title,
  document,
  chunks,
}: Pick<NewText, 'title' | 'document' | 'chunks'>): Mention[] {
  const of = chunks.map((): Mention[] => []);
  let count = 0;
  const add = (mention: Mention): void => {
    const list = of[mention.chunk]!;
    if (list.length >= MOST_MENTIONS || count >= MOST_OF_DOCUMENT || !isName(mention.surface)) return;
    list.push(mention);
    count++;
  };
  const fact = (chunk: number, surface: string, extractor: Mention['extractor'], confidence: number): void =>
    add({ chunk, surface, span: null, extractor, confidence });

  for (const chunk of chunks) fact(chunk.position, title, 'title', 1);
  if (chunks.length > 0) {
    for (const alias of unique(document.aliases)) fact(0, alias, 'alias', 1);
    for (const tag of unique(document.tags)) fact(0, tag.replace(/^#/u, ''), 'tag', 0.8);
  }
  for (const chunk of chunks)
    for (const heading of headingsOf(chunk)) fact(chunk.position, heading, 'heading', 0.8);
  for (const mention of linksIn(document.links, chunks)) add(mention);
  for (const { position, text } of chunks)
    for (const { surface, span, confidence } of namesIn(text))
      add({ chunk: position, surface, span, extractor: 'name', confidence });
  return of.flat();
}

function isName(surface: string): boolean {
  return surface.length <= 2 * MOST_NAME && normalForm(surface) !== '';
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values.slice(0, MOST_FACTS))];
}

/** Parts of the chunk's title behind the document's. */
function headingsOf({ title }: Chunk): string[] {
  return title.split(' › ').slice(1);
}

/** Where a link's words stand; the first chunk for those that stand nowhere. */
function linksIn(links: readonly Link[], chunks: readonly Chunk[]): Mention[] {
  const found: Mention[] = [];
  const seen = new Set<string>();
  let searched = 0;
  for (const link of links.slice(0, MOST_FACTS)) {
    const surface = surfaceOf(link);
    const shown = link.label?.trim() || surface;
    if (surface === null || shown === null || seen.has(`${surface}\0${shown}`)) continue;
    seen.add(`${surface}\0${shown}`);
    let isThere = false;
    for (const { position, text } of chunks) {
      searched += text.length;
      if (searched > MOST_SEARCHED) break;
      const at = shown === '' ? -1 : text.indexOf(shown);
      if (at < 0) continue;
      isThere = true;
      // Where the text says something else than the target, the target itself stands nowhere.
      const span = shown === surface ? ([at, at + shown.length] as const) : null;
      found.push({ chunk: position, surface, span, extractor: 'link', confidence: 0.9 });
    }
    if (!isThere && chunks.length > 0)
      found.push({ chunk: 0, surface, span: null, extractor: 'link', confidence: 0.8 });
  }
  return found;
}

/** What a link is to: a note's or page's name, a person. Null for addresses on the web. */
function surfaceOf({ target, kind, label }: Link): string | null {
  if (kind === 'person') return label?.trim() || target;
  if (
    /^(?:[a-z][a-z0-9+.-]{1,20}:\/\/|(?:mailto|tel|data|javascript|urn):)/iu.test(target) ||
    target.length > 1000
  )
    return null;
  const path = target.replace(/[#?^].*$/su, '').replace(/\\/gu, '/');
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.(?:md|markdown|txt|html?|rst|pdf|docx)$/iu, '');
  if (kind === 'category') return name.replace(/^[^:]{1,20}:/u, '').trim() || null;
  const plain = kind === 'wiki' ? name : decoded(name);
  return plain.trim().replaceAll('_', ' ') || null;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
