/**
 * The index of a sealed collection as objects of it, sealed like all others: who has the key fetches them and searches here.
 *
 * | Object | CBOR map |
 * |---|---|
 * | `compact/fit` | `by` who made the vectors, `from`, `to`, `rows` (i16 of ±32767, to × from; empty: none), `means`, `steps` (f32), `error` (millionths) |
 * | `compact/codes/GROUP.N` | `fit` (digest of that object), `count`, `codes`, `about` (where each lies, in the form of the caller) |
 * | `compact/groups` | `fit`, `groups`: `[group, state, pieces, vectors, error]` each; read when it is synced, never to search |
 *
 * A group is some objects that stand beside each other; its `state` is a digest of what its codes were made of. So a change makes
 * the codes of its group anew and no others, as long as the fit stays.
 *
 * @module vault/compact/objects
 */
import { type CborMap, decodeCbor, encodeCbor, Fields } from '../../base/index.ts';
import { damaged } from '../seal/record.ts';
import { DIGEST_BYTES } from '../seal/segment.ts';
import { type CodeFit, codeBytes, packRows, unpackRows } from './codes.ts';

/** Names of objects that are of the index begin so. */
export const COMPACT_OBJECTS = 'compact/';
export const FIT_OBJECT = `${COMPACT_OBJECTS}fit`;
export const GROUPS_OBJECT = `${COMPACT_OBJECTS}groups`;
export const CODES_OBJECTS = `${COMPACT_OBJECTS}codes/`;
export const codesName = (group: number, piece: number): string => `${CODES_OBJECTS}${group}.${piece}`;

export const COMPACT_BOUNDS = {
  dimension: 16_384,
  /** Characters of who made the vectors. */
  by: 1000,
  /** Vectors of a piece; the next one begins another. */
  pieceVectors: 4096,
  aboutBytes: 1 << 20,
  /** Of 32 bytes each at most: one object. */
  groups: 90_000,
  pieces: 65_536,
} as const;

const OBJECT_CBOR = { maxBytes: 3 << 20, maxItems: 64, maxDepth: 3 };
const GROUPS_CBOR = { maxBytes: 3 << 20, maxItems: COMPACT_BOUNDS.groups * 6 + 64, maxDepth: 4 };
/** Errors are kept as whole millionths. */
const MILLION = 1e6;
const VERSION = 1;

export interface KeptFit extends CodeFit {
  readonly by: string;
}

export interface Piece {
  /** Digest of the fit that its codes are of. */
  readonly fit: Uint8Array;
  readonly count: number;
  readonly codes: Uint8Array;
  readonly about: Uint8Array;
}

export interface Group {
  readonly group: number;
  readonly state: Uint8Array;
  readonly pieces: number;
  readonly vectors: number;
  /** Sum over its vectors of the part of the squared lengths that is lost. */
  readonly error: number;
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

export function encodeFit({ by, projection, from, to, means, steps, error }: KeptFit): Uint8Array {
  return encodeCbor(
    {
      ...{ v: VERSION, by, from, to, error: Math.round(error * MILLION) },
      rows: projection === null ? new Uint8Array(0) : packRows(projection.rows),
      kept: projection === null ? MILLION : Math.round(projection.kept * MILLION),
      ...{ means: bytesOf(means), steps: bytesOf(steps) },
    },
    OBJECT_CBOR,
  );
}

/** @throws KithError `vault_damaged` */
export function decodeFit(bytes: Uint8Array): KeptFit {
  return reading('what the codes were made with', bytes, OBJECT_CBOR, (fields) => {
    const [from, to] = [
      fields.count('from', COMPACT_BOUNDS.dimension),
      fields.count('to', COMPACT_BOUNDS.dimension),
    ];
    const rows = fields.bytesUpTo('rows', 3 << 20);
    const kept = fields.count('kept', MILLION) / MILLION;
    const sound = to > 0 && to <= from && rows.length === (to === from ? 0 : to * from * 2);
    const fit = {
      ...{ by: fields.text('by', COMPACT_BOUNDS.by), from, to },
      error: fields.count('error', MILLION) / MILLION,
      projection: rows.length === 0 ? null : { from, to, kept, rows: unpackRows(rows) },
      means: floatsOf(fields.bytes('means', to * 4)),
      steps: floatsOf(fields.bytes('steps', to * 4)),
    };
    return sound && fit.means.every(Number.isFinite) && fit.steps.every((step) => step >= 0 && step < 1e6)
      ? fit
      : null;
  });
}

export const encodePiece = ({ fit, count, codes, about }: Piece): Uint8Array =>
  encodeCbor({ v: VERSION, fit, count, codes, about }, OBJECT_CBOR);

/** @throws KithError `vault_damaged`: also when its codes are of another fit */
export function decodePiece(bytes: Uint8Array, fit: CodeFit, digest: Uint8Array): Piece {
  return reading('a piece of the index', bytes, OBJECT_CBOR, (fields) => {
    const count = fields.count('count', COMPACT_BOUNDS.pieceVectors);
    const of = fields.bytes('fit', DIGEST_BYTES);
    const codes = fields.bytes('codes', count * codeBytes(fit));
    const about = fields.bytesUpTo('about', COMPACT_BOUNDS.aboutBytes);
    return Buffer.compare(of, digest) === 0 ? { fit: of, count, codes, about } : null;
  });
}

export function encodeGroups(fit: Uint8Array, groups: readonly Group[]): Uint8Array {
  return encodeCbor(
    {
      ...{ v: VERSION, fit },
      groups: groups.map(({ group, state, pieces, vectors, error }) => [
        ...[group, state, pieces, vectors, Math.round(error * MILLION)],
      ]),
    },
    GROUPS_CBOR,
  );
}

/** @throws KithError `vault_damaged` */
export function decodeGroups(bytes: Uint8Array): {
  readonly fit: Uint8Array;
  readonly groups: readonly Group[];
} {
  const what = 'the groups of the index';
  return reading(what, bytes, GROUPS_CBOR, (fields) => ({
    fit: fields.bytes('fit', DIGEST_BYTES),
    groups: fields.list('groups', COMPACT_BOUNDS.groups).map((row) => {
      if (!Array.isArray(row) || row.length !== 5) throw damaged(what);
      const [group, state, pieces, vectors, error] = row;
      const each = new Fields({ group, state, pieces, vectors, error } as CborMap, what, damaged);
      return {
        group: each.count('group', Number.MAX_SAFE_INTEGER),
        state: each.bytes('state', DIGEST_BYTES),
        pieces: each.count('pieces', COMPACT_BOUNDS.pieces),
        vectors: each.count('vectors', Number.MAX_SAFE_INTEGER),
        error: each.count('error', Number.MAX_SAFE_INTEGER) / MILLION,
      };
    }),
  }));
}

function reading<T>(
  what: string,
  bytes: Uint8Array,
  bounds: typeof OBJECT_CBOR,
  read: (fields: Fields) => T | null,
): T {
  try {
    const fields = new Fields(decodeCbor(bytes, bounds) as CborMap, what, damaged);
    if (fields.count('v', VERSION) !== VERSION) throw damaged(what);
    const made = read(fields);
    fields.end();
    if (made === null) throw damaged(what);
    return made;
  } catch (error) {
    throw damaged(what, error);
  }
}
