import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf } from '../collection/put.ts';
import { type BlockRow, TENANT_BOUNDS } from '../types.ts';
import { encodeInfos, VAULT_WIRE } from './messages.ts';
import { tenantsAt } from './tenant.ts';

const idAt = (n: number): string => n.toString(16).padStart(64, '0');

/** How many pages are read of an Eve whose list goes on for ever. */
async function pagesOf(size: number): Promise<{ pages: number; code: string | null }> {
  let pages = 0;
  const page: BlockRow[] = Array.from({ length: size }, () => ({ id: idAt(0), bytes: 1 }));
  const list = async () => {
    pages += 1;
    page[size - 1] = { id: idAt(pages * size), bytes: 1 };
    return page;
  };
  try {
    for await (const rows of blocksOf({ list }, undefined)) assert.equal(rows.length, size);
    return { pages, code: null };
  } catch (error) {
    return { pages, code: (error as { code: string }).code };
  }
}

test('an Eve whose list of blocks has no end is left, and one that gives row by row is not asked on', async () => {
  assert.deepEqual(await pagesOf(1), { pages: 1, code: null });
  const { pages, code } = await pagesOf(TENANT_BOUNDS.page);
  assert.equal(code, 'vault_malformed');
  assert.ok(pages < 2200, `${pages}`);
});

test('an Eve whose list of tenants has no end is left', async () => {
  let pages = 0;
  const asked = tenantsAt(async () => {
    const infos = Array.from({ length: VAULT_WIRE.tenants }, (_, i) => ({
      label: (pages * VAULT_WIRE.tenants + i).toString(16).padStart(32, '0'),
      ...({ state: 'open', quotaBytes: 1, usedBytes: 1, blocks: 0, until: 1, deletedAt: 1, now: 1 } as const),
    }));
    pages += 1;
    if (pages > 1000) throw new Error('It is asked on and on.');
    return { metadata: encodeInfos(infos), payload: new Uint8Array(0) };
  });
  await assert.rejects(asked, { code: 'vault_malformed' });
  assert.ok(pages <= 11, `${pages}`);
});
