/**
 * Snapshots of a registry, page by page: method `/kith/registry/1.0.0`, version 1. A node that has just started learns in
 * one call what gossip would tell it in minutes.
 *
 * Request, the metadata of a call:
 *
 * | Field   | Type    | Bounds                                                              |
 * | ------- | ------- | ------------------------------------------------------------------- |
 * | `v`     | integer | 1                                                                   |
 * | `model` | bytes   | optional, 32: only records of this model, and farewells of peers    |
 * | `after` | text    | optional: `next` of the page before                                 |
 * | `limit` | integer | optional, 1 to 256: records in the page                             |
 *
 * Reply, deterministic CBOR in the payload, at most 256 KiB:
 *
 * | Field     | Type          | Bounds                                                        |
 * | --------- | ------------- | ------------------------------------------------------------- |
 * | `v`       | integer       | 1                                                             |
 * | `records` | list of bytes | at most 256 envelopes of at most 2,048 bytes, in order        |
 * | `next`    | text          | optional, `<peer>/<model>`: there may be more after it        |
 *
 * A page proves itself: each envelope is verified as if its peer had sent it, and the peer who sent the page is not
 * believed about anything.
 *
 * @module swarm/registry/snapshot
 */
import { type CborMap, type CborValue, encodeCbor, toHex } from '../../base/index.ts';
import { ANNOUNCEMENT_MAX_BYTES } from '../records/announcement.ts';
import { digestBytes, Fields, malformed } from '../records/fields.ts';
import { REFUSALS, type Refusal } from '../records/types.ts';
import type { HeldRecord } from './held.ts';
import type { Registry } from './registry.ts';

export const SNAPSHOT_METHOD = '/kith/registry/1.0.0';
export const SNAPSHOT_VERSION = 1;
export const PAGE_MAX_RECORDS = 256;
export const PAGE_MAX_BYTES = 262_144;
/** Room for the map around the records. */
const PAGE_HEAD_BYTES = 256;
/** Head of a byte string of this length. */
const RECORD_HEAD_BYTES = 3;

const CURSOR = /^[1-9A-HJ-NP-Za-km-z]{1,64}\/([0-9a-f]{64})?$/;
const LIMITS = { maxBytes: PAGE_MAX_BYTES, maxDepth: 2, maxItems: PAGE_MAX_RECORDS + 16 };

export interface SnapshotRequest {
  /** Null: of all models. */
  readonly model: string | null;
  readonly after: string | null;
  readonly limit: number;
}

export interface SnapshotPage {
  readonly records: readonly Uint8Array[];
  readonly next: string | null;
}

export function encodeSnapshotRequest(request: SnapshotRequest): CborMap {
  const map: Record<string, CborValue> = { v: SNAPSHOT_VERSION, limit: request.limit };
  if (request.model !== null) map.model = digestBytes(request.model);
  if (request.after !== null) map.after = request.after;
  return map;
}

/** @throws {InputError} `record_malformed` */
export function parseSnapshotRequest(metadata: CborMap): SnapshotRequest {
  const fields = new Fields(metadata);
  fields.int('v', SNAPSHOT_VERSION, SNAPSHOT_VERSION);
  const request = {
    model: fields.optional('model', (of) => toHex(of.bytes('model', 32))),
    after: fields.optional('after', (of) => of.text('after', CURSOR)),
    limit: fields.optional('limit', (of) => of.int('limit', 1, PAGE_MAX_RECORDS)) ?? PAGE_MAX_RECORDS,
  };
  fields.end();
  return request;
}

export function encodeSnapshotPage(page: SnapshotPage): Uint8Array {
  const map: Record<string, CborValue> = { v: SNAPSHOT_VERSION, records: page.records };
  if (page.next !== null) map.next = page.next;
  return encodeCbor(map, LIMITS);
}

/** Takes a page apart; its records are not looked at. @throws {InputError} `record_malformed` */
export function parseSnapshotPage(bytes: Uint8Array): SnapshotPage {
  const fields = Fields.decode(bytes, LIMITS);
  fields.int('v', SNAPSHOT_VERSION, SNAPSHOT_VERSION);
  const page = {
    records: fields.list('records', PAGE_MAX_RECORDS, (value) => {
      if (!(value instanceof Uint8Array) || value.length > ANNOUNCEMENT_MAX_BYTES)
        malformed('a record is not a string of bytes, or too long');
      return value as Uint8Array;
    }),
    next: fields.optional('next', (of) => of.text('next', CURSOR)),
  };
  fields.end();
  return page;
}

/** The page that a request asks for. */
export function pageOf(registry: Registry, request: SnapshotRequest): SnapshotPage {
  const after = request.after ?? '';
  const found: { cursor: string; bytes: Uint8Array }[] = [];
  for (const record of registry.records()) {
    const cursor = cursorOf(record);
    if (cursor > after && isAsked(record, request.model)) found.push({ cursor, bytes: record.bytes });
  }
  found.sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
  const records: Uint8Array[] = [];
  let bytes = PAGE_HEAD_BYTES;
  for (const one of found) {
    bytes += RECORD_HEAD_BYTES + one.bytes.length;
    if (records.length === request.limit || bytes > PAGE_MAX_BYTES) break;
    records.push(one.bytes);
  }
  const next = records.length < found.length ? found[records.length - 1]!.cursor : null;
  return { records, next };
}

function isAsked({ announcement }: HeldRecord, model: string | null): boolean {
  if (model === null || announcement.model?.hash === model) return true;
  return announcement.model === null && announcement.state === 'offline';
}

function cursorOf({ announcement: { peer, model } }: HeldRecord): string {
  return `${peer}/${model?.hash ?? ''}`;
}

export interface Merged {
  /** Records that were new. */
  readonly learned: number;
  /** Records that were here already. */
  readonly known: number;
  readonly refused: Readonly<Record<Refusal, number>>;
  /** Not looked at, because the sender had sent too many that no honest node passes on. */
  readonly skipped: number;
}

/** What an honest node never passes on; the others are a matter of clocks and of who is first. */
const DISHONEST: ReadonlySet<Refusal> = new Set(['oversized', 'malformed', 'wrong_peer', 'bad_signature']);
const MAX_DISHONEST = 4;
/** Verifications between two looks at the rest of the world; about 5 ms. */
const SLICE = 32;

/** Offers records that `sender` gave to the registry. */
export async function mergeRecords(
  registry: Registry,
  records: readonly Uint8Array[],
  sender: string,
): Promise<Merged> {
  const refused = Object.fromEntries(REFUSALS.map((code) => [code, 0])) as Record<Refusal, number>;
  let learned = 0;
  let known = 0;
  let dishonest = 0;
  for (const [index, bytes] of records.entries()) {
    if (dishonest >= MAX_DISHONEST) return { learned, known, refused, skipped: records.length - index };
    if (index % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve));
    const offered = registry.offer(bytes, { sender });
    if (!offered.ok) {
      refused[offered.refusal]++;
      if (DISHONEST.has(offered.refusal)) dishonest++;
    } else if (offered.known) known++;
    else learned++;
  }
  return { learned, known, refused, skipped: 0 };
}
