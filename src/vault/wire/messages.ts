/**
 * Calls from Bob to Eve (method `/kith/vault/1`). The metadata is a CBOR map: `op` says what is asked, `label` of which tenant (16 bytes);
 * `grant` (a signed line of bytes) is there when somebody else than the tenant's owner asks, `owner` then names whose tenant it is.
 *
 * | op         | further fields of the question                  | payload of it    | answer                                   | payload of it |
 * |------------|-------------------------------------------------|------------------|------------------------------------------|---|
 * | `terms`    | (no label)                                      |                  | `free`, `largest`, `days`, `open`, `now` | |
 * | `tenants`  | (no label) `after`: label or null               |                  | `tenants`: list of infos, 100 at most    | |
 * | `create`   | `quota`, `days`                                 |                  | an info                                  | |
 * | `renew`    | `quota` or null, `days`                         |                  | an info                                  | |
 * | `info`     |                                                 |                  | an info                                  | |
 * | `destroy`  |                                                 |                  |                                          | |
 * | `put`      |                                                 | the block        | `id` (32 B)                              | |
 * | `get`      | `id`, `at` and `length`, or null and null       |                  |                                          | the bytes |
 * | `prove`    | `id`, `leaf`                                    |                  | `length`, `path` (32 B each)             | the leaf |
 * | `list`     | `after`: id or null                             |                  |                                          | 36 B a block: id, bytes (u32, little-endian) |
 * | `remove`   |                                                 | ids, 32 B each   | `gone`                                   | |
 * | `head`     | `name`                                          |                  | `number`, 0 for none                     | the head |
 * | `set_head` | `name`, `number`, `before`                      | the head         |                                          | |
 * | `revoke`   | `id`: of a grant (16 B)                         |                  |                                          | |
 * | `score`    | `blocks`: ids, 32 B each                        | half of a question (288 B) |                                | 4096 B a block |
 * | `nearest`  | `blocks`, `dimension`, `bytes` of a row, `k`    | a perturbed vector (4 B a number, f32, little-endian) |     | rows by their distance: block, row (u32 each), distance (f32), the row behind its vector |
 * | `gather`   | `blocks`, `rows` of each, `bytes` of a row, `questions` | bits: questions × blocks × rows / 8 |               | questions × bytes |
 *
 * An info is a map: `label`, `state`, `quota`, `used`, `blocks`, `until`, `deleted`, `now`. Nothing else is allowed anywhere.
 *
 * @module vault/wire/messages
 */
import { type CborMap, type CborValue, Fields, fromHex, InputError, toHex } from '../../base/index.ts';
import { BLOCK_MAX_BYTES, ID_BYTES, LEAF_BYTES, type LeafProof, PATH_MAX } from '../block.ts';
import { NEAREST_BOUNDS, nearBytes } from '../perturbed/nearest.ts';
import { SHARE_BYTES } from '../split/bob.ts';
import { GATHER_BOUNDS } from '../split/eve.ts';
import { type BlockRow, type HeadRow, TENANT_BOUNDS, TENANT_STATES, type TenantInfo } from '../types.ts';

export const VAULT_METHOD = '/kith/vault/1';
export const LABEL_BYTES = 16;
export const GRANT_ID_BYTES = 16;

export const VAULT_WIRE = {
  metadataBytes: 48 << 10,
  payloadBytes: BLOCK_MAX_BYTES,
  grantBytes: 4096,
  /** Blocks of one question of `score`, `gather` or `nearest`. */
  asked: 64,
  /** Bytes of rows that one call of `gather` walks, over all its questions: some 0.3 s of a processor. */
  gatheredBytes: 2 ** 31,
  /** Infos in one answer. */
  tenants: 100,
  quota: 2 ** 50,
  days: 3660,
} as const;

export const VAULT_OPS = [
  ...['terms', 'tenants', 'create', 'renew', 'info', 'destroy'],
  ...['put', 'get', 'prove', 'list', 'remove', 'head', 'set_head', 'revoke', 'score', 'gather', 'nearest'],
] as const;

/** What is asked. Ids and labels in hex. */
export type VaultAsk =
  | { readonly op: 'terms' }
  | { readonly op: 'tenants'; readonly after: string | null }
  | ({ readonly label: string } & TenantAsk);

