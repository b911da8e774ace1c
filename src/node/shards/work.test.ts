import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Config, createManualClock, createSeededRandom, silentLogger } from '../../base/index.ts';
import { createIdentity } from '../../identity/index.ts';
import { openWorkBook, type WorkBook } from '../../shards/index.ts';
import { openTrust } from '../../trust/index.ts';
import { openNodeWork, workDesk } from './work.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-node-work-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const random = createSeededRandom(9);
const [mine, theirs, other] = [1, 2, 3].map(() => createIdentity(random.bytes(32))) as [
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
];
const clock = createManualClock();
const log = silentLogger;
const session = { model: 'ee'.repeat(32), from: 0, to: 4, session: new Uint8Array(16).fill(7) };
const step = {
  n: 1,
  replay: false,
  parts: [{ start: 0, count: 1, after: -1, cells: Int32Array.of(0), outputs: 'last' as const }],
};

/** What a shard of that key says of one step, in a run of its own. */
function accountOf(book: WorkBook, payload: Uint8Array) {
  const served = book.served({ peer: mine.peerId, ...session });
  served.took(step, payload);
  served.did(step);
  return served.answer({ k: 'settle' })[0]!;
}
const runOf = (identity = theirs) => openWorkBook({ path: ':memory:', identity, clock, random, log });

test('a shard that tells two stories is struck once, and one that signs for others is noted', () => {
  const home = join(folder, 'struck');
  const trust = openTrust({ home, clock, self: mine.peerId });
  using work = openNodeWork({ config: { home } as Config, identity: mine, trust, clock, random, log });
  const used = work.used({ peer: theirs.peerId, ...session })!;
  const payload = new Uint8Array(8);
  used.sent(step, payload);
  using one = runOf();
  using another = runOf();
  assert.equal(used.answer(accountOf(one, payload))?.k, 'signed');
  assert.equal(trust.score(theirs.peerId).quarantineUntil, null);
  const lie = accountOf(another, new Uint8Array(9));
  for (let k = 0; k < 2; k++) assert.equal(used.answer(lie)?.k, 'disputed');
  assert.notEqual(trust.score(theirs.peerId).quarantineUntil, null);
  const strikes = trust.score(theirs.peerId).terms.find(({ name }) => name === 'strikes');
  assert.match(strikes!.detail, /^contradicting_receipts 0 d ago; in quarantine for 30 more days$/);

  using stranger = runOf(other);
  const forged = work.used({ peer: other.peerId, ...session, from: 1 })!;
  assert.equal(trust.count(other.peerId, 'conduct'), 0);
  assert.equal(forged.answer(accountOf(stranger, payload)), null);
  assert.equal(trust.count(other.peerId, 'conduct'), 1);
  assert.equal(trust.score(other.peerId).quarantineUntil, null);
  trust.close();
});

test('the owner sees receipts with the ids of his models, and those of a run whose disk takes nothing', async () => {
  const home = join(folder, 'file');
  writeFileSync(home, 'a file where the home should be');
  const trust = openTrust({ home: join(folder, 'trust'), clock, self: mine.peerId });
  using work = openNodeWork({ config: { home } as Config, identity: mine, trust, clock, random, log });
  const used = work.used({ peer: theirs.peerId, ...session })!;
  const payload = new Uint8Array(8);
  used.sent(step, payload);
  using shard = runOf();
  assert.equal(used.answer(accountOf(shard, payload))?.k, 'signed');
  const models = { list: async () => [{ manifest: { id: 'tale', sha256: session.model } }] as never };
  const { receipts, totals, total } = await workDesk(work.store, models).receipts({ limit: 5 });
  assert.deepEqual(
    [total, receipts[0]!.modelId, receipts[0]!.blocks, receipts[0]!.decode],
    [1, 'tale', [0, 4], 1],
  );
  assert.deepEqual([totals[0]!.modelId, totals[0]!.rowBlocks], ['tale', 4]);
  trust.close();
});
