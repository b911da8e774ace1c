/**
 * A parsed document to chunks: within the embedder's window, along sentences, each with the headings above it.
 *
 * Sections are cut by themselves, and chunks are named by what they say: a change in one section leaves the chunks of the
 * others as they were, with their ids and vectors.
 *
 * @module knowledge/chunk/chunk
 */
import { createHash } from 'node:crypto';
import { InputError, throwIfAborted } from '../../base/index.ts';
import type { Chunk, Embedder, ParsedDocument, Place } from '../types.ts';
import { estimateTokens } from './estimate.ts';
import { fitTitles, titleOf } from './titles.ts';
import { type Strategy, type Unit, unitsOf, wholeAt } from './units.ts';

export interface ChunkOptions {
  /** Along sentences; whole paragraphs while they fit; or as many words as fit. @default 'sentences' */
  readonly strategy?: Strategy;
  /** Tokens of a chunk, about; never more than the embedder's window. @default 200 */
  readonly size?: number;
  /** Sentences at the end of a chunk with which the next begins. @default 1 */
  readonly overlap?: number;
}

export const CHUNK_DEFAULTS = { strategy: 'sentences', size: 200, overlap: 1 } as const;

/** Texts whose tokens are counted with one call. */
const BATCH = 256;
/** Of a chunk, what repeated sentences may take. */
const OVERLAP_SHARE = 0.25;

/** What an embedder is given of a chunk. */
export function passageOf({ title, text }: Pick<Chunk, 'title' | 'text'>): string {
  return title === '' ? text : `${title}\n${text}`;
}

/** @throws InputError `chunking_invalid` */
export function checkChunking(options: ChunkOptions): Required<ChunkOptions> {
  const { strategy = 'sentences', size = CHUNK_DEFAULTS.size, overlap = CHUNK_DEFAULTS.overlap } = options;
  const bad = (name: string, value: unknown, allowed: string) =>
    new InputError(
      'chunking_invalid',
      `Chunks cannot have ${name} ${JSON.stringify(value)}: it must be ${allowed}.`,
      {
        param: name,
      },
    );
  if (!['sentences', 'paragraphs', 'fixed'].includes(strategy))
    throw bad('strategy', strategy, 'sentences, paragraphs or fixed');
  if (!Number.isSafeInteger(size) || size < 16 || size > 8192)
    throw bad('size', size, 'from 16 to 8192 tokens');
  if (!Number.isSafeInteger(overlap) || overlap < 0 || overlap > 10)
    throw bad('overlap', overlap, 'from 0 to 10 sentences');
  return { strategy, size, overlap };
}

/** A chunk in the making. */
interface Draft {
  readonly title: string;
  readonly head: string | null;
  /** Units of the chunk before that it begins with. */
  readonly again: readonly Unit[];
  readonly units: readonly Unit[];
}

/** @param title of the document: its own, or its file's name */
export async function chunkDocument(
  document: Pick<ParsedDocument, 'sections'>,
  title: string,
  embedder: Pick<Embedder, 'countTokens' | 'window'>,
  options: ChunkOptions = {},
  signal?: AbortSignal,
): Promise<Chunk[]> {
  const { strategy, size, overlap } = checkChunking(options);
  const titles = document.sections.map((section) => titleOf(title, section.headings));
  const fitted = await fitTitles(new Set(titles), embedder, signal);
  const drafts: Draft[] = [];
  for (const [at, section] of document.sections.entries()) {
    throwIfAborted(signal);
    const own = fitted.get(titles[at]!)!;
    const most = Math.max(8, Math.min(size, embedder.window - estimateTokens(own) - 2));
    drafts.push(...pack(unitsOf(section.blocks, strategy, most), own, most, overlap));
  }
  const texts = await fit(drafts, embedder, signal);
  const seen = new Map<string, number>();
  return texts.map(({ draft, text, tokens }, position) => {
    const key = `${draft.title}\0${text}`;
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    const id = createHash('sha256').update(`${key}\0${before}`).digest('hex').slice(0, 32);
    return { id, position, title: draft.title, text, tokens, place: placeOf(draft) };
  });
}

