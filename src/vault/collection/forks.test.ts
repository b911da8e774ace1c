import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  createSeededRandom,
  isKithError,
  KithError,
  type Random,
  silentLogger,
  systemClock,
} from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { createEve, type Eve } from '../eve/eve.ts';
import { rootOfIdentity } from '../keys/keys.ts';
import type { PlacedEve } from '../place/reader.ts';
import { digestOf } from '../seal/segment.ts';
import { TENANT_BOUNDS } from '../types.ts';
import { type AskEve, tenantAt } from '../wire/tenant.ts';
import { type Collection, createCollection } from './collection.ts';
import { HEAD_NAME } from './heads.ts';
import type { ObjectSource, SyncReport } from './types.ts';

const bob = identityOf('bob');
const root = rootOfIdentity(bob);
const info = { kb: 'books' };

type Objects = ReadonlyMap<string, string>;

const sourceOf = (objects: Objects): ObjectSource => ({
  *list() {
    for (const [name, text] of objects) yield { name, digest: digestOf(Buffer.from(text)) };
  },
  read: async (name) => {
    const text = objects.get(name);
    return text === undefined ? null : Buffer.from(text);
  },
});

/** Calls wait here until they are let through, one at a time, in an order that is drawn. */
interface Gate {
  pass(): Promise<void>;
}
const open: Gate = { pass: async () => undefined };

