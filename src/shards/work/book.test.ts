import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  createManualClock,
  createSeededRandom,
  type ManualClock,
  silentLogger,
  toHex,
} from '../../base/index.ts';
import type { CarriedPart } from '../../engine/index.ts';
import { createIdentity } from '../../identity/index.ts';
import type { Accounting } from '../wire/account.ts';
import { openWorkBook, type WorkBook, type WorkBookOptions } from './book.ts';
import { encodeWork, readWork, signWork, type WorkFacts } from './receipt.ts';
import type { ServedStep, ServedWork } from './served.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-work-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const random = createSeededRandom(3);
const shard = createIdentity(random.bytes(32));
const owner = createIdentity(random.bytes(32));
const MODEL = 'cd'.repeat(32);

let files = 0;
const fileName = () => join(folder, `${++files}.sqlite`);
const bookOf = (identity: typeof shard, clock: ManualClock, more: Partial<WorkBookOptions> = {}): WorkBook =>
  openWorkBook({ path: ':memory:', identity, clock, random, log: silentLogger, ...more });

const part = (count: number, outputs: CarriedPart['outputs']): CarriedPart => ({
  ...{ start: 0, count, after: -1, outputs },
  cells: Int32Array.from({ length: count }, (_, i) => i),
});
const prompt = (n: number, rows: number): ServedStep => ({ n, replay: false, parts: [part(rows, 'none')] });
const token = (n: number): ServedStep => ({ n, replay: false, parts: [part(1, 'last')] });

/** An account of what has none yet, as the owner asks for it before he leaves. */
function accountOf(served: ServedWork): Accounting | null {
  const said = served.answer({ k: 'settle' });
  assert.equal(said.at(-1)?.k, 'settled');
  return said.find(({ k }) => k === 'account') ?? null;
}
const dueIn = ({ served }: { readonly served: ServedWork }) => served.due()[0] ?? null;

/** Both ends of one session, without a wire between them. */
function sessionBetween(given: WorkBook, taken: WorkBook, number = random.bytes(16)) {
  const session = { model: MODEL, from: 2, to: 5, session: number };
  const served = given.served({ peer: owner.peerId, ...session });
  const used = taken.used({ peer: shard.peerId, ...session })!;
  const payloads = createSeededRandom(number[0]! + 1);
  return {
    served,
    used,
    /** The only shard of a path: rows come from the owner and go back to him. */
    step(step: ServedStep, changed: Partial<Record<'came' | 'went', Uint8Array>> = {}): void {
      const [came, went] = [payloads.bytes(40), payloads.bytes(24)];
      used.sent(step, came);
      served.took(step, changed.came ?? came);
      if (!step.replay) {
        served.sends(step.n, went);
        used.got(step.n, changed.went ?? went);
      }
      served.did(step);
    },
    /** Has the shard account, and hands the answer back. */
    settle(account: Accounting | null = accountOf(served)): Accounting | null {
      const answer = account === null ? null : used.answer(account);
      if (answer !== null) served.answer(answer);
      return answer;
    },
  };
}

const statesOf = (book: WorkBook) => book.store.list({ limit: 100 }).receipts.map(({ state }) => state);

test('both sides keep what was computed, signed by both, and their sums are what was computed', () => {
  const clock = createManualClock();
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock);
  const session = sessionBetween(given, taken);
  session.step(prompt(1, 30));
  for (let n = 2; n <= 6; n++) session.step(token(n));
  assert.equal(session.settle()?.k, 'signed');
  session.step({ n: 7, replay: false, parts: [part(4, 'each'), part(9, 'all')] });
  session.step({ n: 8, replay: true, parts: [part(11, 'none')] });
  assert.equal(session.settle()?.k, 'signed');
  assert.equal(accountOf(session.served), null, 'nothing is left to account for');

  for (const [book, side, peer] of [
    [given, 'given', owner.peerId],
    [taken, 'taken', shard.peerId],
  ] as const) {
    assert.deepEqual(book.store.totals.list({}), [
      {
        ...{ side, peer, model: MODEL, agreed: true, receipts: 2, prompt: 39, decode: 9, replayed: 11 },
        ...{ rowBlocks: (39 + 9 + 11) * 3, steps: 8, ms: 0 },
      },
    ]);
    const { receipts, total } = book.store.list({ limit: 10 });
    assert.equal(total, 2);
    assert.deepEqual(
      receipts.map(({ facts, state, isMissingOne }) => [facts.part, facts.sequence, state, isMissingOne]),
      [
        [2, 2, 'signed', false],
        [1, 1, 'signed', false],
      ],
    );
    assert.deepEqual(book.store.totals.balance(peer), {
      ...{ given: 0, taken: 0 },
      [side]: 177,
    });
  }
  const bytesIn = (book: WorkBook) =>
    book.store
      .list({ limit: 9 })
      .receipts.map((one) => [one.receipt, one.shardSignature, one.ownerSignature]);
  assert.deepEqual(bytesIn(given), bytesIn(taken));
});

