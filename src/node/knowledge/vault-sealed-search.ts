/**
 * Searching a sealed knowledge base without fetching it: the codes of all vectors are here, the exact vectors and the passages of the best
 * are read from the parts of their documents.
 *
 * Which of the best by codes can be among the best is decided by how far codes were off for those that were computed exactly: most
 * questions read the parts of some twenty vectors.
 *
 * @module node/knowledge/vault-sealed-search
 */
import { type Clock, formatBytes, formatCount, KithError } from '../../base/index.ts';
import {
  createVectorIndex,
  dot,
  type Filter,
  matchesGlob,
  type PartPassages,
  type Place,
  passagesOfPart,
  quantise,
} from '../../knowledge/index.ts';
import {
  CODES_OBJECTS,
  type Collection,
  codeBytes,
  decodeFit,
  decodePiece,
  decodeVector,
  digestOf,
  FIT_OBJECT,
  type KeptFit,
  lowered,
  type Manifest,
} from '../../vault/index.ts';
import { decodePlaces, partName } from './vault-sealed-places.ts';

/** What the index can tell of documents. */
export type SealedFilter = Pick<Filter, 'paths' | 'globs' | 'modifiedFrom' | 'modifiedTo'>;

export interface SealedHit {
  /** Scalar product of the exact vectors. */
  readonly score: number;
  readonly path: string;
  readonly title: string;
  readonly place: Place;
  readonly text: string;
}

export interface SealedFound {
  readonly hits: readonly SealedHit[];
  /** Ms of waiting for exact vectors, and for passages. */
  readonly rows: number;
  readonly texts: number;
  /** Vectors that were computed exactly. */
  readonly again: number;
}

export interface SealedIndex extends AsyncDisposable {
  readonly count: number;
  search(
    vector: Float32Array,
    order: { readonly k: number; readonly filter?: SealedFilter; readonly signal: AbortSignal },
    collection: Pick<Collection, 'readSome'>,
  ): Promise<SealedFound>;
}

/** What the walk over 8 bits a number finds, and how many of them codes are held against the question exactly for. */
const NEAR = 512;
const NEAR_TIMES = 8;
/** Candidates of the codes: at most so many, or so many times what is wanted. */
const CANDIDATES = 200;
const CANDIDATES_TIMES = 4;
/** Of them so many times what is wanted are computed exactly at first, and at least so many. */
const FIRST_TIMES = 2;
const FIRST = 16;
/** Standard deviations by which codes may be off, and what is taken for one at least. */
const DEVIATIONS = 3;
const LEAST_DEVIATION = 0.004;

/**
 * What is held at most while it is searched: bytes of the index, and documents with their runs. Who gave a grant can have made it of
 * anything, and what is said in few bytes can take many.
 */
const MOST_BYTES = 512 << 20;
const MOST_PLACES = 4_000_000;

interface Located {
  /** Numbers of the document here, of its parts, and of the chunk. */
  readonly document: number;
  readonly text: number;
  readonly vector: number;
  readonly row: number;
}

/** Runs stand for their vectors: a number of a vector is looked up by bisection. */
interface Runs {
  readonly first: number[];
  readonly rows: number[];
  readonly document: number[];
  readonly text: number[];
  readonly vector: number[];
}

interface SealedDocument {
  readonly id: number;
  readonly path: string;
  readonly modified: number;
}

