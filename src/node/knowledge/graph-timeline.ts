/**
 * Dates of a knowledge base in their order, each with the sentence that gives it.
 *
 * @module node/knowledge/graph-timeline
 */
import { setImmediate } from 'node:timers/promises';
import { InputError } from '../../base/index.ts';
import {
  dayText,
  type StoredChunk,
  sentencesOf,
  spanOf,
  type When,
  wordFormsOf,
} from '../../knowledge/index.ts';
import type { TimelineEntry, TimelinePage, TimelineQuery } from '../../server/index.ts';
import { rowsOf, type Scene } from './graph-scene.ts';

interface Point extends When {
  readonly row: number;
  /** Characters of the chunk; null: a property of its document. */
  readonly span: readonly [number, number] | null;
  readonly property: { readonly name: string; readonly value: string } | null;
}

/** Chunks that are read for one entity. */
const MOST_ROWS = 5000;
const MOST_SENTENCE = 400;
const SLICE = 128;
/** Properties that say when the document is of, and not when something in it was. */
const OF_ALL = /^(?:date|sent|received|datum)$/iu;

export async function timelineView(
  scene: Scene,
  {
    from,
    to,
    entity,
    offset,
    limit,
  }: Omit<TimelineQuery, 'limit' | 'offset'> & Pick<TimelineQuery, 'limit' | 'offset'>,
): Promise<TimelinePage> {
  const first = from === undefined ? 0 : limitOf(from, 'from').from;
  const last = to === undefined ? Number.MAX_SAFE_INTEGER : limitOf(to, 'to').to;
  const all =
    entity === undefined
      ? await scene.remember('timeline', async () => pointsOf(scene, scene.facts.rows.keys()))
      : await scene.remember(`timeline ${scene.entityOf(entity)}`, () =>
          ofEntity(scene, scene.entityOf(entity)),
        );
  const within = all.filter((point) => point.from <= last && point.to >= first);
  return {
    of: within.length,
    entries: within.slice(offset, offset + limit).flatMap((point) => {
      const [chunk] = scene.store.chunks([point.row]);
      return chunk === null || chunk === undefined ? [] : [entryOf(point, chunk)];
    }),
  };
}

function pointsOf({ facts }: Scene, rows: Iterable<number>): Point[] {
  const points: Point[] = [];
  for (const row of rows) {
    const known = facts.rows.get(row);
    if (known === undefined) continue;
    for (const { start, end, ...when } of known.dates)
      points.push({ ...when, row, span: [start, end], property: null });
    for (const { name, value, ...when } of known.propertyDates)
      points.push({ ...when, row, span: null, property: { name, value } });
  }
  return points.sort(
    (a, b) => a.from - b.from || a.to - b.to || a.row - b.row || (a.span?.[0] ?? -1) - (b.span?.[0] ?? -1),
  );
}

/** What is said in sentences that name it, and in the documents that are about it. */
async function ofEntity(scene: Scene, entity: number): Promise<Point[]> {
  const { network, facts, store } = scene;
  const own = new Set(network.ownOf(entity).map((row) => facts.rows.get(row)?.document));
  const forms = scene.formsOf(entity).map((form) => ` ${form} `);
  const kept: Point[] = [];
  let count = 0;
  for (const row of rowsOf(network, entity)) {
    if (++count > MOST_ROWS) break;
    if (count % SLICE === 0) await setImmediate();
    const points = pointsOf(scene, [row]);
    if (points.length === 0) continue;
    if (own.has(facts.rows.get(row)?.document)) {
      kept.push(...points);
      continue;
    }
    const [chunk] = store.chunks([row]);
    if (chunk === null || chunk === undefined) continue;
    const names = (sentence: string): boolean => {
      const words = ` ${wordFormsOf(sentence).join(' ')} `;
      return forms.some((form) => words.includes(form));
    };
    // The date of a mail or note is of all that it names; when somebody was born is of whom it is about.
    for (const { span, property, ...point } of points)
      if (span === null ? OF_ALL.test(property?.name ?? '') : names(sentenceAt(chunk.text, span)))
        kept.push({ ...point, span, property });
  }
  return kept.sort((a, b) => a.from - b.from || a.to - b.to || a.row - b.row);
}

export async function timelineOf(
  scene: Scene,
  entity: number,
  limit: number,
): Promise<readonly TimelineEntry[]> {
  const key = scene.network.nameOf(entity);
  return (await timelineView(scene, { entity: key, offset: 0, limit })).entries;
}

/** Whole stretches between ends of sentences. */
export function sentenceAt(text: string, [start, end]: readonly [number, number]): string {
  let at = 0;
  for (const sentence of sentencesOf(text)) {
    const stop = at + sentence.length;
    if (start < stop) return cut(text.slice(at, Math.max(stop, end)), start - at);
    at = stop;
  }
  return cut(text.slice(Math.max(0, start - MOST_SENTENCE / 2)), 0);
}

/** A sentence that is too long, around what it is about. */
function cut(sentence: string, at: number): string {
  const from = sentence.length <= MOST_SENTENCE ? 0 : Math.max(0, at - MOST_SENTENCE / 2);
  const piece = sentence
    .slice(from, from + MOST_SENTENCE)
    .toWellFormed()
    .trim()
    .replace(/\s+/gu, ' ');
  return `${from > 0 ? '… ' : ''}${piece}${from + MOST_SENTENCE < sentence.length ? ' …' : ''}`;
}

function entryOf({ from, to, precision, span, property }: Point, chunk: StoredChunk): TimelineEntry {
  const { id, path, place, text } = chunk;
  const [title = ''] = chunk.title.split(' › ');
  return {
    ...{ from: dayText(from), to: dayText(to), precision },
    written: span === null ? (property?.value ?? '') : text.slice(...span),
    sentence: span === null ? `${property?.name ?? ''}: ${title}` : sentenceAt(text, span),
    source: span === null ? 'property' : 'text',
    ...{ chunk: id, path, title, place },
  };
}

function limitOf(text: string, param: string): When {
  const span = spanOf(text);
  if (span !== null) return span;
  throw new InputError(
    'date_invalid',
    `'${text.slice(0, 40)}' is no date from 1000 to 2100: write YYYY, YYYY-MM or YYYY-MM-DD.`,
    { param },
  );
}