test('whatever the steps, and wherever they are accounted for, the sums of both sides are exact', () => {
  const steps = fc.array(
    fc.record({
      parts: fc.array(
        fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom('none', 'last', 'all', 'each')),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      replay: fc.boolean(),
      settles: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const clock = createManualClock();
      using given = bookOf(shard, clock);
      using taken = bookOf(owner, clock);
      const session = sessionBetween(given, taken);
      for (const [index, { parts, replay, settles }] of list.entries()) {
        session.step({
          n: index + 1,
          replay,
          parts: parts.map(([count, outputs]) => part(count, outputs as 'all')),
        });
        if (settles) assert.equal(session.settle()?.k, 'signed');
      }
      session.settle();
      const rows = list.reduce((sum, { parts }) => sum + parts.reduce((n, [count]) => n + count, 0), 0);
      for (const book of [given, taken]) {
        const [total, ...others] = book.store.totals.list({});
        assert.deepEqual(others, []);
        assert.equal(total!.prompt + total!.decode + total!.replayed, rows);
        assert.deepEqual([total!.rowBlocks, total!.steps, total!.agreed], [rows * 3, list.length, true]);
      }
    }),
    { numRuns: 25 },
  );
});

test('a long session accounts now and then: by rows, by steps, and by time', async () => {
  const clock = createManualClock();
  const accounts = { rows: 100, steps: 5, ms: 1000 };
  using given = bookOf(shard, clock, { accounts });
  using taken = bookOf(owner, clock);
  const session = sessionBetween(given, taken);
  assert.equal(dueIn(session), null);
  session.step(prompt(1, 99));
  assert.equal(dueIn(session), null);
  session.step(token(2));
  assert.equal(session.settle(dueIn(session))?.k, 'signed');
  for (let n = 3; n <= 6; n++) session.step(token(n));
  assert.equal(dueIn(session), null);
  session.step(token(7));
  assert.equal(session.settle(dueIn(session))?.k, 'signed');
  session.step(token(8));
  await clock.advance(1000);
  assert.equal(session.settle(dueIn(session))?.k, 'signed');
  assert.equal(taken.store.list({ limit: 9 }).total, 3);
});

test('an owner who says nothing leaves a half, and one who disputes leaves his reason', () => {
  const clock = createManualClock();
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock);
  const session = sessionBetween(given, taken);
  session.step(token(1));
  const late = session.used.answer(accountOf(session.served)!)!;
  session.step(token(2));
  session.served[Symbol.dispose]();
  assert.deepEqual(statesOf(given), ['half', 'half']);
  assert.deepEqual(
    given.store.totals.list({}).map(({ agreed, decode }) => [agreed, decode]),
    [[false, 2]],
  );
  session.served.answer(late);
  assert.deepEqual(statesOf(given), ['half', 'signed']);
  assert.deepEqual(
    given.store.totals.list({}).map(({ agreed, decode }) => [agreed, decode]),
    [
      [true, 1],
      [false, 1],
    ],
  );
  const wrong = sessionBetween(given, taken);
  wrong.step(token(1), { went: new Uint8Array(24) });
  assert.equal(wrong.settle()?.k, 'disputed');
  for (const book of [given, taken]) {
    const [newest] = book.store.list({ limit: 1 }).receipts;
    assert.deepEqual(
      [newest!.state, newest!.reason],
      ['disputed', 'its chain of what it sent is not that of what came'],
    );
  }
  // An answer of somebody else is no signature.
  const forged = sessionBetween(given, taken);
  forged.step(token(1));
  const account = accountOf(forged.served)!;
  const answer = forged.used.answer(account) as Extract<Accounting, { k: 'signed' }>;
  forged.served.answer({ ...answer, signature: answer.signature.map((byte) => byte ^ 1) });
  assert.equal(given.store.list({ limit: 1 }).receipts[0]!.reason, 'its signature is not that of the owner');
});

