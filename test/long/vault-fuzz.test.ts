/** A million messages to an Eve, most of them wrong: each is answered or refused by a typed error, and nobody's tenant changes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type CborMap,
  createSeededRandom,
  decodeCbor,
  encodeCbor,
  isKithError,
  isMap,
  silentLogger,
  systemClock,
} from '../../src/base/index.ts';
import { identityOf } from '../../src/identity/testing/credentials.ts';
import { createEve, signVaultGrant, tenantAt } from '../../src/vault/index.ts';
import { encodeQuestion, type VaultAsk } from '../../src/vault/wire/messages.ts';

const FRAMES = Number(process.env.KITH_FUZZ_FRAMES ?? 1_000_000);

test(`${FRAMES} messages that were made wrong crash no Eve and reach nobody else's tenant`, async () => {
  const seed = Number(process.env.KITH_TEST_SEED ?? Date.now() % 2 ** 31);
  const random = createSeededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'kith-fuzz-'));
  const [ada, ben] = [identityOf('ada'), identityOf('ben')];
  using eve = createEve({
    ...{ folder, capacityBytes: 1e9, largestBytes: 1e8, days: 30, graceDays: 30, reserveBytes: 0 },
    ...{ clock: systemClock, log: silentLogger },
  });
  try {
    const label = 'ab'.repeat(16);
    const tenant = tenantAt('eve', label, async (metadata, payload) => {
      const reply = await eve.answer({ peer: ada.peerId, welcome: true, metadata, payload });
      return { metadata: reply.metadata, payload: reply.payload ?? new Uint8Array(0) };
    });
    await tenant.create(5e7, 30);
    const id = await tenant.put(Buffer.from('sealed bytes'));
    await tenant.setHead('main', { number: 1, bytes: Buffer.from('head') }, 0);
    const before = JSON.stringify([await tenant.list(null), await tenant.head('main')]);
    const now = systemClock.now();
    const grant = signVaultGrant(
      ada,
      { holder: ben.did, label, rights: ['read'], from: now - 1000, until: now + 86_400_000 },
      random,
    ).bytes;
    const asks: VaultAsk[] = [
      { op: 'terms' },
      { op: 'tenants', after: null },
      { label, op: 'create', quota: 5e7, days: 3 },
      { label, op: 'renew', quota: null, days: 3 },
      { label, op: 'info' },
      { label, op: 'destroy' },
      { label, op: 'put' },
      { label, op: 'get', id, at: null, length: null },
      { label, op: 'get', id, at: 1, length: 3 },
      { label, op: 'prove', id, leaf: 0 },
      { label, op: 'list', after: null },
      { label, op: 'remove' },
      { label, op: 'head', name: 'main' },
      { label, op: 'set_head', name: 'main', number: 2, before: 1 },
      { label, op: 'revoke', id: '00'.repeat(16) },
      { label, op: 'score', blocks: [id] },
      { label, op: 'gather', blocks: [id], rows: 8, bytes: 16, questions: 1 },
      { label, op: 'nearest', blocks: [id], dimension: 8, bytes: 64, k: 2 },
      { label, op: 'nearest', blocks: [id], dimension: 16, bytes: 256, k: 256 },
    ];
    const frames = asks.flatMap((ask) =>
      [null, grant].map((shown) => encodeCbor(encodeQuestion({ ask, grant: shown }))),
    );
    const payloads = [0, 1, 12, 32, 64, 288].map((length) => random.bytes(length));
    const codes = new Map<string, number>();
    let answered = 0;
    for (let i = 0; i < FRAMES; i++) {
      const bytes = Uint8Array.from(frames[random.uint32() % frames.length]!);
      const changes = random.uint32() % 4;
      for (let c = 0; c < changes; c++) bytes[random.uint32() % bytes.length] = random.uint32();
      const cut = random.uint32() % 20 === 0 ? bytes.subarray(0, random.uint32() % bytes.length) : bytes;
      try {
        const metadata = decodeCbor(cut);
        if (!isMap(metadata)) continue;
        await eve.answer({
          ...{ peer: ben.peerId, welcome: i % 2 === 0, metadata: metadata as CborMap },
          payload: payloads[random.uint32() % payloads.length]!,
        });
        answered += 1;
      } catch (error) {
        assert.ok(isKithError(error), `seed ${seed}, message ${i}: ${String(error)}`);
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      }
    }
    assert.equal(JSON.stringify([await tenant.list(null), await tenant.head('main')]), before);
    console.log(`answered ${answered}`, Object.fromEntries([...codes].sort((a, b) => b[1] - a[1])));
    assert.ok(answered > 0 && codes.size > 3);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
