/** Sessions under admission over real connections, by a clock that the test moves. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createManualClock, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import {
  type Admission,
  type AdmissionBounds,
  createAdmission,
  openPath,
  type Path,
  type PathEvent,
  type ShardService,
  serveShards,
} from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { until } from '../swarm-support.ts';

const MODEL = '5a'.repeat(32);
const WIDTH = 288;
const BOUNDS: AdmissionBounds = {
  ...{ sessions: 1, sessionsPerPeer: 1, cells: null },
  ...{ idleMs: 60_000, leaseMs: 100_000, logBytes: 1e9 },
};
const clock = createManualClock();
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: 256,
  kvCells: 512,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const gate = { tierOf: () => 'known' as const };
let server: Swarm;
let one: Swarm;
let other: Swarm;
let admission: Admission;
let service: ShardService;

before(async () => {
  const path = await testModel('stories15m-f16');
  await engine.load({ id: 'blocks', path, range: { from: 0, to: 3, embed: false, head: false } });
  [server, one, other] = (await Promise.all(
    [81, 82, 83].map((number) => swarmOnLoopback(number, { gate })),
  )) as [Swarm, Swarm, Swarm];
  admission = createAdmission({ bounds: BOUNDS, clock });
  service = serveShards({
    ...{ swarm: server, engine, log: silentLogger },
    shards: () => [{ model: MODEL, from: 0, to: 3, id: 'blocks', width: WIDTH }],
    admit: (peer, { cells }) =>
      admission.open({ peer, rank: 3, pool: 'blocks', poolCells: 512, cells, logBytes: 0 }),
  });
});
after(async () => {
  admission[Symbol.dispose]();
  for (const swarm of [one, other, server]) await swarm[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

const signal = new AbortController().signal;

function open(by: Swarm, events: PathEvent[] = []): Promise<Path> {
  return openPath({
    swarm: by,
    model: MODEL,
    shards: [{ peer: server.peer, addresses: server.addresses, from: 0, to: 3 }],
    cells: 64,
    substitute: async () => null,
    onEvent: (event) => events.push(event),
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
  });
}

const step = (path: Path, at: number): Promise<Float32Array> =>
  path.carry(
    [{ start: at, count: 1, after: at - 1, cells: Int32Array.of(at), outputs: 'all' }],
    new Float32Array(WIDTH).fill(0.5),
    signal,
  );

const gone = () =>
  until(
    async () => service.sessions().length,
    (count) => count === 0,
  );

test('a path that rests ends in order, is no loss of the peer, and its cells are free again', async () => {
  const events: PathEvent[] = [];
  await using path = await open(one, events);
  for (let i = 0; i < 4; i++) {
    assert.equal((await step(path, i)).length, WIDTH);
    await clock.advance(BOUNDS.idleMs - 1);
  }
  assert.equal(path.closed, false);
  await clock.advance(2);
  await until(
    async () => path.closed,
    (closed) => closed,
  );
  await assert.rejects(step(path, 4), { code: 'path_closed' });
  assert.deepEqual(events, []);
  await gone();
  assert.equal(admission.freeCells('blocks', 512), 512);
});

test('who asks again when he was told to is let in by the end of the lease, though the other steps all the time', async () => {
  const held = await open(one);
  const begun = clock.monotonic();
  const waits: number[] = [];
  let path: Path | null = null;
  for (let at = 0; path === null; ) {
    try {
      path = await open(other);
    } catch (error) {
      const { code, retryAfter } = error as { code: string; retryAfter: number };
      assert.equal(code, 'shard_busy');
      waits.push(retryAfter);
      const due = clock.monotonic() + retryAfter * 1000;
      while (clock.monotonic() < due) {
        await step(held, at++).catch(() => {});
        await clock.advance(Math.min(30_000, due - clock.monotonic()));
      }
    }
  }
  // When it would end without another step, as often as it has had one; and at last what is left of its lease.
  assert.deepEqual(waits, [60, 30, 10]);
  assert.equal(clock.monotonic() - begun, BOUNDS.leaseMs);
  assert.equal((await step(path, 0)).length, WIDTH);
  await path[Symbol.asyncDispose]();
  await held[Symbol.asyncDispose]();
});