/** An account as a shard that lies would sign it. */
function lie(account: Accounting | null, changes: Partial<WorkFacts>, signer = shard): Accounting {
  assert.equal(account?.k, 'account');
  const { receipt } = account as Extract<Accounting, { k: 'account' }>;
  const changed = encodeWork({ ...readWork(receipt), ...changes });
  return { k: 'account', receipt: changed, signature: signWork(changed, signer) };
}

test('an account that does not hold is not signed, and says why', async () => {
  const other = createIdentity(random.bytes(32));
  const forgeries: [string, Partial<WorkFacts>, typeof shard?][] = [
    ['another shard', { shard: other.peerId }, other],
    ['another owner', { owner: other.peerId }],
    ['another signature', {}, other],
    ['another session', { session: new Uint8Array(32) }],
    ['another model', { model: '00'.repeat(32) }],
    ['more blocks', { to: 9 }],
    ['a part that is to come', { part: 2 }],
  ];
  const lies: [string, Partial<WorkFacts>, RegExp][] = [
    ['more rows', { decode: 4 }, /it has 34 rows and the shard was given 33/],
    ['huge rows', { prompt: 2 ** 32 }, /rows/],
    ['rows of another kind', { decode: 30, prompt: 3 }, /of other kinds/],
    ['rows that came again', { replayed: 1 }, /rows/],
    ['more steps', { steps: 5 }, /its steps/],
    ['huge steps', { steps: 2 ** 32 }, /its steps/],
    ['more ms', { ms: 2 ** 40 }, /more ms than went by/],
    ['a longer time', { ended: 1_700_000_000_000 + 5000 }, /more ms than went by/],
    ['other payloads', { received: new Uint8Array(32) }, /what it received/],
    ['other rows', { sent: new Uint8Array(32) }, /what it sent/],
  ];
  const clock = createManualClock();
  const forged: string[] = [];
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock, { onForged: (_, why) => forged.push(why) });
  const begin = () => {
    const session = sessionBetween(given, taken);
    session.step(prompt(1, 30));
    for (let n = 2; n <= 4; n++) session.step(token(n));
    return session;
  };
  for (const [what, changes, signer] of forgeries) {
    const session = begin();
    const honest = accountOf(session.served)!;
    assert.equal(session.used.answer(lie(honest, changes, signer)), null, what);
    assert.equal(session.used.answer(honest)?.k, 'signed', `${what}, and then the truth`);
  }
  assert.equal(forged.length, forgeries.length);
  assert.ok(
    statesOf(taken).every((state) => state === 'signed'),
    'nothing of it is kept',
  );
  for (const [what, changes, why] of lies) {
    const session = begin();
    const answer = session.used.answer(lie(accountOf(session.served), changes));
    assert.equal(answer?.k, 'disputed', what);
    assert.match((answer as { what: string }).what, why);
    assert.equal(taken.store.list({ limit: 1 }).receipts[0]!.state, 'disputed');
  }
  const [agreed, claimed] = taken.store.totals.list({});
  assert.deepEqual([agreed!.agreed, agreed!.decode], [true, 3 * forgeries.length]);
  assert.deepEqual([claimed!.agreed, claimed!.receipts], [false, lies.length]);
  assert.equal(forged.length, forgeries.length, 'counts that differ may be an error');
});

test('after three accounts that do not hold no more of the session are looked at', () => {
  const clock = createManualClock();
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock);
  const session = sessionBetween(given, taken);
  session.step(token(1));
  const honest = accountOf(session.served)!;
  for (let k = 0; k < 3; k++) assert.equal(session.used.answer(lie(honest, { to: 30 + k })), null);
  assert.equal(session.used.answer(honest), null);
  assert.equal(taken.store.list({ limit: 1 }).total, 0);
});

test('the same account twice counts once and has the same answer', () => {
  const clock = createManualClock();
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock);
  const session = sessionBetween(given, taken);
  session.step(token(1));
  const account = accountOf(session.served)!;
  assert.deepEqual(session.used.answer(account), session.used.answer(account));
  const [total] = taken.store.totals.list({});
  assert.deepEqual([total!.receipts, total!.decode], [1, 1]);
  // In another session it is a stranger's.
  assert.equal(sessionBetween(given, taken).used.answer(account), null);
  assert.equal(taken.store.list({ limit: 1 }).total, 1);
});