/** @throws KithError `vault_damaged`, `vault_block_lost`, `vault_index_large` */
export async function openSealedIndex(
  collection: Pick<Collection, 'readSome'>,
  manifest: Manifest,
  clock: Pick<Clock, 'monotonic'>,
  signal: AbortSignal,
): Promise<SealedIndex> {
  const names = [...manifest.entries.keys()].filter((name) => name.startsWith(CODES_OBJECTS));
  const size = names.reduce((sum, name) => sum + manifest.entries.get(name)!.size, 0);
  if (size > MOST_BYTES) throw tooLarge(`${formatBytes(size)} of ${formatBytes(MOST_BYTES)}`);
  const objects = await collection.readSome(manifest, [FIT_OBJECT, ...names], signal);
  const fitted = objects.get(FIT_OBJECT);
  const fit = fitted === undefined ? null : decodeFit(fitted);
  if (fit === null && names.length > 0) throw damaged('what its codes were made with is missing');
  const documents: SealedDocument[] = [];
  const runs: Runs = { first: [], rows: [], document: [], text: [], vector: [] };
  const index = createVectorIndex({ dimension: fit?.to ?? 1 });
  /** Codes, and the numbers of the vectors that they are of. */
  const pieces: { readonly first: number; readonly end: number; readonly bytes: Uint8Array }[] = [];
  let count = 0;
  try {
    if (fit !== null) {
      const digest = digestOf(fitted!);
      const width = codeBytes(fit);
      const own = new Float32Array(fit.to);
      for (const name of names) {
        const object = objects.get(name);
        if (object === undefined) throw damaged(`${name} is missing`);
        const piece = decodePiece(object, fit, digest);
        const first = count;
        for (const { id, path, modified, runs: placed } of decodePlaces(piece.about, piece.count)) {
          for (const run of placed) {
            runs.first.push(count);
            runs.rows.push(run.row);
            runs.document.push(documents.length);
            runs.text.push(run.text);
            runs.vector.push(run.vector);
            count += run.count;
          }
          documents.push({ id, path, modified });
          if (documents.length + runs.first.length > MOST_PLACES)
            throw tooLarge(`more than ${formatCount(MOST_PLACES)} places`);
        }
        pieces.push({ first, end: count, bytes: piece.codes });
        for (let i = 0; i < piece.count; i++) {
          const codes = piece.codes.subarray(i * width, (i + 1) * width);
          decodeVector(fit, codes, own);
          // What all have in common says nothing, and would take the bits of what tells them apart.
          for (let j = 0; j < fit.to; j++) own[j]! -= fit.means[j]!;
          index.put({ row: first + i, ...quantise(own) });
        }
        // Others of this thread get their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  } catch (error) {
    await index[Symbol.asyncDispose]();
    throw error;
  }

  function located(at: number): Located {
    let low = 0;
    let high = runs.first.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (runs.first[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return {
      ...{ document: runs.document[low]!, text: runs.text[low]!, vector: runs.vector[low]! },
      row: runs.rows[low]! + at - runs.first[low]!,
    };
  }

  function rowsOf(filter: SealedFilter | undefined): Uint32Array | null {
    if (filter === undefined || Object.values(filter).every((value) => value === undefined)) return null;
    const kept = documents.map((document) => passes(filter, document));
    const rows: number[] = [];
    for (const [run, from] of runs.first.entries())
      if (kept[runs.document[run]!] === true)
        for (let at = from; at < (runs.first[run + 1] ?? count); at++) rows.push(at);
    return Uint32Array.from(rows);
  }

  /** The walk takes few bits of a question; its best are put in order by the codes and all bits. */
  async function candidates(fit: KeptFit, query: Float32Array, k: number, rows: Uint32Array | null) {
    const limit = Math.max(NEAR, NEAR_TIMES * k);
    const width = codeBytes(fit);
    const own = new Float32Array(fit.to);
    return (await index.nearest(query, { limit, rows }))
      .map(({ row }) => {
        const codes = pieces.find(({ end }) => row < end)!;
        const at = (row - codes.first) * width;
        return { row, score: dot(decodeVector(fit, codes.bytes.subarray(at, at + width), own), query) };
      })
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, Math.max(CANDIDATES, CANDIDATES_TIMES * k));
  }

  async function search(
    fit: KeptFit,
    vector: Float32Array,
    { k, filter, signal }: Parameters<SealedIndex['search']>[1],
    collection: Pick<Collection, 'readSome'>,
  ): Promise<SealedFound> {
    const near = await candidates(fit, lowered(fit, vector), k, rowsOf(filter));
    const read = new Map<string, PartPassages>();
    const waited = { rows: 0, texts: 0 };
    const need = async (places: readonly Located[], what: 'vector' | 'text') => {
      const from = clock.monotonic();
      const wanted = new Set(places.map((place) => partName(documents[place.document]!.id, place[what])));
      const missing = [...wanted].filter((name) => !read.has(name));
      for (const [name, part] of await collection.readSome(manifest, missing, signal))
        read.set(name, passagesOfPart(part));
      waited[what === 'vector' ? 'rows' : 'texts'] += clock.monotonic() - from;
    };
    const partOf = (place: Located, what: 'vector' | 'text') =>
      read.get(partName(documents[place.document]!.id, place[what]));
    const exact: { place: Located; score: number; off: number }[] = [];
    const rescore = async (some: readonly (typeof near)[number][]) => {
      const places = some.map(({ row }) => located(row));
      await need(places, 'vector');
      for (const [i, place] of places.entries()) {
        const own = partOf(place, 'vector')?.vectors.get(place.row);
        if (own?.length !== vector.length) throw damaged('a vector is not where it says');
        const score = dot(own, vector);
        exact.push({ place, score, off: score - some[i]!.score });
      }
      exact.sort((a, b) => b.score - a.score || a.place.row - b.place.row);
    };
    await rescore(near.slice(0, Math.max(FIRST, FIRST_TIMES * k)));
    const least = exact[k - 1]?.score ?? Number.NEGATIVE_INFINITY;
    const allowed = allowance(exact.map(({ off }) => off));
    await rescore(near.slice(exact.length).filter(({ score }) => score + allowed >= least));
    const best = exact.slice(0, k);
    await need(
      best.map(({ place }) => place),
      'text',
    );
    const hits = best.map(({ place, score }): SealedHit => {
      const passage = partOf(place, 'text')?.passages.get(place.row);
      if (passage === undefined) throw damaged('a passage is not where it says');
      return { score, path: documents[place.document]!.path, ...passage };
    });
    return { hits, ...waited, again: exact.length };
  }

  return {
    get count() {
      return count;
    },
    async search(vector, order, collection) {
      if (fit === null || count === 0) return { hits: [], rows: 0, texts: 0, again: 0 };
      if (vector.length !== fit.from) throw damaged(`its vectors have ${fit.from} numbers`);
      return search(fit, vector, order, collection);
    },
    [Symbol.asyncDispose]: () => index[Symbol.asyncDispose](),
  };
}

/** By how much a score may lie above what the codes say, seen from those that were computed. */
function allowance(off: readonly number[]): number {
  if (off.length === 0) return 0;
  const mean = off.reduce((sum, value) => sum + value, 0) / off.length;
  const square = off.reduce((sum, value) => sum + (value - mean) ** 2, 0) / off.length;
  // Those that codes put first are those that they put too high: that they lie lower says nothing of the others.
  return Math.max(0, mean) + DEVIATIONS * Math.max(LEAST_DEVIATION, Math.sqrt(square));
}

/** As the store's filters: one of the paths or folders, one of the patterns, within the times. */
function passes(
  { paths, globs, modifiedFrom, modifiedTo }: SealedFilter,
  { path, modified }: SealedDocument,
): boolean {
  if (paths !== undefined && !paths.some((one) => (one.endsWith('/') ? path.startsWith(one) : path === one)))
    return false;
  if (globs !== undefined && !globs.some((glob) => matchesGlob(glob, path))) return false;
  return modified >= (modifiedFrom ?? 0) && modified <= (modifiedTo ?? Number.POSITIVE_INFINITY);
}

const tooLarge = (what: string): KithError =>
  new KithError(
    'vault_index_large',
    `The index of what is placed is larger than is searched where it lies: ${what}. Fetch the knowledge base and search it here: kith vpk restore.`,
    { status: 413 },
  );

const damaged = (what: string): KithError =>
  new KithError(
    'vault_damaged',
    `The index of the vectors and what was placed do not fit together: ${what}. Place it again from the machine that has the knowledge base: kith vpk upload.`,
    { status: 502 },
  );
