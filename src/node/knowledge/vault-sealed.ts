/**
 * The index of a sealed knowledge base: codes of its vectors as objects beside its parts, by which a machine with the key searches it
 * without fetching it.
 *
 * Documents stand in groups of 64 by their numbers, which stay; the codes of a group are made anew when one of its parts changed.
 * What they are made with (components, steps) stays, and all is made anew, when
 *
 * - another embedder made the vectors,
 * - there were too few for fewer dimensions, and now there are twice as many as it takes,
 * - or codes lose more of the vectors than a quarter and a hundredth above what they lost at first: the corpus became another one.
 *
 * Nothing of it is needed to restore the knowledge base; exact vectors and passages are read from the parts of documents themselves.
 *
 * @module node/knowledge/vault-sealed
 */
import { type CborMap, isKithError, throwIfAborted } from '../../base/index.ts';
import { type EmbedderIdentity, type PartDocument, passagesOfPart } from '../../knowledge/index.ts';
import {
  CODES_OBJECTS,
  COMPACT_BOUNDS,
  COMPACT_DIMENSIONS,
  COMPACT_FROM,
  type Coder,
  type Collection,
  codesName,
  createCoder,
  decodeFit,
  decodeGroups,
  digestOf,
  encodeFit,
  encodeGroups,
  encodePiece,
  FIT_OBJECT,
  GROUPS_OBJECT,
  type Group,
  type KeptFit,
  type Manifest,
  type Named,
  type ObjectSource,
} from '../../vault/index.ts';
import type { KbObjects } from './vault-parts.ts';
import { encodePlaces, type PlacedDocument, partOf, runsOf } from './vault-sealed-places.ts';

export interface SealedWork {
  readonly objects: KbObjects;
  readonly collection: Pick<Collection, 'openToWrite' | 'readSome'>;
  readonly embedder: EmbedderIdentity | null;
  readonly signal: AbortSignal;
  readonly told: (done: number, of: number) => void;
}

export interface SealedObjects {
  /** Parts of the knowledge base and of the index. */
  readonly source: ObjectSource;
  /** For the head: that there is an index. */
  readonly info: CborMap;
}

/** Documents of a group, by their numbers. */
const GROUP = 64;
/** Vectors of a piece, which ends with a document. */
const PIECE_VECTORS = 1024;
const SAMPLE = 10_000;
const BATCH = 512;
const WORN = { factor: 1.25, more: 0.01, grown: 2 } as const;

export const madeBy = ({ id, hash, dimension }: EmbedderIdentity): string =>
  `${id.slice(0, 500)} ${hash.slice(0, 200)} ${dimension}`;

interface Known {
  readonly manifest: Manifest;
  readonly fit: KeptFit;
  readonly digest: Uint8Array;
  readonly groups: ReadonlyMap<number, Group>;
}

interface Index {
  readonly fit: KeptFit;
  readonly groups: readonly Group[];
  /** Objects that were made, and digests of those that are there already. */
  readonly made: ReadonlyMap<string, Uint8Array>;
  readonly known: readonly Named[];
}

export async function sealedObjects(work: SealedWork): Promise<SealedObjects> {
  const { objects, embedder, signal } = work;
  const parts: Named[] = [];
  const groups = new Map<number, Named[]>();
  for await (const part of objects.source.list()) {
    parts.push(part);
    const document = partOf(part.name)?.document;
    if (document === undefined) continue;
    const group = Math.floor(document / GROUP);
    const own = groups.get(group);
    if (own === undefined) groups.set(group, [part]);
    else own.push(part);
  }
  const info = { compact: 1 };
  const plain = { source: { ...objects.source, list: () => parts }, info };
  if (embedder === null) return plain;
  const known = await knownOf(work, madeBy(embedder), embedder.dimension);
  await using coder = createCoder(signal);
  let index = known === null ? null : await codesOf(work, groups, coder, known.fit, known);
  if (index === null || isWorn(index)) {
    const fit = await fitOf(work, embedder, coder);
    if (fit === null) return plain;
    index = await codesOf(work, groups, coder, fit, null);
  }
  return { source: sourceOf(work, parts, groups, index), info };
}