export type TenantAsk =
  | { readonly op: 'create'; readonly quota: number; readonly days: number }
  | { readonly op: 'renew'; readonly quota: number | null; readonly days: number }
  | { readonly op: 'info' | 'destroy' | 'put' | 'remove' }
  | { readonly op: 'get'; readonly id: string; readonly at: number | null; readonly length: number | null }
  | { readonly op: 'prove'; readonly id: string; readonly leaf: number }
  | { readonly op: 'list'; readonly after: string | null }
  | { readonly op: 'head'; readonly name: string }
  | { readonly op: 'set_head'; readonly name: string; readonly number: number; readonly before: number }
  | { readonly op: 'revoke'; readonly id: string }
  | { readonly op: 'score'; readonly blocks: readonly string[] }
  | {
      readonly op: 'gather';
      readonly blocks: readonly string[];
      readonly rows: number;
      readonly bytes: number;
      readonly questions: number;
    }
  | {
      readonly op: 'nearest';
      readonly blocks: readonly string[];
      readonly dimension: number;
      readonly bytes: number;
      readonly k: number;
    };

export interface VaultQuestion {
  readonly ask: VaultAsk;
  /** What lets another than the owner ask. */
  readonly grant: Uint8Array | null;
}

export function malformed(what: string): InputError {
  return new InputError('vault_malformed', `A message of the vault does not follow the protocol: ${what}.`);
}

const binary = (hex: string): Uint8Array => fromHex(hex);
const binaryOrNull = (hex: string | null): Uint8Array | null => (hex === null ? null : fromHex(hex));

export function encodeQuestion({ ask, grant }: VaultQuestion): CborMap {
  const { op, ...fields } = ask;
  const map: Record<string, CborValue> = { op, ...fields };
  if ('label' in ask) map.label = binary(ask.label);
  if ('id' in ask) map.id = binary(ask.id);
  if ('blocks' in ask) map.blocks = encodeIds(ask.blocks);
  if ('after' in ask) map.after = binaryOrNull(ask.after);
  if (grant !== null) map.grant = grant;
  return map;
}

/** @param payloadBytes of the question: those that have none are refused with one @throws InputError `vault_malformed` */
export function decodeQuestion(metadata: CborMap, payload: Uint8Array): VaultQuestion {
  const fields = new Fields(metadata, 'a question', malformed);
  const op = fields.oneOf('op', VAULT_OPS);
  const grant = fields.has('grant') ? fields.bytesUpTo('grant', VAULT_WIRE.grantBytes) : null;
  const ask = ((): VaultAsk => {
    if (op === 'terms') return { op };
    if (op === 'tenants') return { op, after: hexOrNull(fields.bytesOrNull('after', LABEL_BYTES)) };
    return { label: toHex(fields.bytes('label', LABEL_BYTES)), ...tenantAsk(op, fields) };
  })();
  fields.end();
  checkPayload(ask, payload);
  return { ask, grant };
}

function tenantAsk(op: Exclude<(typeof VAULT_OPS)[number], 'terms' | 'tenants'>, fields: Fields): TenantAsk {
  const id = () => toHex(fields.bytes('id', ID_BYTES));
  const name = () => fields.text('name', TENANT_BOUNDS.headName, 1);
  const number = (key: string) => fields.count(key, Number.MAX_SAFE_INTEGER);
  switch (op) {
    case 'create':
      return {
        op,
        quota: fields.count('quota', VAULT_WIRE.quota),
        days: fields.count('days', VAULT_WIRE.days),
      };
    case 'renew':
      return {
        op,
        quota: fields.countOrNull('quota', VAULT_WIRE.quota),
        days: fields.count('days', VAULT_WIRE.days),
      };
    case 'get': {
      const at = fields.countOrNull('at', BLOCK_MAX_BYTES);
      const length = fields.countOrNull('length', BLOCK_MAX_BYTES);
      if ((at === null) !== (length === null)) throw malformed("'at' and 'length' come together");
      return { op, id: id(), at, length };
    }
    case 'prove':
      return { op, id: id(), leaf: fields.count('leaf', BLOCK_MAX_BYTES / LEAF_BYTES - 1) };
    case 'list':
      return { op, after: hexOrNull(fields.bytesOrNull('after', ID_BYTES)) };
    case 'head':
      return { op, name: name() };
    case 'set_head':
      return { op, name: name(), number: number('number'), before: number('before') };
    case 'score':
      return { op, blocks: blocksOf(fields) };
    case 'gather':
      return {
        ...{ op, blocks: blocksOf(fields), rows: fields.count('rows', GATHER_BOUNDS.rows) },
        bytes: fields.count('bytes', GATHER_BOUNDS.rowBytes),
        questions: fields.count('questions', GATHER_BOUNDS.questions),
      };
    case 'nearest':
      return {
        ...{ op, blocks: blocksOf(fields), dimension: fields.count('dimension', NEAREST_BOUNDS.dimension) },
        bytes: fields.count('bytes', NEAREST_BOUNDS.rowBytes),
        k: fields.count('k', NEAREST_BOUNDS.k),
      };
    case 'revoke':
      return { op, id: toHex(fields.bytes('id', GRANT_ID_BYTES)) };
    default:
      return { op };
  }
}

