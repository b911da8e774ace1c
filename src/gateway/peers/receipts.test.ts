import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger } from '../../base/index.ts';
import { createIdentity } from '../../identity/index.ts';
import { signReceipt } from './receipt.ts';
import { openReceipts } from './receipts.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-receipts-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const random = createSeededRandom(5);
const signer = createIdentity(random.bytes(32));
const receiptFor = (client: string, model = 'm') =>
  signReceipt(
    {
      ...{ server: signer.peerId, client, request: random.bytes(16), hash: random.bytes(32), model },
      ...{ task: 'chat', promptTokens: 3, completionTokens: 4, outcome: 'answered', at: 1000 },
    },
    signer,
  );
const open = (name: string, limits = {}, clock = createManualClock()) =>
  openReceipts({ path: join(folder, name), clock, log: silentLogger, limits });

test('receipts are there after the store was opened anew, newest first, by way and by peer', () => {
  {
    using store = open('kept.sqlite');
    store.add('given', receiptFor('anna', 'one'));
    store.add('given', receiptFor('ben', 'two'));
    store.add('got', receiptFor('me', 'three'));
  }
  using store = open('kept.sqlite');
  const { receipts, total } = store.list({ limit: 2 });
  assert.equal(total, 3);
  assert.deepEqual(
    receipts.map(({ way, peer, facts }) => [way, peer, facts.model]),
    [
      ['got', signer.peerId, 'three'],
      ['given', 'ben', 'two'],
    ],
  );
  assert.equal(store.list({ way: 'given', limit: 9 }).total, 2);
  assert.equal(store.list({ peer: 'ben', limit: 9 }).receipts[0]!.facts.model, 'two');
  assert.equal(store.of('anna').length, 1);
  assert.deepEqual(store.of(signer.peerId), [], 'what a peer gave is none of what was done for it');
});

test('one peer has its share, all have their bound, and what is too old goes', () => {
  const clock = createManualClock();
  using store = open('bounded.sqlite', { receipts: 10, perPeer: 4, ageMs: 1000 }, clock);
  for (let i = 0; i < 100; i++) store.add('given', receiptFor('loud'));
  assert.equal(store.list({ limit: 100 }).total, 4);
  for (let i = 0; i < 96; i++) store.add('given', receiptFor(`quiet-${i % 30}`));
  assert.ok(store.list({ limit: 100 }).total <= 10 + 32);
  clock.advance(2000);
  for (let i = 0; i < 33; i++) store.add('given', receiptFor('later'));
  assert.deepEqual([...new Set(store.list({ limit: 100 }).receipts.map(({ peer }) => peer))], ['later']);
});

test('what was kept survives a kill of the process', () => {
  const path = join(folder, 'killed.sqlite');
  const { receipt, signature } = receiptFor('anna');
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const program = `
    import { openReceipts } from ${JSON.stringify(import.meta.resolve('./receipts.ts'))};
    const store = openReceipts({ path: ${JSON.stringify(path)}, clock: Date, log: { warn() { process.exit(3); } } });
    store.add('given', { receipt: Buffer.from('${hex(receipt)}', 'hex'), signature: Buffer.from('${hex(signature)}', 'hex') });
    process.kill(process.pid, 'SIGKILL');`;
  assert.throws(
    () => execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' }),
    (error: { signal?: string }) => error.signal === 'SIGKILL',
  );
  using store = open('killed.sqlite');
  assert.deepEqual(hex(store.of('anna')[0]!.receipt), hex(receipt));
});