function pack(units: readonly Unit[], title: string, most: number, overlap: number): Draft[] {
  const drafts: Draft[] = [];
  let again: Unit[] = [];
  let open: Unit[] = [];
  let weight = 0;
  const flush = () => {
    if (open.length === 0) return;
    drafts.push({ title, head: headFor(open), again, units: open });
    again = repeated(open, overlap, most * OVERLAP_SHARE);
    open = [];
    weight = again.reduce((sum, unit) => sum + unit.weight, 0);
  };
  for (const unit of units) {
    if (weight + unit.weight > most) flush();
    // What was repeated does not push a sentence out that would fit alone.
    if (open.length === 0 && weight + unit.weight > most) {
      again = [];
      weight = 0;
    }
    if (open.length === 0 && unit.head !== null) weight += estimateTokens(unit.head);
    open.push(unit);
    weight += unit.weight;
  }
  flush();
  return drafts.filter((draft) => textOf(draft) !== '');
}

function repeated(units: readonly Unit[], overlap: number, most: number): Unit[] {
  if (overlap === 0) return [];
  const last = units.slice(-overlap);
  // A chunk of nothing but repeated sentences would follow itself.
  if (last.length === units.length) last.shift();
  while (last.length > 0 && last.reduce((sum, unit) => sum + unit.weight, 0) > most) last.shift();
  return last.every((unit) => unit.repeats) ? last : [];
}

/** Rows that do not begin with their table's head get it. */
function headFor(units: readonly Unit[]): string | null {
  const { head, text, glue } = units[0]!;
  return head === null || (glue !== '' && text.trimEnd() === head) ? null : head;
}

function textOf({ head, again, units }: Draft): string {
  let text = '';
  for (const unit of [...again, ...units]) text += text === '' ? unit.text : unit.glue + unit.text;
  return `${head === null ? '' : `${head}\n`}${text}`.trim().toWellFormed();
}

function placeOf({ units }: Draft): Place {
  return (units.find(({ text }) => text.trim() !== '') ?? units[0]!).place;
}

interface Fitted {
  readonly draft: Draft;
  readonly text: string;
  readonly tokens: number;
}

/** Counts, and cuts what is too long all the same, in rounds, until nothing is. */
async function fit(
  drafts: readonly Draft[],
  embedder: Pick<Embedder, 'countTokens' | 'window'>,
  signal: AbortSignal | undefined,
): Promise<Fitted[]> {
  let all: (Fitted | Draft)[] = [...drafts];
  for (;;) {
    const open = all.flatMap((each) => ('draft' in each ? [] : [{ draft: each, text: textOf(each) }]));
    if (open.length === 0) return all as Fitted[];
    const counted = new Map<Draft, Fitted>();
    for (let from = 0; from < open.length; from += BATCH) {
      const batch = open.slice(from, from + BATCH);
      const counts = await embedder.countTokens(
        batch.map(({ draft: { title }, text }) => passageOf({ title, text })),
        signal,
      );
      for (const [at, { draft, text }] of batch.entries())
        counted.set(draft, { draft, text, tokens: counts[at]! });
    }
    all = all.flatMap((each): (Fitted | Draft)[] => {
      if ('draft' in each) return [each];
      const fitted = counted.get(each)!;
      if (fitted.text === '') return [];
      return fitted.tokens <= embedder.window ? [fitted] : (smaller(each) ?? [fitted]);
    });
  }
}

/** Null when it cannot be made smaller. */
function smaller(draft: Draft): Draft[] | null {
  const { again, units, head } = draft;
  if (again.length > 0) return [{ ...draft, again: [] }];
  if (units.length > 1) {
    const middle = units.length >>> 1;
    const rest = units.slice(middle);
    return [
      { ...draft, units: units.slice(0, middle) },
      { ...draft, units: rest, head: headFor(rest) },
    ];
  }
  if (head !== null) return [{ ...draft, head: null }];
  const unit = units[0]!;
  const { text } = unit;
  const half = text.length >>> 1;
  const space = text.indexOf(' ', half);
  const middle = wholeAt(text, space < 0 || space > half * 1.5 ? half : space + 1);
  if (middle <= 0 || middle >= text.length) return null;
  const part = (piece: string, glue: string): Draft => ({
    ...draft,
    units: [{ ...unit, text: piece, glue, weight: estimateTokens(piece) }],
  });
  return [part(text.slice(0, middle), unit.glue), part(text.slice(middle), '')];
}
