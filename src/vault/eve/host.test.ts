import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { tenantAt } from '../wire/tenant.ts';
import { createEveHost } from './host.ts';

test('Eve works in a thread of her own, tells what is wrong as it is, and has what was acknowledged when she is back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-eve-'));
  const ada = identityOf('ada');
  const options = {
    ...{ folder, capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7, reserveBytes: 0 },
    log: silentLogger,
  };
  try {
    let id: string;
    const label = 'ab'.repeat(16);
    const tenantOf = (host: ReturnType<typeof createEveHost>) =>
      tenantAt('eve', label, async (metadata, payload) => {
        const reply = await host.answer({ peer: ada.peerId, welcome: true, metadata, payload });
        return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
      });
    {
      await using host = createEveHost(options);
      const tenant = tenantOf(host);
      await assert.rejects(tenant.info(), { code: 'storage_no_tenant', status: 404 });
      await tenant.create(TENANT_BOUNDS.minQuotaBytes, 3);
      id = await tenant.put(Buffer.from('noise'));
      const many = await Promise.allSettled(
        Array.from({ length: 200 }, (_, i) => tenant.put(Buffer.alloc(1 << 20, `${i}`))),
      );
      const codes = new Set(
        many.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : [])),
      );
      assert.ok(codes.has('storage_busy'));
      assert.ok(
        [...codes].every((code) => ['storage_busy', 'storage_quota'].includes(code)),
        [...codes].join(),
      );
      assert.deepEqual(await host.totals(), {
        ...{ promisedBytes: TENANT_BOUNDS.minQuotaBytes, tenants: 1, capacityBytes: 1e9 },
      });
      assert.ok(host.counters.answered > 2 && host.counters.refused > 0);
    }
    await using again = createEveHost(options);
    assert.equal(Buffer.from(await tenantOf(again).get(id, null)).toString(), 'noise');
    const [lent] = await again.tenants();
    assert.equal(lent!.owner, ada.peerId);
    await again.backup(ada.peerId, label, join(folder, 'copy'));
    await tenantOf(again).remove([id]);
    await again.bringBack(ada.peerId, label, join(folder, 'copy'));
    assert.equal((await tenantOf(again).get(id, null)).length, 5);
    await again.destroy(ada.peerId, label);
    assert.deepEqual(await again.tenants(), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