function sourceOf(
  { objects, signal }: SealedWork,
  parts: readonly Named[],
  groups: ReadonlyMap<number, readonly Named[]>,
  { fit, made, known }: Index,
): ObjectSource {
  const list = [...made].map(([name, bytes]) => ({ name, digest: digestOf(bytes) }));
  return {
    list: () => [...parts, ...list, ...known],
    async read(name) {
      const own = made.get(name);
      if (own !== undefined) return own;
      if (!name.startsWith(CODES_OBJECTS)) return objects.source.read(name);
      // It lies in a segment that is made anew, or that was lost: the same comes of the same parts.
      const [group, piece] = name.slice(CODES_OBJECTS.length).split('.').map(Number) as [number, number];
      await using coder = createCoder(signal);
      const { pieces } = await piecesOf(objects.source, groups.get(group) ?? [], coder, fit, signal);
      return pieces[piece] ?? null;
    },
  };
}

/** What an earlier sync left; null when there is nothing that this one could go on with. */
async function knownOf(
  { collection, signal }: SealedWork,
  by: string,
  dimension: number,
): Promise<Known | null> {
  const manifest = await collection.openToWrite(signal);
  try {
    const found = await collection.readSome(manifest, [FIT_OBJECT, GROUPS_OBJECT], signal);
    const [fitted, grouped] = [found.get(FIT_OBJECT), found.get(GROUPS_OBJECT)];
    if (fitted === undefined || grouped === undefined) return null;
    const fit = decodeFit(fitted);
    const { fit: of, groups } = decodeGroups(grouped);
    const digest = digestOf(fitted);
    if (fit.by !== by || fit.from !== dimension || Buffer.compare(of, digest) !== 0) return null;
    return { manifest, fit, digest, groups: new Map(groups.map((group) => [group.group, group])) };
  } catch (error) {
    // Lost or of another version: all is made anew.
    if (isKithError(error) && (error.code === 'vault_damaged' || error.code === 'vault_block_lost'))
      return null;
    throw error;
  }
}

function isWorn({ fit, groups }: Index): boolean {
  const vectors = groups.reduce((sum, group) => sum + group.vectors, 0);
  if (vectors === 0) return false;
  const error = groups.reduce((sum, group) => sum + group.error, 0) / vectors;
  // A fit of few takes none of them away; where that costs nothing, it stays.
  const few = fit.projection === null && vectors >= WORN.grown * COMPACT_FROM;
  return (few && canShrink(fit)) || error > WORN.factor * fit.error + WORN.more;
}

const canShrink = ({ from }: KeptFit): boolean => from > COMPACT_DIMENSIONS;

async function fitOf(
  { objects, signal }: SealedWork,
  embedder: EmbedderIdentity,
  coder: Coder,
): Promise<KeptFit | null> {
  const copy = objects.open();
  try {
    const { vectors } = copy.counts();
    if (vectors === 0) return null;
    const every = Math.ceil(vectors / SAMPLE);
    const sample = new Float32Array(Math.ceil(vectors / every) * embedder.dimension);
    let seen = 0;
    let taken = 0;
    let rows: number[] = [];
    const take = () => {
      for (const vector of copy.f32(rows))
        if (vector?.length === embedder.dimension && taken < sample.length) {
          sample.set(vector, taken);
          taken += vector.length;
        }
      rows = [];
    };
    for (const { row } of copy.slab()) {
      if (seen++ % every === 0) rows.push(row);
      if (rows.length < BATCH) continue;
      take();
      throwIfAborted(signal);
    }
    take();
    if (taken === 0) return null;
    const fit = await coder.fit(sample.subarray(0, taken), embedder.dimension, vectors);
    return { ...fit, by: madeBy(embedder) };
  } finally {
    copy.close();
  }
}