test('a shard that tells two stories hands over what proves it, once', () => {
  const clock = createManualClock();
  const told: string[] = [];
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock, { onContradiction: ({ peer }) => told.push(peer) });
  const session = sessionBetween(given, taken);
  session.step(token(1));
  const account = accountOf(session.served)!;
  assert.equal(session.used.answer(account)?.k, 'signed');
  const other = lie(account, { decode: 9 });
  for (let k = 0; k < 2; k++) {
    const answer = session.used.answer(other) as { k: string; what: string };
    assert.equal(answer.what, 'it contradicts another receipt that the shard signed');
  }
  assert.deepEqual(told, [shard.peerId]);
  // A number of a book for a second time, in another session.
  const second = sessionBetween(given, taken);
  second.step(token(1));
  const { book, sequence } = readWork((account as { receipt: Uint8Array }).receipt);
  assert.equal(second.used.answer(lie(accountOf(second.served), { book, sequence }))?.k, 'disputed');
  assert.equal(told.length, 2);
  const [pair] = taken.store.contradictions(shard.peerId).slice(-1);
  assert.deepEqual([readWork(pair!.first.receipt).decode, readWork(pair!.second.receipt).decode], [1, 9]);
  assert.deepEqual(
    taken.store.totals.list({}).map(({ decode }) => decode),
    [1],
  );
});

test('a shard in the middle of a path is held to its steps, and after a loss to what it can have been given', () => {
  const clock = createManualClock();
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock);
  const middle = () => {
    const { served, used } = sessionBetween(given, taken);
    const none = new Uint8Array(0);
    return {
      ...{ served, used },
      both(step: ServedStep) {
        used.sent(step, null);
        served.took(step, none);
        served.did(step);
      },
      again(step: ServedStep) {
        served.took(step, none);
        served.did(step);
      },
    };
  };
  const plain = middle();
  for (let n = 1; n <= 4; n++) plain.both(token(n));
  assert.equal(plain.used.answer(accountOf(plain.served)!)?.k, 'signed');
  plain.again(token(4));
  assert.equal(plain.used.answer(accountOf(plain.served)!)?.k, 'disputed');

  const mended = middle();
  for (let n = 1; n <= 4; n++) mended.both(token(n));
  mended.used.mayRepeat({ prompt: 1, decode: 0, replayed: 10, steps: 3 });
  mended.again({ ...prompt(2, 10), replay: true });
  mended.again(token(4));
  assert.equal(mended.used.answer(accountOf(mended.served)!)?.k, 'signed');
  mended.both(token(5));
  assert.equal(mended.used.answer(accountOf(mended.served)!)?.k, 'signed');
  mended.again(token(5));
  assert.equal(mended.used.answer(accountOf(mended.served)!)?.k, 'disputed');
});

test('an account may come long after its steps; one of steps that nobody remembers is disputed', () => {
  const clock = createManualClock();
  using given = bookOf(shard, clock);
  using taken = bookOf(owner, clock);
  for (const [ahead, k] of [
    [1000, 'signed'],
    [3000, 'disputed'],
  ] as const) {
    const session = sessionBetween(given, taken);
    session.step(token(1));
    const account = accountOf(session.served)!;
    for (let n = 2; n <= ahead; n++) session.used.sent(token(n), null);
    const rest = lie(account, { sent: readWork((account as { receipt: Uint8Array }).receipt).sent });
    assert.equal(session.used.answer(rest)?.k, k);
  }
});

test('a receipt that never came shows, also between runs of the shard', () => {
  const clock = createManualClock();
  const path = fileName();
  using taken = bookOf(owner, clock);
  const run = (losesSecond: boolean) => {
    using given = bookOf(shard, clock, { path });
    for (let k = 0; k < 3; k++) {
      const session = sessionBetween(given, taken);
      session.step(token(1));
      if (losesSecond && k === 1) session.served[Symbol.dispose]();
      else assert.equal(session.settle()?.k, 'signed');
    }
  };
  run(true);
  run(false);
  assert.deepEqual(
    taken.store.list({ limit: 9 }).receipts.map(({ facts, isMissingOne }) => [facts.sequence, isMissingOne]),
    [
      [6, false],
      [5, false],
      [4, false],
      [3, true],
      [1, false],
    ],
  );
  assert.equal(
    new Set(taken.store.list({ limit: 9 }).receipts.map(({ facts }) => toHex(facts.book))).size,
    2,
  );
});

