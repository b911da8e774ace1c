/**
 * A node that serves blocks under admission, in a process of its own: swarm, engine, admission and shard service. Its settings
 * come as JSON in `KITH_BENCH_SHARD`; it says where it is, answers any message with what it uses, and ends with its parent.
 *
 * @module bench/shards/session-server
 */
import { readFile } from 'node:fs/promises';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { createAdmission, serveShards } from '../../src/shards/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';

export interface ServerSettings {
  /** Of the seed of its key. */
  readonly number: number;
  readonly path: string;
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly sessions: number;
  /** KV cells of a session. */
  readonly cells: number;
}

/** Of the node's process and the engine's: resident bytes, and ms of processor used so far; null where that is not told. */
export interface ServerUse {
  readonly node: number;
  readonly engine: number | null;
  readonly nodeMs: number;
  readonly engineMs: number | null;
}

/** Linux tells it in hundredths of a second. */
async function processorMs(pid: number | null): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

const settings = JSON.parse(process.env.KITH_BENCH_SHARD!) as ServerSettings;
const { number, path, model, from, to, sessions, cells } = settings;
process.on('disconnect', () => process.exit(0));

const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: cells,
  kvCells: sessions * cells,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const { embedding: width, kvCells } = await engine.load({
  id: 'blocks',
  path,
  range: { from, to, embed: false, head: false },
});
const admission = createAdmission({
  bounds: {
    ...{ sessions, sessionsPerPeer: sessions, cells: null },
    ...{ idleMs: 60_000, leaseMs: 600_000, logBytes: 1e9 },
  },
  clock: systemClock,
});
const swarm = await swarmOnLoopback(number, { gate: { tierOf: () => 'trusted' } });
serveShards({
  swarm,
  engine,
  shards: () => [{ model, from, to, id: 'blocks', width }],
  admit: (peer, { cells: asked, last }, shard) =>
    shard === null
      ? undefined
      : admission.open({
          ...{ peer, rank: 3, pool: shard.id, poolCells: kvCells, cells: asked },
          logBytes: last ? 0 : asked * width * 4,
        }),
  logMemoryBytes: Math.floor(256e6 / sessions),
  log: silentLogger,
});
process.on('message', async () => {
  const { rssBytes } = (await engine.status()) as { rssBytes: number | null };
  const { user, system } = process.cpuUsage();
  process.send!({
    ...{ node: process.memoryUsage.rss(), engine: rssBytes },
    nodeMs: (user + system) / 1000,
    engineMs: await processorMs(engine.state().pid),
  } satisfies ServerUse);
});
process.send!({ peer: swarm.peer, addresses: swarm.addresses });