let base: string;
let eves: { readonly peer: string; readonly eve: Eve }[];
let collections = 0;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'kith-forks-'));
  eves = ['a', 'b', 'c', 'd'].map((name) => ({
    peer: identityOf(`eve ${name}`).peerId,
    eve: createEve({
      ...{ folder: join(base, name), capacityBytes: 1e12, largestBytes: 1e9, days: 30, graceDays: 7 },
      ...{ reserveBytes: 0, tenantsEach: 10_000, clock: systemClock, log: silentLogger },
    }),
  }));
});
after(() => {
  for (const { eve } of eves) eve[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

interface World {
  readonly id: string;
  /** A machine with the key, which sees Eves as `isUp` says and calls through `gate`. */
  machine(random: Random, gate?: Gate, isUp?: (eve: number) => boolean): Collection;
  /** Puts every block at every Eve, so that each machine can read on from there whom it sees. */
  spread(): Promise<void>;
  /** What each Eve shows. */
  heads(): Promise<(string | null)[]>;
}

async function worldOf(count: number): Promise<World> {
  const id = `books-${collections++}`;
  const mine = eves.slice(0, count);
  const tenants = (gate: Gate, isUp: (eve: number) => boolean) =>
    mine.map(({ peer, eve }, i) => {
      const ask: AskEve = async (metadata, payload) => {
        await gate.pass();
        if (!isUp(i)) throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
        const told = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
        return { metadata: told.metadata, payload: Uint8Array.from(told.payload ?? []) };
      };
      return { peer, operator: null, tenant: tenantAt(peer, root.label(id), ask) };
    });
  const own = tenants(open, () => true);
  for (const { tenant } of own) await tenant.create(TENANT_BOUNDS.minQuotaBytes, 30);
  return {
    id,
    machine(random, gate = open, isUp = () => true) {
      let reached = 0;
      return createCollection({
        ...{ id, root, replicas: 2, random, clock: systemClock, log: silentLogger, hedgeMs: 60_000 },
        ...{ eves: tenants(gate, isUp) satisfies PlacedEve[], reached },
        onReached(number) {
          reached = Math.max(reached, number);
        },
      });
    },
    async spread() {
      for (const from of own)
        for (const { id: block } of await from.tenant.list(null)) {
          const bytes = await from.tenant.get(block, null);
          for (const { tenant } of own) await tenant.put(bytes);
        }
    },
    heads: () =>
      Promise.all(
        own.map(async ({ tenant }) => {
          const head = await tenant.head(HEAD_NAME);
          return head === null ? null : Buffer.from(head.bytes).toString('hex');
        }),
      ),
  };
}

async function read(from: Collection): Promise<Objects> {
  const all = new Map<string, string>();
  for await (const { name, object } of from.readAll(await from.open()))
    all.set(name, Buffer.from(object).toString());
  return all;
}
const shown = (objects: Objects): string => JSON.stringify([...objects].sort());

/** Two machines write at once while Eves come and go; which call is next, and who is away, is drawn. */
async function raced(seed: number, count: number): Promise<void> {
  const world = await worldOf(count);
  const drawn = createSeededRandom(seed);
  const pick = (n: number) => drawn.uint32() % n;
  const random = createSeededRandom(seed + 1);
  const waiting: (() => void)[] = [];
  let free = false;
  const gate: Gate = { pass: () => (free ? Promise.resolve() : new Promise((go) => waiting.push(go))) };
  const up = [new Set<number>(), new Set<number>()];
  const upAll = () => {
    for (const mine of up) for (let i = 0; i < count; i++) mine.add(i);
  };
  upAll();
  const start: Objects = new Map([
    ['d/0', 'zero'],
    ['d/1', 'one'],
  ]);
  const reader = () => world.machine(random);
  await reader().sync(sourceOf(start), { info });
  const written = new Set([shown(start)]);
  const acknowledged = [shown(start)];
  const machines = up.map((mine) => world.machine(random, gate, (i) => mine.has(i)));
  let running = 0;
  const write = async (who: number, turn: number): Promise<void> => {
    const mine: Objects = new Map([
      ['d/0', turn % 2 === 0 ? 'zero' : `zero of ${who}.${turn}`],
      [`d/${who}.${turn}`, `of ${who} in ${turn} ${'.'.repeat(40)}`],
    ]);
    written.add(shown(mine));
    try {
      await machines[who]!.sync(sourceOf(mine), { info });
      acknowledged.push(shown(mine));
    } catch (error) {
      assert.ok(isKithError(error), String(error));
      assert.ok(
        [
          'storage_head_moved',
          'vault_not_placed',
          'vault_unreachable',
          'vault_rolled_back',
          'vault_block_lost',
        ].includes(error.code),
        `${error.code}: ${error.message}`,
      );
    } finally {
      running -= 1;
    }
  };
  for (let turn = 0; turn < 3; turn++) {
    running = 2;
    const both = [write(0, turn), write(1, turn)];
    while (running > 0) {
      // All that can go on without a call has done so.
      await new Promise((resolve) => setImmediate(resolve));
      if (waiting.length === 0) continue;
      if (pick(8) === 0) {
        const mine = up[pick(2)]!;
        const eve = pick(count);
        if (!mine.delete(eve)) mine.add(eve);
      }
      waiting.splice(pick(waiting.length), 1)[0]!();
    }
    await Promise.all(both);
    // Nobody writes now, and all Eves are there: what is read is what some machine wrote, whole.
    const now = shown(await read(reader()));
    assert.ok(written.has(now), `seed ${seed}: a mix: ${now}`);
    if (pick(2) === 0) upAll();
  }
  upAll();
  free = true;
  await reader().repair();
  const repaired = await world.heads();
  assert.equal(new Set(repaired).size, 1, `seed ${seed}: one head at all after a repair`);
  assert.ok(written.has(shown(await read(reader()))));
  const last: Objects = new Map([['d/last', 'the end']]);
  const { fork } = await machines[0]!.sync(sourceOf(last), { info });
  assert.equal(fork, null);
  assert.equal(new Set(await world.heads()).size, 1);
  for (let away = 0; away < count; away++)
    assert.equal(shown(await read(world.machine(random, open, (i) => i !== away))), shown(last));
  const { eves: checked } = await reader().check(5);
  assert.ok(checked.every(({ failed }) => failed === 0));
}

describe('two machines with one key', () => {
  test('readers see a state that one of them wrote whole, whoever misses whom in which order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e9), fc.constantFrom(3, 4), (seed, count) => raced(seed, count)),
      { numRuns: 25 },
    );
  });

  /** Each machine misses other Eves, so that both write state 2. */
  async function forked(
    world: World,
    random: Random,
    split: (eve: number) => boolean,
  ): Promise<SyncReport[]> {
    const start: Objects = new Map([['d/0', 'zero']]);
    await world.machine(random).sync(sourceOf(start), { info });
    await world.spread();
    const one = world.machine(random, open, split);
    const two = world.machine(random, open, (i) => !split(i));
    await one.open();
    await two.open();
    return [
      await one.sync(sourceOf(new Map([['d/0', 'of one']])), { info }),
      await two.sync(sourceOf(new Map([['d/0', 'of two']])), { info }),
    ];
  }

  test('two states of one number are noticed, one counts for everybody, and repair puts it on top of both', async () => {
    const world = await worldOf(4);
    const random = createSeededRandom(9);
    const reports = await forked(world, random, (i) => i < 2);
    assert.deepEqual(
      reports.map(({ number }) => number),
      [2, 2],
    );
    const before = await world.machine(random).open();
    assert.deepEqual([before.number, before.fork?.kept.length, before.fork?.lost.length], [2, 2, 2]);
    const counts = await read(world.machine(random));
    assert.equal(shown(await read(world.machine(random))), shown(counts));
    const { fork, number, state } = await world.machine(random).repair();
    assert.deepEqual([fork, number], [before.fork, 3]);
    assert.equal(new Set(await world.heads()).size, 1);
    const now = await world.machine(random).open();
    assert.deepEqual([now.fork, now.state], [null, state]);
    assert.equal(shown(await read(world.machine(random))), shown(counts));
  });

  test('the next sync of either puts its own state on top of both, and says what was there', async () => {
    const world = await worldOf(4);
    const random = createSeededRandom(10);
    await forked(world, random, (i) => i % 2 === 0);
    const report = await world.machine(random).sync(sourceOf(new Map([['d/0', 'of one']])), { info });
    assert.equal(report.fork?.number, 2);
    assert.equal(report.number, 3);
    assert.equal(new Set(await world.heads()).size, 1);
    assert.deepEqual(await read(world.machine(random)), new Map([['d/0', 'of one']]));
  });

  test('of two states the one counts that is whole, whatever its weight', async () => {
    const random = createSeededRandom(16);
    const world = await worldOf(4);
    await forked(world, random, (i) => i < 2);
    const first = await world.machine(random).open();
    const [entry] = first.entries.values();
    for (const { peer, eve } of eves)
      await tenantAt(peer, root.label(world.id), async (metadata, payload) => {
        const told = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
        return { metadata: told.metadata, payload: Uint8Array.from(told.payload ?? []) };
      }).remove([entry!.segment]);
    const other = await world.machine(random).open();
    assert.notEqual(other.state, first.state);
    assert.deepEqual([other.fork?.kept, other.fork?.lost], [first.fork?.lost, first.fork?.kept]);
    assert.equal((await read(world.machine(random))).size, 1);
  });

  test('what is put while a sync is under way may be for a state on top of it: it stays', async () => {
    const world = await worldOf(3);
    const random = createSeededRandom(17);
    const { peer, eve } = eves[0]!;
    const own = tenantAt(peer, root.label(world.id), async (metadata, payload) => {
      const told = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
      return { metadata: told.metadata, payload: Uint8Array.from(told.payload ?? []) };
    });
    const before = await own.put(random.bytes(3000));
    let during: string | null = null;
    const gate: Gate = {
      async pass() {
        // Something was put: what is there was asked for before.
        if (during !== null || (await own.list(null)).length < 2) return;
        during = await own.put(random.bytes(3000));
      },
    };
    await world.machine(random, gate).sync(sourceOf(new Map([['d/0', 'zero']])), { info });
    const there = (await own.list(null)).map(({ id }) => id);
    assert.ok(during !== null && there.includes(during));
    assert.ok(!there.includes(before));
  });

  test('while half of the Eves have not taken a state, nothing of another one is removed', async () => {
    const world = await worldOf(4);
    const random = createSeededRandom(18);
    await forked(world, random, (i) => i < 2);
    const counts = await world.machine(random).open();
    const shows = (i: number, peers: readonly string[]) => peers.includes(eves[i]!.peer);
    const { kept, lost } = counts.fork!;
    const half = await read(world.machine(random, open, (i) => shows(i, lost)));
    assert.deepEqual([half.size, shown(half) === shown(await read(world.machine(random)))], [1, false]);
    assert.equal((await read(world.machine(random, open, (i) => shows(i, kept)))).size, 1);
  });

  test('a sync on a state that another machine has left behind is refused', async () => {
    const world = await worldOf(3);
    const random = createSeededRandom(11);
    const books = world.machine(random);
    const { number } = await books.sync(sourceOf(new Map([['d/0', 'zero']])), { info });
    await books.sync(sourceOf(new Map([['d/0', 'one']])), { info, from: number });
    await assert.rejects(books.sync(sourceOf(new Map()), { info, from: number }), {
      code: 'storage_head_moved',
    });
  });
});

describe('what all Eves lost', () => {
  const objects: Objects = new Map(Array.from({ length: 40 }, (_, i) => [`d/${i}`, `text ${i} `.repeat(50)]));
  const tenantsOf = (world: World) =>
    eves.slice(0, 3).map(({ peer, eve }) =>
      tenantAt(peer, root.label(world.id), async (metadata, payload) => {
        const told = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
        return { metadata: told.metadata, payload: Uint8Array.from(told.payload ?? []) };
      }),
    );

  test('a sync places lost segments and pages again, and nothing else', async () => {
    const world = await worldOf(3);
    const random = createSeededRandom(12);
    const books = world.machine(random);
    await books.sync(sourceOf(objects), { info });
    const more: Objects = new Map([...objects, ['d/more', 'more']]);
    await books.sync(sourceOf(more), { info });
    const { entries, pages } = await books.open();
    const { segment } = entries.get('d/more')!;
    for (const tenant of tenantsOf(world)) await tenant.remove([segment]);
    await assert.rejects(read(books), { code: 'vault_block_lost', message: /kith vpk upload/ });
    const mended = await books.sync(sourceOf(more), { info });
    assert.deepEqual([mended.again, mended.added, mended.changed, mended.erased], [1, 0, 0, 0]);
    assert.deepEqual(await read(books), more);
    for (const tenant of tenantsOf(world)) await tenant.remove(pages);
    const { pages: newer } = await books.open();
    for (const tenant of tenantsOf(world)) await tenant.remove(newer);
    await assert.rejects(books.open(), { code: 'vault_block_lost' });
    await books.sync(sourceOf(more), { info });
    assert.deepEqual(await read(books), more);
    assert.equal((await books.sync(sourceOf(more), { info })).thin, 0);
  });

  test('an Eve that goes away at any call of a repair shows an older number of the same state, which is no other state', async () => {
    const world = await worldOf(3);
    const random = createSeededRandom(15);
    const reader = world.machine(random);
    await reader.sync(sourceOf(objects), { info });
    const [first] = tenantsOf(world);
    let behind = 0;
    for (let most = 2; most < 9; most++) {
      const junk = await first!.put(random.bytes(5000));
      let calls = 0;
      await world.machine(random, open, (i) => i !== 2 || calls++ < most).repair();
      if (new Set(await world.heads()).size > 1) behind += 1;
      const now = await reader.open();
      assert.deepEqual([now.fork, now.entries.size], [null, objects.size]);
      assert.deepEqual(await read(reader), objects);
      await reader.repair();
      assert.equal(new Set(await world.heads()).size, 1);
      assert.ok((await first!.list(null)).every(({ id }) => id !== junk));
    }
    assert.ok(behind > 0);
  });

  test('while one is away who may have it, nothing is placed again', async () => {
    const world = await worldOf(3);
    const random = createSeededRandom(13);
    await world.machine(random).sync(sourceOf(objects), { info });
    const [first, second] = tenantsOf(world);
    const { entries } = await world.machine(random).open();
    for (const tenant of [first!, second!]) await tenant.remove([entries.get('d/0')!.segment]);
    const without = world.machine(random, open, (i) => i !== 2);
    const { again } = await without.sync(sourceOf(objects), { info });
    assert.equal(again, 0);
  });

  test('a state that is gone everywhere is placed anew by one sync, with a number above it', async () => {
    const world = await worldOf(3);
    const random = createSeededRandom(14);
    const books = world.machine(random);
    await books.sync(sourceOf(objects), { info });
    await books.sync(sourceOf(new Map([...objects, ['d/x', 'x']])), { info });
    for (const tenant of tenantsOf(world)) {
      await tenant.destroy();
      await tenant.create(TENANT_BOUNDS.minQuotaBytes, 30);
    }
    await assert.rejects(books.open(), { code: 'vault_rolled_back', message: /kith vpk upload/ });
    const { number } = await books.sync(sourceOf(objects), { info });
    assert.equal(number, 3);
    assert.deepEqual(await read(books), objects);
  });
});