test('a shard that has lost its file begins anew, and nothing of that is a contradiction', () => {
  const clock = createManualClock();
  const told: string[] = [];
  using taken = bookOf(owner, clock, { onContradiction: ({ peer }) => told.push(peer) });
  for (let run = 0; run < 3; run++) {
    using given = bookOf(shard, clock);
    const session = sessionBetween(given, taken);
    session.step(token(1));
    assert.equal(session.settle()?.k, 'signed');
  }
  assert.deepEqual(told, []);
  assert.equal(taken.store.list({ limit: 9 }).total, 3);
});

test('clocks that are wrong change no count, and remove nothing', () => {
  const now = Date.UTC(2026, 10, 22);
  const wall = { now: () => now, monotonic: () => 0 };
  for (const wrong of [0, -5000, Date.UTC(1970, 0, 2), Date.UTC(2400, 0, 1), 8.64e15]) {
    using given = openWorkBook({
      ...{ path: ':memory:', identity: shard, random, log: silentLogger },
      clock: { now: () => wrong, monotonic: () => 0 },
    });
    using taken = openWorkBook({ path: ':memory:', identity: owner, random, log: silentLogger, clock: wall });
    const session = sessionBetween(given, taken);
    session.step(token(1));
    assert.equal(session.settle()?.k, 'signed', String(wrong));
    assert.deepEqual([statesOf(given), statesOf(taken)], [['signed'], ['signed']]);
  }
  // This node's clock runs ahead for a while: what is kept is not older for that.
  let time = now;
  const path = fileName();
  using given = openWorkBook({
    ...{ path, identity: shard, random, log: silentLogger, limits: { ageMs: 86_400_000 } },
    clock: { now: () => time, monotonic: () => 0 },
  });
  using taken = openWorkBook({ path: ':memory:', identity: owner, random, log: silentLogger, clock: wall });
  const work = (times: number) => {
    for (let k = 0; k < times; k++) {
      const session = sessionBetween(given, taken);
      session.step(token(1));
      session.settle();
    }
  };
  work(2);
  time = Date.UTC(2090, 0, 1);
  work(70);
  time = now + 3_600_000;
  work(70);
  assert.equal(given.store.list({ limit: 1 }).total, 142);
  time = now + 5 * 86_400_000;
  work(70);
  assert.equal(
    given.store.list({ limit: 1 }).total <= 70 + 64,
    true,
    'a clock that goes as it should ages them',
  );
  assert.equal(given.store.totals.list({})[0]!.receipts, 212, 'their sums stay');
});

test('one peer has its share, all have their bound, and sums of those that are gone become one', () => {
  const clock = createManualClock();
  const limits = { receipts: 40, perPeer: 10, disputedPerPeer: 3, totals: 6 };
  using taken = bookOf(owner, clock, { limits });
  const shards = Array.from({ length: 9 }, () => createIdentity(random.bytes(32)));
  let n = 0;
  const use = (peer: typeof shard, decode = 1) => {
    const number = random.bytes(16);
    const session = { model: MODEL, from: 0, to: 1, session: number };
    const used = taken.used({ peer: peer.peerId, ...session })!;
    using given = bookOf(peer, clock);
    const served = given.served({ peer: owner.peerId, ...session });
    used.sent(token(++n), null);
    const step = token(n);
    served.took(step, number);
    served.did(step);
    return used.answer(decode === 1 ? accountOf(served)! : lie(accountOf(served), { decode }, peer))?.k;
  };
  for (let k = 0; k < 15; k++) assert.equal(use(shards[0]!, 2), 'disputed');
  assert.equal(taken.store.list({ limit: 99 }).total, 3);
  for (let k = 0; k < 15; k++) assert.equal(use(shards[0]!), 'signed');
  assert.equal(taken.store.list({ limit: 99 }).total, 10);
  for (let k = 0; k < 160; k++) use(shards[k % 9]!);
  assert.ok(taken.store.list({ limit: 1 }).total <= 40 + 64);
  const totals = taken.store.totals.list({});
  assert.ok(totals.length <= 7, `${totals.length} rows of sums`);
  assert.equal(
    totals.reduce((sum, { agreed, decode }) => sum + (agreed ? decode : 0), 0),
    175,
  );
  assert.ok(totals.some(({ peer }) => peer === '*'));
});

