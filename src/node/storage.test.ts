import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { resolveConfig, silentLogger } from '../base/index.ts';
import { identityOf } from '../identity/testing/credentials.ts';
import type { SpaceTerms } from '../swarm/index.ts';
import { TENANT_BOUNDS } from '../vault/index.ts';
import { createNodeStorage, type NodeStorage } from './storage.ts';
import { forgetLentPlace } from './storage-place.ts';

const ada = identityOf('ada').peerId;
const ben = identityOf('ben').peerId;
let home: string;
let folder: string;
const start = (flags: Readonly<Record<string, unknown>> = {}): NodeStorage =>
  createNodeStorage({
    config: resolveConfig({
      home,
      env: {},
      flags: {
        ...{ 'swarm.enabled': true, 'storage.enabled': true, 'storage.folder': folder },
        ...{ 'storage.capacityBytes': 2e8, 'storage.tenantBytes': 1e8, 'swarm.friends': ada, ...flags },
      },
    }).config,
    peers: { standing: () => ({ tier: 'unknown', pledge: false, region: null }) },
    log: silentLogger,
  });
const label = Uint8Array.from({ length: 16 }, (_, at) => at);
const call = (storage: NodeStorage, peer: string, metadata: object, payload = new Uint8Array(0)) =>
  storage.answerPeer!({ peer, metadata, payload } as Parameters<NonNullable<NodeStorage['answerPeer']>>[0]);
const make = (storage: NodeStorage, peer = ada) =>
  call(storage, peer, { op: 'create', label, quota: TENANT_BOUNDS.minQuotaBytes, days: 5 });

/** Once it is known: a slow start is announced later. */
async function lent(storage: NodeStorage): Promise<SpaceTerms> {
  for (;;) {
    const terms = await storage.space();
    if (terms !== null) return terms;
  }
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kith-home-'));
  folder = join(home, 'mounted', 'space');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a disk that is not mounted is not taken for an empty one, unless its owner says that it is gone', async () => {
  {
    await using storage = start();
    assert.deepEqual(await lent(storage), {
      ...{ modes: ['sealed', 'split'], freeBytes: 2e8, largestBytes: 1e8, days: 90, to: 'friends' },
    });
    await make(storage);
  }
  renameSync(join(home, 'mounted'), join(home, 'away'));
  {
    await using storage = start();
    assert.equal(await storage.space(), null);
    await assert.rejects(make(storage), (error: { code: string; message: string }) => {
      assert.ok(!error.message.includes(home));
      return error.code === 'storage_away';
    });
    await assert.rejects(storage.desk.view(), {
      code: 'storage_folder',
      message: /kith storage init --anew/,
    });
    assert.ok(!existsSync(join(home, 'mounted')));
    // It comes back while the node runs.
    renameSync(join(home, 'away'), join(home, 'mounted'));
    assert.equal((await storage.desk.view()).tenants.length, 1);
    await lent(storage);
  }
  rmSync(join(home, 'mounted'), { recursive: true });
  await forgetLentPlace(home);
  await using storage = start();
  assert.equal((await lent(storage)).freeBytes, 2e8);
});

test('what was promised holds when less is lent: nobody new gets any, and who has a tenant keeps and renews it', async () => {
  const renew = { op: 'renew', label, quota: null, days: 5 };
  const put = (storage: NodeStorage) => call(storage, ada, { op: 'put', label }, Buffer.from('noise'));
  {
    await using storage = start();
    await make(storage);
    await put(storage);
  }
  const less = { 'storage.capacityBytes': 33_554_432, 'storage.tenantBytes': 33_554_432 };
  {
    await using storage = start({ ...less, 'swarm.friends': `${ada},${ben}` });
    assert.equal((await lent(storage)).freeBytes, 0);
    await call(storage, ada, renew);
    await put(storage);
    await assert.rejects(make(storage, ben), { code: 'storage_full' });
  }
  {
    // No friend any more: what is there can be read, written and deleted until its time is over, and not renewed.
    await using storage = start({ 'swarm.friends': '' });
    await put(storage);
    await assert.rejects(call(storage, ada, renew), { code: 'storage_denied' });
    await call(storage, ada, { op: 'destroy', label });
  }
  await using storage = start({ 'storage.tenants': 1 });
  await make(storage);
  await assert.rejects(
    call(storage, ada, { op: 'create', label: label.toReversed(), quota: 33_554_432, days: 5 }),
    { code: 'limit_reached' },
  );
});
