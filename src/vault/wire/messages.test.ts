import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type CborMap, decodeCbor, encodeCbor, isKithError } from '../../base/index.ts';
import { BLOCK_MAX_BYTES, blockId, isLeafOf, proveLeaf } from '../block.ts';
import type { TenantInfo } from '../types.ts';
import {
  decodeHead,
  decodeIds,
  decodeInfo,
  decodeInfos,
  decodeProof,
  decodeQuestion,
  decodeRows,
  decodeTerms,
  encodeIds,
  encodeInfo,
  encodeInfos,
  encodeProof,
  encodeQuestion,
  encodeRows,
  encodeTerms,
  type VaultQuestion,
} from './messages.ts';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((one) => Buffer.from(one).toString('hex'));
const label = hex(16);
const id = hex(32);
const count = fc.nat(1 << 30);
const over = (map: CborMap) => decodeCbor(encodeCbor(map)) as CborMap;

const asks = fc.oneof(
  fc.record({ op: fc.constant('terms' as const) }),
  fc.record({ op: fc.constant('tenants' as const), after: fc.option(label) }),
  fc.record({ op: fc.constant('create' as const), label, quota: count, days: fc.nat(3660) }),
  fc.record({ op: fc.constant('renew' as const), label, quota: fc.option(count), days: fc.nat(3660) }),
  fc.record({ op: fc.constantFrom('info' as const, 'destroy' as const, 'put' as const), label }),
  fc.record({ op: fc.constant('get' as const), label, id, at: fc.constant(5), length: fc.nat(1 << 22) }),
  fc.record({ op: fc.constant('get' as const), label, id, at: fc.constant(null), length: fc.constant(null) }),
  fc.record({ op: fc.constant('prove' as const), label, id, leaf: fc.nat(1023) }),
  fc.record({ op: fc.constant('list' as const), label, after: fc.option(id) }),
  fc.record({ op: fc.constant('head' as const), label, name: fc.constant('main') }),
  fc.record({
    op: fc.constant('set_head' as const),
    label,
    name: fc.constant('main'),
    number: count,
    before: count,
  }),
  fc.record({ op: fc.constant('revoke' as const), label, id: hex(16) }),
  fc.record({
    op: fc.constant('score' as const),
    label,
    blocks: fc.array(id, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    ...{ op: fc.constant('gather' as const), label, blocks: fc.array(id, { minLength: 1, maxLength: 5 }) },
    ...{ rows: fc.constant(100), bytes: fc.constant(32), questions: fc.constant(3) },
  }),
  fc.record({
    ...{ op: fc.constant('nearest' as const), label, blocks: fc.array(id, { minLength: 1, maxLength: 5 }) },
    ...{
      dimension: fc.integer({ min: 1, max: 30 }),
      bytes: fc.constant(120),
      k: fc.integer({ min: 1, max: 256 }),
    },
  }),
);

test('questions arrive as they were asked', () => {
  fc.assert(
    fc.property(asks, fc.option(fc.uint8Array({ maxLength: 300 })), (ask, grant) => {
      const question = {
        ask: { ...ask },
        grant: grant === null ? null : Uint8Array.from(grant),
      } as VaultQuestion;
      const bytes =
        ask.op === 'score'
          ? 288
          : ask.op === 'gather'
            ? 3 * ask.blocks.length * 13
            : ask.op === 'nearest'
              ? ask.dimension * 4
              : 0;
      assert.deepEqual(decodeQuestion(over(encodeQuestion(question)), new Uint8Array(bytes)), question);
    }),
  );
});

test('answers arrive as they were given', () => {
  const info: TenantInfo = {
    ...{ label: '00'.repeat(16), state: 'grace', quotaBytes: 5, usedBytes: 4, blocks: 3 },
    ...{ until: 2, deletedAt: 9, now: 1 },
  };
  assert.deepEqual(decodeInfo(over(encodeInfo(info))), info);
  assert.deepEqual(decodeInfos(over(encodeInfos([info, info]))), [info, info]);
  const terms = { freeBytes: 1, largestBytes: 2, days: 30, open: true, now: 4 };
  assert.deepEqual(decodeTerms(over(encodeTerms(terms))), terms);
  const rows = ['11', '22', 'ff'].map((two, bytes) => ({ id: two.repeat(32), bytes }));
  assert.deepEqual(decodeRows(encodeRows(rows), null), rows);
  assert.throws(() => decodeRows(encodeRows(rows), '11'.repeat(32)), { code: 'vault_malformed' });
  assert.throws(() => decodeRows(encodeRows([rows[1]!, rows[1]!]), null), { code: 'vault_malformed' });
  const ids = rows.map((row) => row.id);
  assert.deepEqual(decodeIds(encodeIds(ids)), ids);
  const block = Buffer.alloc(20_000, 'x');
  const proof = proveLeaf(block, 3);
  assert.ok(isLeafOf(blockId(block), 3, decodeProof(over(encodeProof(proof)), proof.leaf)));
  assert.equal(decodeHead({ number: 0 }, new Uint8Array(0)), null);
});

test('payloads that an operation does not have are refused', () => {
  const ask = (op: string, bytes: number) => () =>
    decodeQuestion({ op, label: new Uint8Array(16) }, new Uint8Array(bytes));
  assert.throws(ask('info', 1), { code: 'vault_malformed' });
  assert.throws(ask('put', BLOCK_MAX_BYTES + 1), { code: 'vault_malformed' });
  assert.throws(ask('remove', 33), { code: 'vault_malformed' });
  assert.throws(ask('remove', 0), { code: 'vault_malformed' });
  ask('remove', 64)();
});

const values = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.string({ maxLength: 8 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.array(fc.nat(), { maxLength: 2 }),
);

test('whatever comes in their place is a typed fault', () => {
  const keys = [
    'op',
    'label',
    'id',
    'after',
    'at',
    'length',
    'leaf',
    'name',
    'number',
    'before',
    'grant',
    'quota',
    'blocks',
    'dimension',
    'bytes',
    'k',
  ];
  const ops = fc.constantFrom(
    'terms',
    'tenants',
    'create',
    'get',
    'prove',
    'list',
    'remove',
    'head',
    'revoke',
    'gather',
    'nearest',
    'x',
  );
  fc.assert(
    fc.property(ops, fc.dictionary(fc.constantFrom(...keys), values), fc.nat(70), (op, fields, bytes) => {
      const map = { op, ...fields } as unknown as CborMap;
      for (const decode of [
        () => decodeQuestion(map, new Uint8Array(bytes)),
        () => decodeInfo(map),
        () => decodeInfos(map),
        () => decodeTerms(map),
        () => decodeProof(map, new Uint8Array(bytes)),
        () => decodeHead(map, new Uint8Array(bytes)),
      ])
        try {
          decode();
        } catch (error) {
          assert.ok(isKithError(error) && error.code === 'vault_malformed', String(error));
        }
    }),
    { numRuns: 2000 },
  );
});

test('a time that is no date is not taken from an Eve', () => {
  const info: TenantInfo = {
    ...{ label: 'ab'.repeat(16), state: 'open', quotaBytes: 1, usedBytes: 1, blocks: 0 },
    ...{ until: 8.64e15, deletedAt: 8.64e15, now: 8.64e15 },
  };
  assert.deepEqual(decodeInfo(encodeInfo(info)), info);
  for (const key of ['until', 'deletedAt', 'now'])
    assert.throws(() => decodeInfo(encodeInfo({ ...info, [key]: 8.64e15 + 1 })), { code: 'vault_malformed' });
  const terms = { freeBytes: 1, largestBytes: 1, days: 1, open: true, now: Number.MAX_SAFE_INTEGER };
  assert.throws(() => decodeTerms(encodeTerms(terms)), { code: 'vault_malformed' });
});