const hexOrNull = (bytes: Uint8Array | null): string | null => (bytes === null ? null : toHex(bytes));

function blocksOf(fields: Fields): string[] {
  const ids = fields.bytesUpTo('blocks', VAULT_WIRE.asked * ID_BYTES);
  if (ids.length === 0 || ids.length % ID_BYTES !== 0)
    throw malformed(`${ids.length} bytes are no list of ids`);
  return decodeIds(ids);
}

/** Bytes that come with a question: between the two. */
function payloadOf(ask: VaultAsk): readonly [least: number, most: number] {
  switch (ask.op) {
    case 'put':
      return [0, BLOCK_MAX_BYTES];
    case 'remove':
      return [ID_BYTES, TENANT_BOUNDS.page * ID_BYTES];
    case 'set_head':
      return [0, TENANT_BOUNDS.headBytes];
    case 'score':
      return [SHARE_BYTES, SHARE_BYTES];
    case 'gather': {
      const { rows, bytes, questions, blocks } = ask;
      if (rows === 0 || bytes === 0 || bytes % 16 !== 0 || questions === 0 || rows * bytes > BLOCK_MAX_BYTES)
        throw malformed('rows of that form are in no block');
      if (rows * bytes * blocks.length * questions > VAULT_WIRE.gatheredBytes)
        throw malformed(`${questions} questions over ${blocks.length} blocks are too many at a time`);
      const length = questions * blocks.length * Math.ceil(rows / 8);
      return [length, length];
    }
    case 'nearest': {
      const { dimension, bytes, k } = ask;
      const vector = dimension * 4;
      if (
        dimension === 0 ||
        k === 0 ||
        bytes % 4 !== 0 ||
        bytes < Math.max(vector, NEAREST_BOUNDS.leastRowBytes)
      )
        throw malformed('vectors of that form are in no block');
      if (k * nearBytes({ dimension, rowBytes: bytes }) > VAULT_WIRE.payloadBytes)
        throw malformed(`${k} rows of ${bytes} bytes are too many at a time`);
      return [vector, vector];
    }
    default:
      return [0, 0];
  }
}

function checkPayload(ask: VaultAsk, { length }: Uint8Array): void {
  const [least, most] = payloadOf(ask);
  if (length < least || length > most)
    throw malformed(`${length} bytes came with '${ask.op}', which has ${least} to ${most}`);
  if (ask.op === 'remove' && length % ID_BYTES !== 0) throw malformed(`${length} bytes are no list of ids`);
}

export const encodeIds = (ids: readonly string[]): Uint8Array => Buffer.concat(ids.map((id) => fromHex(id)));

export const decodeIds = (payload: Uint8Array): string[] =>
  Array.from({ length: payload.length / ID_BYTES }, (_, i) =>
    toHex(payload.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)),
  );

export function encodeRows(rows: readonly BlockRow[]): Uint8Array {
  const out = Buffer.alloc(rows.length * (ID_BYTES + 4));
  for (const [i, { id, bytes }] of rows.entries()) {
    out.set(fromHex(id), i * (ID_BYTES + 4));
    out.writeUInt32LE(bytes, i * (ID_BYTES + 4) + ID_BYTES);
  }
  return out;
}

