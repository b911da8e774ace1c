/**
 * A node that serves blocks, in a process of its own: swarm, engine and shard service, without the rest. Its settings come as
 * JSON in `KITH_TEST_SHARD`; it says where it is and ends with its parent.
 *
 * @module test/shards/peer-process
 */
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import { openWorkBook, serveShards } from '../../src/shards/index.ts';
import { seedOf, swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { delayed } from './delayed.ts';
import { type Lie, liar } from './liar.ts';

export interface ShardSettings {
  /** Of the seed of its key. */
  readonly number: number;
  readonly path: string;
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly context: number;
  /** Alters what it computes, in `share` of its steps. @default honest */
  readonly lie?: Lie;
  /** What it says that it computes with. */
  readonly build?: string;
  /** Keeps receipts of work there, one for each so many rows. @default none */
  readonly work?: { readonly path: string; readonly rows: number };
}

const settings = JSON.parse(process.env.KITH_TEST_SHARD!) as ShardSettings;
const { number, path, model, from, to, context } = settings;
process.on('disconnect', () => process.exit(0));

const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
const { embedding: width } = await engine.load({
  id: 'blocks',
  path,
  range: { from, to, embed: false, head: false },
});
const swarm = await swarmOnLoopback(number, { gate: { tierOf: () => 'trusted' } });
/** Round trip that is added to the links to next shards, ms. */
let rttMs = 0;
process.on('message', (told: { readonly rttMs: number }) => {
  rttMs = told.rttMs;
});
const book =
  settings.work === undefined
    ? null
    : openWorkBook({
        ...{ path: settings.work.path, accounts: { rows: settings.work.rows } },
        ...{ identity: createIdentity(seedOf(number)), clock: systemClock, random: systemRandom },
        log: silentLogger,
      });
serveShards({
  ...(settings.build !== undefined && { build: async () => settings.build! }),
  swarm: { handle: (...method) => swarm.handle(...method), ...delayed(swarm, () => rttMs) },
  engine: settings.lie === undefined ? engine : liar(engine, settings.lie),
  shards: () => [{ model, from, to, id: 'blocks', width }],
  admit: () => {},
  ...(book !== null && { work: book }),
  log: silentLogger,
});
process.send!({ peer: swarm.peer, addresses: swarm.addresses });
