/**
 * A tenant as Bob sees it: asks an Eve by way of whatever carries calls, and believes nothing that can be checked.
 *
 * @module vault/wire/tenant
 */
import { type CborMap, Fields, toHex } from '../../base/index.ts';
import { BLOCK_MAX_BYTES, blockId, ID_BYTES, isLeafOf } from '../block.ts';
import { readNearest } from '../perturbed/nearest.ts';
import { damaged } from '../seal/record.ts';
import { REPLY_BYTES } from '../split/bob.ts';
import type { EveTenant, TenantInfo } from '../types.ts';
import {
  decodeHead,
  decodeInfo,
  decodeInfos,
  decodeProof,
  decodeRows,
  decodeTerms,
  type EveTerms,
  encodeIds,
  encodeQuestion,
  malformed,
  type TenantAsk,
  VAULT_WIRE,
  type VaultAsk,
} from './messages.ts';

/** Carries one question to one Eve and brings her answer. */
export type AskEve = (
  metadata: CborMap,
  payload: Uint8Array,
  signal: AbortSignal | undefined,
) => Promise<{ readonly metadata: CborMap; readonly payload: Uint8Array }>;

const NOTHING = new Uint8Array(0);

/** What an Eve lends, to whom asks. */
export async function termsOf(ask: AskEve, signal?: AbortSignal): Promise<EveTerms> {
  const { metadata } = await ask(encodeQuestion({ ask: { op: 'terms' }, grant: null }), NOTHING, signal);
  return decodeTerms(metadata);
}

/** An Eve lends an owner 1000 at most (`storage.tenants`). */
const MOST_TENANTS = 1000;

/** All own tenants at an Eve. @throws InputError `vault_malformed` */
export async function tenantsAt(ask: AskEve, signal?: AbortSignal): Promise<TenantInfo[]> {
  const all: TenantInfo[] = [];
  for (;;) {
    const question: VaultAsk = { op: 'tenants', after: all.at(-1)?.label ?? null };
    const { metadata } = await ask(encodeQuestion({ ask: question, grant: null }), NOTHING, signal);
    const page = decodeInfos(metadata);
    const last = all.at(-1)?.label ?? '';
    if (page.some(({ label }, i) => label <= (page[i - 1]?.label ?? last)))
      throw malformed('tenants are listed out of order');
    all.push(...page);
    if (all.length > MOST_TENANTS) throw malformed(`more than ${MOST_TENANTS} tenants are listed`);
    if (page.length < VAULT_WIRE.tenants) return all;
  }
}

/** What its owner may do with a tenant beside using it. */
export interface OwnTenant extends EveTenant {
  create(quotaBytes: number, days: number, signal?: AbortSignal): Promise<TenantInfo>;
  /** @param quotaBytes null: as it is */
  renew(quotaBytes: number | null, days: number, signal?: AbortSignal): Promise<TenantInfo>;
  destroy(signal?: AbortSignal): Promise<void>;
  /** @param grant its id @throws what Eve answers; a grant is over once this resolves */
  revoke(grant: string, signal?: AbortSignal): Promise<void>;
}

/** @param label 32 hex digits @param grant shown with each question, by who is not the owner */
export function tenantAt(
  peer: string,
  label: string,
  ask: AskEve,
  grant: Uint8Array | null = null,
): OwnTenant {
  const asking = (question: TenantAsk, signal: AbortSignal | undefined, payload: Uint8Array = NOTHING) =>
    ask(encodeQuestion({ ask: { label, ...question }, grant }), payload, signal);

  const infoFrom = async (answer: ReturnType<AskEve>): Promise<TenantInfo> => {
    const info = decodeInfo((await answer).metadata);
    if (info.label !== label) throw malformed('the info is of another tenant');
    return info;
  };

  return {
    peer,
    info: (signal) => infoFrom(asking({ op: 'info' }, signal)),
    create: (quota, days, signal) => infoFrom(asking({ op: 'create', quota, days }, signal)),
    renew: (quota, days, signal) => infoFrom(asking({ op: 'renew', quota, days }, signal)),
    async destroy(signal) {
      await asking({ op: 'destroy' }, signal);
    },
    async revoke(id, signal) {
      await asking({ op: 'revoke', id }, signal);
    },
    async put(block, signal) {
      const id = blockId(block);
      const { metadata } = await asking({ op: 'put' }, signal, block);
      const fields = new Fields(metadata, 'the answer', malformed);
      const kept = toHex(fields.bytes('id', ID_BYTES));
      fields.end();
      if (kept !== id) throw malformed(`block ${id} was kept as ${kept}`);
      return id;
    },
    async get(id, stretch, signal) {
      const { at, length } = stretch ?? { at: null, length: null };
      const { payload } = await asking({ op: 'get', id, at, length }, signal);
      if (stretch === null ? blockId(payload) !== id : payload.length !== length)
        throw damaged(`block ${id}`);
      return payload;
    },
    async prove(id, leaf, signal) {
      const { metadata, payload } = await asking({ op: 'prove', id, leaf }, signal);
      const proof = decodeProof(metadata, payload);
      if (!isLeafOf(id, leaf, proof)) throw damaged(`leaf ${leaf} of block ${id}`);
      return proof;
    },
    async list(after, signal) {
      const { payload } = await asking({ op: 'list', after }, signal);
      return decodeRows(payload, after);
    },
    async remove(ids, signal) {
      if (ids.length === 0) return 0;
      const { metadata } = await asking({ op: 'remove' }, signal, encodeIds(ids));
      const fields = new Fields(metadata, 'the answer', malformed);
      const gone = fields.count('gone', ids.length);
      fields.end();
      return gone;
    },
    async head(name, signal) {
      const { metadata, payload } = await asking({ op: 'head', name }, signal);
      return decodeHead(metadata, payload);
    },
    async setHead(name, { number, bytes }, before, signal) {
      await asking({ op: 'set_head', name, number, before }, signal, bytes);
    },
    async score(blocks, share, signal) {
      const { payload } = await asking({ op: 'score', blocks }, signal, share);
      if (payload.length !== blocks.length * REPLY_BYTES)
        throw malformed(`${payload.length} bytes came for the scores of ${blocks.length} blocks`);
      return payload;
    },
    async gather(blocks, form, bits, signal) {
      const { payload } = await asking({ op: 'gather', blocks, ...form }, signal, bits);
      if (payload.length !== form.questions * form.bytes)
        throw malformed(`${payload.length} bytes came for ${form.questions} rows of ${form.bytes}`);
      return payload;
    },
    async nearest(blocks, form, query, signal) {
      const { dimension, rowBytes: bytes, k } = form;
      const vector = new Uint8Array(query.buffer, query.byteOffset, query.byteLength);
      const { payload } = await asking({ op: 'nearest', blocks, dimension, bytes, k }, signal, vector);
      const rows = readNearest(payload, blocks.length, form, BLOCK_MAX_BYTES);
      if (rows === null)
        throw malformed(`${payload.length} bytes came that are no ${k} rows by their distance`);
      return rows;
    },
  };
}