/** @param after the names have to rise from it @throws InputError `vault_malformed` */
export function decodeRows(payload: Uint8Array, after: string | null): BlockRow[] {
  const each = ID_BYTES + 4;
  if (payload.length % each !== 0 || payload.length > TENANT_BOUNDS.page * each)
    throw malformed(`${payload.length} bytes are no list of blocks`);
  const view = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  let last = after ?? '';
  return Array.from({ length: payload.length / each }, (_, i) => {
    const id = toHex(view.subarray(i * each, i * each + ID_BYTES));
    if (id <= last) throw malformed('blocks are listed out of order');
    last = id;
    return { id, bytes: view.readUInt32LE(i * each + ID_BYTES) };
  });
}

export function encodeInfo(info: TenantInfo): CborMap {
  const { label, state, quotaBytes: quota, usedBytes: used, blocks, until, deletedAt: deleted, now } = info;
  return { label: fromHex(label), state, quota, used, blocks, until, deleted, now };
}

/** The last moment that is a date (ECMAScript, 21.4.1.1): others cannot be shown. */
const MOST_MS = 8.64e15;

export function decodeInfo(value: CborValue | undefined): TenantInfo {
  const fields = new Fields(value, 'an info', malformed);
  const count = (key: string) => fields.count(key, Number.MAX_SAFE_INTEGER);
  const moment = (key: string) => fields.count(key, MOST_MS);
  const info: TenantInfo = {
    ...{ label: toHex(fields.bytes('label', LABEL_BYTES)), state: fields.oneOf('state', TENANT_STATES) },
    ...{ quotaBytes: count('quota'), usedBytes: count('used'), blocks: count('blocks') },
    ...{ until: moment('until'), deletedAt: moment('deleted'), now: moment('now') },
  };
  fields.end();
  return info;
}

export const encodeInfos = (infos: readonly TenantInfo[]): CborMap => ({ tenants: infos.map(encodeInfo) });

export function decodeInfos(metadata: CborMap): TenantInfo[] {
  const fields = new Fields(metadata, 'the answer', malformed);
  const infos = fields.list('tenants', VAULT_WIRE.tenants).map(decodeInfo);
  fields.end();
  return infos;
}

/** What an Eve has to lend, to whom asks. */
export interface EveTerms {
  /** Bytes that are lent to nobody yet, and the largest quota that a tenant gets. */
  readonly freeBytes: number;
  readonly largestBytes: number;
  /** Days that a tenant lasts unless renewed, at most. */
  readonly days: number;
  /** Whether the asker would get a tenant. */
  readonly open: boolean;
  /** Ms since 1970 by her clock. */
  readonly now: number;
}

export const encodeTerms = ({
  freeBytes: free,
  largestBytes: largest,
  days,
  open,
  now,
}: EveTerms): CborMap => ({
  ...{ free, largest, days, open, now },
});

export function decodeTerms(metadata: CborMap): EveTerms {
  const fields = new Fields(metadata, 'the terms', malformed);
  const count = (key: string) => fields.count(key, Number.MAX_SAFE_INTEGER);
  const terms: EveTerms = {
    ...{ freeBytes: count('free'), largestBytes: count('largest') },
    ...{ days: fields.count('days', VAULT_WIRE.days), open: fields.flag('open') },
    now: fields.count('now', MOST_MS),
  };
  fields.end();
  return terms;
}

export const encodeProof = ({ length, path }: LeafProof): CborMap => ({ length, path: Buffer.concat(path) });

export function decodeProof(metadata: CborMap, leaf: Uint8Array): LeafProof {
  const fields = new Fields(metadata, 'the proof', malformed);
  const length = fields.count('length', BLOCK_MAX_BYTES);
  const path = fields.bytesUpTo('path', PATH_MAX * ID_BYTES);
  fields.end();
  if (path.length % ID_BYTES !== 0 || leaf.length > LEAF_BYTES)
    throw malformed('the proof has another length');
  return {
    ...{ length, leaf },
    path: Array.from({ length: path.length / ID_BYTES }, (_, i) =>
      path.slice(i * ID_BYTES, (i + 1) * ID_BYTES),
    ),
  };
}

export function decodeHead(metadata: CborMap, payload: Uint8Array): HeadRow | null {
  const fields = new Fields(metadata, 'the head', malformed);
  const number = fields.count('number', Number.MAX_SAFE_INTEGER);
  fields.end();
  if (payload.length > TENANT_BOUNDS.headBytes) throw malformed('the head is too long');
  return number === 0 ? null : { number, bytes: payload };
}
