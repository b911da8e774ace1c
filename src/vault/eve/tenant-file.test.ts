import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, isKithError } from '../../base/index.ts';
import { blockId, isLeafOf } from '../block.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { openTenantFile } from './tenant-file.ts';

const random = createSeededRandom(5);
const MIB = 1 << 20;

describe('a tenant file', () => {
  let folder: string;
  const open = (quota = 64 * MIB) => openTenantFile(join(folder, 'tenant.sqlite'), quota);
  const onDisk = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kith-eve-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps blocks by their names, whole and in stretches, over openings', () => {
    const block = random.bytes(100_000);
    const id = blockId(block);
    {
      using file = open();
      assert.equal(file.put(block), id);
      assert.equal(file.put(block), id, 'twice is harmless');
      assert.equal(file.blocks, 1);
    }
    using file = open();
    assert.deepEqual(Buffer.from(file.get(id, null)), Buffer.from(block));
    assert.deepEqual(
      Buffer.from(file.get(id, { at: 99_990, length: 10 })),
      Buffer.from(block.subarray(99_990)),
    );
    assert.throws(() => file.get(id, { at: 99_990, length: 11 }), { code: 'block_range' });
    assert.throws(() => file.get(id, { at: -1, length: 5 }), { code: 'block_range' });
    assert.throws(() => file.get('00'.repeat(32), null), { code: 'storage_no_block' });
    assert.ok(isLeafOf(id, 24, file.prove(id, 24)));
    assert.equal(file.remove([id, '00'.repeat(32)]), 1);
    assert.equal(file.blocks, 0);
    assert.throws(() => file.get(id, null), { code: 'storage_no_block' });
  });

  test('lists all blocks page by page', () => {
    using file = open();
    const ids = Array.from({ length: TENANT_BOUNDS.page + 5 }, (_, i) => file.put(Buffer.from(`block ${i}`)));
    const seen: string[] = [];
    for (let page = file.list(null); page.length > 0; page = file.list(page.at(-1)!.id))
      seen.push(...page.map(({ id }) => id));
    assert.deepEqual(seen, ids.sort());
  });

  test('changes a head only from the number that the writer knows', () => {
    using file = open();
    const head = (number: number, text = 'h') => ({ number, bytes: Buffer.from(text) });
    assert.equal(file.head('main'), null);
    file.setHead('main', head(1), 0);
    file.setHead('main', head(1), 0);
    assert.throws(() => file.setHead('main', head(1, 'other'), 0), { code: 'storage_head_moved' });
    assert.throws(() => file.setHead('main', head(3), 2), {
      code: 'storage_head_moved',
      details: { number: 1, before: 2 },
    });
    assert.throws(() => file.setHead('main', head(1, 'x'), 1), { code: 'storage_head_moved' });
    file.setHead('main', head(5), 1);
    assert.equal(file.head('main')?.number, 5);
    for (let i = 1; i < TENANT_BOUNDS.heads; i++) file.setHead(`h${i}`, head(1), 0);
    assert.throws(() => file.setHead('one more', head(1), 0), { code: 'storage_heads' });
  });

  test('never takes more of the disk than its quota, in whatever order it is used', () => {
    const quota = TENANT_BOUNDS.minQuotaBytes;
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), kib: fc.integer({ min: 0, max: 4096 }) }),
      fc.record({ do: fc.constant('remove' as const), kib: fc.nat(1 << 16) }),
      fc.record({ do: fc.constant('head' as const), kib: fc.integer({ min: 0, max: 63 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
        rmSync(join(folder), { recursive: true });
        using file = openTenantFile(join(folder, 'tenant.sqlite'), quota);
        const kept: string[] = [];
        let number = 0;
        let most = 0;
        for (const one of steps) {
          try {
            if (one.do === 'put') kept.push(file.put(Buffer.alloc(one.kib << 10, `${kept.length}`)));
            else if (one.do === 'remove') file.remove(kept.splice(one.kib % (kept.length + 1), 3));
            else file.setHead('main', { number: number + 1, bytes: new Uint8Array(one.kib << 10) }, number++);
          } catch (error) {
            assert.ok(isKithError(error) && error.code === 'storage_quota', String(error));
            if (one.do === 'head') number--;
          }
          most = Math.max(most, onDisk());
          assert.ok(file.usedBytes <= quota);
        }
        assert.ok(most <= quota, `${most} of ${quota}`);
        assert.deepEqual(
          [...new Set(kept)].sort(),
          file.list(null).map(({ id }) => id),
        );
      }),
      { numRuns: 6 },
    );
  });

  test('takes what there is room for, and again after something was deleted', () => {
    using file = open(TENANT_BOUNDS.minQuotaBytes);
    const ids: string[] = [];
    const fill = () => {
      for (;;) ids.push(file.put(random.bytes(MIB)));
    };
    assert.throws(fill, { code: 'storage_quota' });
    assert.ok(ids.length >= 12, `${ids.length} MiB of the 16 beside the journal`);
    const before = onDisk();
    file.remove(ids.splice(0, 8));
    assert.ok(onDisk() <= before - 7 * MIB, 'the disk has it back');
    assert.throws(fill, { code: 'storage_quota' });
    assert.ok(ids.length >= 12);
    file.quotaBytes = 2 * TENANT_BOUNDS.minQuotaBytes;
    file.put(random.bytes(4 * MIB));
  });

  test('remembers which grants were revoked', () => {
    {
      using file = open();
      file.revoke('a', 1);
      file.revoke('a', 2);
    }
    using file = open();
    assert.ok(file.isRevoked('a'));
    assert.ok(!file.isRevoked('b'));
  });
});