async function codesOf(
  { objects, signal, told }: SealedWork,
  groups: ReadonlyMap<number, readonly Named[]>,
  coder: Coder,
  fit: KeptFit,
  before: Known | null,
): Promise<Index> {
  const fitted = encodeFit(fit);
  const digest = digestOf(fitted);
  const made = new Map<string, Uint8Array>([[FIT_OBJECT, fitted]]);
  const known: Named[] = [];
  const all: Group[] = [];
  let done = 0;
  for (const [group, parts] of groups) {
    throwIfAborted(signal);
    const state = stateOf(digest, parts);
    const kept = keptOf(before, group, state);
    if (kept !== null) {
      known.push(...kept.objects);
      all.push(kept.group);
    } else {
      const { pieces, vectors, error } = await piecesOf(objects.source, parts, coder, fit, signal);
      for (const [at, piece] of pieces.entries()) made.set(codesName(group, at), piece);
      all.push({ group, state, pieces: pieces.length, vectors, error });
      // Others of this thread get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    told(++done, groups.size);
  }
  // Of more groups than it holds it says nothing: the next sync makes all anew.
  const listed = all.length > COMPACT_BOUNDS.groups ? [] : all;
  made.set(GROUPS_OBJECT, encodeGroups(digest, listed));
  return { fit, groups: all, made, known };
}

/** Of what the codes of a group are made. */
const stateOf = (fit: Uint8Array, parts: readonly Named[]): Uint8Array =>
  digestOf(Buffer.concat([fit, ...parts.flatMap(({ name, digest }) => [Buffer.from(`${name}\0`), digest])]));

function keptOf(
  before: Known | null,
  number: number,
  state: Uint8Array,
): { readonly group: Group; readonly objects: readonly Named[] } | null {
  const group = before?.groups.get(number);
  if (before === null || group === undefined || Buffer.compare(group.state, state) !== 0) return null;
  const objects: Named[] = [];
  for (let piece = 0; piece < group.pieces; piece++) {
    const entry = before.manifest.entries.get(codesName(number, piece));
    if (entry === undefined) return null;
    objects.push({ name: entry.name, digest: entry.digest });
  }
  return { group, objects };
}

interface OneDocument {
  readonly document: PartDocument;
  readonly rows: readonly {
    readonly row: number;
    readonly text: number;
    readonly vector: number;
    readonly exact: Float32Array;
  }[];
}

/** @param parts of the documents of one group, in order */
async function piecesOf(
  source: ObjectSource,
  parts: readonly Named[],
  coder: Coder,
  fit: KeptFit,
  signal: AbortSignal,
): Promise<{ readonly pieces: Uint8Array[]; readonly vectors: number; readonly error: number }> {
  const digest = digestOf(encodeFit(fit));
  const pieces: Uint8Array[] = [];
  let vectors = 0;
  let error = 0;
  let documents: PlacedDocument[] = [];
  let waiting: Float32Array[] = [];
  const close = async () => {
    if (waiting.length === 0) return;
    const flat = new Float32Array(waiting.length * fit.from);
    for (const [at, vector] of waiting.entries()) flat.set(vector, at * fit.from);
    const coded = await coder.encode(fit, flat);
    const { codes } = coded;
    pieces.push(encodePiece({ fit: digest, count: waiting.length, codes, about: encodePlaces(documents) }));
    vectors += waiting.length;
    error += coded.error;
    documents = [];
    waiting = [];
  };
  for await (const { document, rows } of documentsOf(source, parts, fit.from)) {
    throwIfAborted(signal);
    if (waiting.length > 0 && waiting.length + rows.length > PIECE_VECTORS) await close();
    for (let from = 0; from < rows.length; from += COMPACT_BOUNDS.pieceVectors) {
      const some = rows.slice(from, from + COMPACT_BOUNDS.pieceVectors);
      documents.push({ ...document, runs: runsOf(some) });
      waiting.push(...some.map(({ exact }) => exact));
      if (waiting.length >= COMPACT_BOUNDS.pieceVectors) await close();
    }
  }
  await close();
  return { pieces, vectors, error };
}

/** Documents with the rows that have passage and vector; one at a time is in memory. */
async function* documentsOf(
  source: ObjectSource,
  parts: readonly Named[],
  dimension: number,
): AsyncGenerator<OneDocument> {
  const byDocument = Map.groupBy(parts, ({ name }) => partOf(name)!.document);
  for (const [id, own] of [...byDocument].sort(([a], [b]) => a - b)) {
    const texts = new Map<number, number>();
    const vectors = new Map<number, { readonly part: number; readonly exact: Float32Array }>();
    let document: PartDocument | null = null;
    for (const { name } of own) {
      const bytes = await source.read(name);
      if (bytes === null) continue;
      const { part } = partOf(name)!;
      const found = passagesOfPart(bytes);
      document = found.document ?? document;
      for (const row of found.passages.keys()) texts.set(row, part);
      for (const [row, exact] of found.vectors)
        if (exact.length === dimension) vectors.set(row, { part, exact });
    }
    const rows = [...vectors]
      .flatMap(([row, { part, exact }]) => {
        const text = texts.get(row);
        return text === undefined ? [] : [{ row, text, vector: part, exact }];
      })
      .sort((a, b) => a.row - b.row);
    if (document !== null && rows.length > 0) yield { document: { ...document, id }, rows };
  }
}
