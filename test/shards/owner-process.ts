/**
 * The owner of a path in a process of its own, which kills itself when it has carried its steps. Its settings come as JSON in
 * `KITH_TEST_OWNER`.
 *
 * @module test/shards/owner-process
 */
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import { openPath, openWorkBook, type ShardOffer } from '../../src/shards/index.ts';
import { seedOf, swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';

interface OwnerSettings {
  /** Of the seed of its key. */
  readonly number: number;
  /** Its receipts of work. */
  readonly work: string;
  readonly model: string;
  readonly offer: ShardOffer;
  readonly width: number;
  /** Of one row each. */
  readonly steps: number;
}

const settings = JSON.parse(process.env.KITH_TEST_OWNER!) as OwnerSettings;
const { number, model, offer, width, steps } = settings;
const parts = { clock: systemClock, random: systemRandom, log: silentLogger };
const swarm = await swarmOnLoopback(number, { gate: { tierOf: () => 'trusted' } });
const work = openWorkBook({ path: settings.work, identity: createIdentity(seedOf(number)), ...parts });
const path = await openPath({
  ...{ swarm, model, shards: [offer], cells: steps, type: 'f32', work, substitute: async () => null },
  ...parts,
});
for (let at = 0; at < steps; at++)
  await path.carry(
    [{ start: at, count: 1, after: at - 1, cells: Int32Array.of(at), outputs: 'last' }],
    new Float32Array(width).fill(0.5),
    new AbortController().signal,
  );
process.kill(process.pid, 'SIGKILL');
