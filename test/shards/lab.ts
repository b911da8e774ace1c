/**
 * An owner, and nodes that serve blocks of stories15M, each with a swarm of its own in this process and one engine for all:
 * for tests that ask what a path does, not what a process does.
 *
 * @module test/shards/lab
 */
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type Engine, type GenerateRequest } from '../../src/engine/index.ts';
import {
  openPath,
  type Path,
  type PathEvent,
  type PathOptions,
  planSubstitute,
  type ShardOffer,
  type ShardService,
  serveShards,
} from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';

const MODEL = 'ab'.repeat(32);
export const CELLS = 256;
const gate = { tierOf: () => 'trusted' as const };

export interface LabPeer {
  readonly swarm: Swarm;
  readonly service: ShardService;
  readonly offer: ShardOffer;
}

export type EngineChanges = Partial<Parameters<typeof createEngine>[0]>;

export const newEngine = (changes: EngineChanges = {}): Engine =>
  createEngine({
    threads: 1,
    device: 'cpu',
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
    ...changes,
  });

/** The model whole, and its halves, in one engine. */
export async function loadHalves(engine: Engine): Promise<void> {
  const path = await testModel('stories15m-f16');
  for (const [from, to] of [
    [0, 3],
    [3, 6],
  ] as const)
    await engine.load({ id: `blocks ${from}-${to}`, path, range: { from, to, embed: false, head: false } });
}

export interface Lab extends AsyncDisposable {
  readonly engine: Engine;
  readonly owner: Swarm;
  /** Serves a half of the model, with the lab's engine unless another is given. */
  startPeer(from: number, to: number, by?: Engine): Promise<LabPeer>;
  stopPeer(peer: LabPeer): Promise<void>;
  /** A model `id` of the owner whose blocks are all on a path through `peers`. `others` stand in for those that are lost. */
  overPath(
    id: string,
    peers: readonly LabPeer[],
    others: readonly LabPeer[],
    changes?: Partial<PathOptions>,
  ): Promise<{ path: Path; events: PathEvent[] }>;
  /** Tokens of an answer. */
  answer(
    model: string,
    request?: Partial<GenerateRequest>,
    onToken?: (count: number) => void | Promise<void>,
  ): Promise<number[]>;
}

/** @param firstNumber of the seeds of its nodes; those of other files must not run at the same time */
export async function openLab(firstNumber: number): Promise<Lab> {
  const engine = newEngine();
  await engine.load({ id: 'whole', path: await testModel('stories15m-f16') });
  await loadHalves(engine);
  let last = firstNumber;
  const owner = await swarmOnLoopback(last, { gate });
  const swarms = new Set([owner]);
  return {
    engine,
    owner,
    async startPeer(from, to, by = engine) {
      const swarm = await swarmOnLoopback(++last, { gate });
      swarms.add(swarm);
      const service = serveShards({
        swarm,
        engine: by,
        shards: () => [{ model: MODEL, from, to, id: `blocks ${from}-${to}`, width: 288 }],
        admit: () => undefined,
        log: silentLogger,
      });
      return { swarm, service, offer: { peer: swarm.peer, addresses: swarm.addresses, from, to } };
    },
    async stopPeer({ swarm }) {
      swarms.delete(swarm);
      await swarm[Symbol.asyncDispose]();
    },
    async overPath(id, peers, others, changes = {}) {
      const events: PathEvent[] = [];
      const path = await openPath({
        swarm: owner,
        model: MODEL,
        shards: peers.map(({ offer }) => offer),
        cells: CELLS,
        substitute: async (span, lost) =>
          planSubstitute(
            { span, cells: CELLS },
            others.map(({ offer }) => ({ ...offer, msPerBlock: 1, load: 0, rttMs: 1, freeCells: CELLS })),
            lost,
          ),
        onEvent: (event) => events.push(event),
        clock: systemClock,
        random: systemRandom,
        log: silentLogger,
        ...changes,
      });
      const elsewhere = { from: 0, to: 6, kvCells: CELLS };
      await engine.load({ id, path: await testModel('stories15m-f16'), elsewhere }, { carry: path.carry });
      return { path, events };
    },
    async answer(model, request = {}, onToken = () => {}) {
      const tokens: number[] = [];
      for await (const event of engine.generate({
        model,
        prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who' },
        sampler: { temperature: 0, topLogprobs: 0 },
        maxTokens: 24,
        stop: [],
        ...request,
      }))
        if (event.type === 'text') {
          tokens.push(...event.logprobs!.map(({ token }) => token));
          await onToken(tokens.length);
        }
      return tokens;
    },
    async [Symbol.asyncDispose]() {
      for (const swarm of swarms) await swarm[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}