test('a disk that takes nothing ends no session, and what was not kept comes with the next account', async () => {
  const clock = createManualClock();
  const said: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => said.push(text) };
  const path = fileName();
  using given = bookOf(shard, clock, { path, log, accounts: { rows: 1, steps: 1, ms: 1 } });
  using taken = bookOf(owner, clock);
  const { DatabaseSync } = await import('node:sqlite');
  const session = sessionBetween(given, taken);
  {
    using blocker = new DatabaseSync(path);
    blocker.exec("CREATE TRIGGER full BEFORE INSERT ON receipt BEGIN SELECT RAISE(FAIL, 'disk full'); END");
    session.step(token(1));
    assert.equal(dueIn(session), null);
    session.step(token(2));
    assert.equal(dueIn(session), null);
    blocker.exec('DROP TRIGGER full');
  }
  assert.deepEqual(said, ['a receipt of work was not kept']);
  session.step(token(3));
  assert.equal(dueIn(session), null, 'it is not tried at each step');
  await clock.advance(30_000);
  assert.equal(session.settle(dueIn(session))?.k, 'signed');
  assert.equal(taken.store.totals.list({})[0]!.decode, 3);
});

test('what was kept survives a kill of the process', () => {
  const path = fileName();
  const program = `
    import { openWorkBook } from ${JSON.stringify(import.meta.resolve('./book.ts'))};
    import { createIdentity } from ${JSON.stringify(import.meta.resolve('../../identity/index.ts'))};
    import { createSeededRandom, silentLogger, systemClock } from ${JSON.stringify(import.meta.resolve('../../base/index.ts'))};
    const random = createSeededRandom(7);
    const book = openWorkBook({ path: ${JSON.stringify(path)}, identity: createIdentity(random.bytes(32)), clock: systemClock, random, log: silentLogger });
    const served = book.served({ peer: ${JSON.stringify(owner.peerId)}, model: ${JSON.stringify(MODEL)}, from: 0, to: 2, session: random.bytes(16) });
    const parts = [{ start: 0, count: 5, after: -1, cells: Int32Array.of(0, 1, 2, 3, 4), outputs: 'none' }];
    const step = { n: 1, replay: false, parts };
    served.took(step, new Uint8Array(4));
    served.did(step);
    if (served.answer({ k: 'settle' }).length !== 2) process.exit(3);
    process.kill(process.pid, 'SIGKILL');`;
  assert.throws(
    () => execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' }),
    (error: { signal?: string }) => error.signal === 'SIGKILL',
  );
  using book = bookOf(shard, createManualClock(), { path });
  const { receipts } = book.store.list({ limit: 5 });
  assert.deepEqual(
    receipts.map(({ state, facts }) => [state, facts.prompt]),
    [['half', 5]],
  );
  assert.equal(book.store.totals.list({})[0]!.rowBlocks, 10);
});

test('a session that a node has with itself has no receipts', () => {
  using book = bookOf(shard, createManualClock());
  const session = { peer: shard.peerId, model: MODEL, from: 0, to: 2, session: random.bytes(16) };
  assert.equal(book.used(session), null);
  const served = book.served(session);
  const step = token(1);
  served.took(step, new Uint8Array(4));
  served.did(step);
  assert.deepEqual(served.answer({ k: 'settle' }), [{ k: 'settled' }]);
  assert.equal(book.store.list({ limit: 1 }).total, 0);
});

test('a book that closes before its sessions notes what they did until then', () => {
  const path = fileName();
  const step = token(1);
  let served: ServedWork;
  {
    using given = bookOf(shard, createManualClock(), { path });
    served = given.served({ peer: owner.peerId, model: MODEL, from: 0, to: 2, session: random.bytes(16) });
    served.took(step, new Uint8Array(4));
    served.did(step);
  }
  served.took(step, new Uint8Array(4));
  served.did(step);
  served[Symbol.dispose]();
  using given = bookOf(shard, createManualClock(), { path });
  assert.deepEqual(
    given.store.list({ limit: 9 }).receipts.map(({ state, facts }) => [state, facts.decode]),
    [['half', 1]],
  );
});
