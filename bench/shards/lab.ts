/**
 * What the benchmarks of paths share: an owner with his engine, peers in processes of their own that hold all blocks, and paths
 * through the first two or all three of them, each with an even part.
 *
 * @module bench/shards/lab
 */
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { type Carry, createEngine, type Engine } from '../../src/engine/index.ts';
import { openPath, type Path, type PathEvent, type PathOptions } from '../../src/shards/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { delayed } from '../../test/shards/delayed.ts';
import { forkShardPeer, type ShardPeer } from '../../test/shards/peers.ts';

const MODEL = 'ef'.repeat(32);
export const CONTEXT = 1024;

export interface Answer {
  readonly tokens: readonly number[];
  /** ms to the first token. */
  readonly first: number;
  /** ms between two tokens, on average. */
  readonly each: number;
  /** Longest ms between two tokens. */
  readonly pause: number;
}

export type Speculation = 'off' | 'auto';

export interface BenchLab extends AsyncDisposable {
  /** Without guesses. */
  readonly engine: Engine;
  readonly blocks: number;
  readonly peers: readonly ShardPeer[];
  /** The model `name` over the first `parts` peers. */
  addPath(name: string, parts: number, changes?: PathChanges): Promise<Path>;
  once(
    model: string,
    prompt: Int32Array,
    maxTokens: number,
    onToken?: (count: number) => void,
  ): Promise<Answer>;
}

export interface PathChanges extends Partial<PathOptions> {
  /** Round trip that is added to each link, ms. */
  readonly rttMs?: number;
  /** @default 'off' */
  readonly speculation?: Speculation;
  readonly wrap?: (carry: Carry) => Carry;
  readonly events?: PathEvent[];
}

/** The model of `file` is loaded whole as `whole`. */
export async function openBench(file: string, peerCount: number, promptRows: number): Promise<BenchLab> {
  const open = (speculation: Speculation): Engine =>
    createEngine({
      threads: 1,
      device: 'cpu',
      context: CONTEXT,
      prefillChunk: promptRows,
      speculation,
      log: silentLogger,
      clock: systemClock,
      random: systemRandom,
    });
  const engines = { off: open('off'), auto: open('auto') } as const;
  const engine = engines.off;
  /** The engine of each model. */
  const placeOf = new Map<string, Engine>([['whole', engine]]);
  const { blocks } = await engine.load({ id: 'whole', path: file });
  const owner = await swarmOnLoopback(200, { gate: { tierOf: () => 'trusted' } });
  const peers: ShardPeer[] = [];
  for (let i = 0; i < peerCount; i++) {
    const settings = { number: 201 + i, path: file, model: MODEL, from: 0, to: blocks, context: CONTEXT };
    peers.push(await forkShardPeer(settings));
  }
  const paths: Path[] = [];
  return {
    engine,
    blocks,
    peers,
    async addPath(name, parts, given = {}) {
      const { rttMs = 0, speculation = 'off', events = [], ...rest } = given;
      const { wrap = (carry: Carry) => carry, ...changes } = rest;
      const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * blocks) / parts));
      for (const { child } of peers) if (child.connected) child.send({ rttMs });
      const path = await openPath({
        swarm: delayed(owner, () => rttMs),
        model: MODEL,
        shards: bounds.slice(1).map((to, i) => ({ ...peers[i]!.offer, from: bounds[i]!, to })),
        cells: CONTEXT,
        substitute: async () => null,
        onEvent: (event) => events.push(event),
        clock: systemClock,
        random: systemRandom,
        log: silentLogger,
        ...changes,
      });
      paths.push(path);
      const elsewhere = { from: 0, to: blocks, kvCells: CONTEXT };
      await engines[speculation].load({ id: name, path: file, elsewhere }, { carry: wrap(path.carry) });
      placeOf.set(name, engines[speculation]);
      return path;
    },
    async once(model, prompt, maxTokens, onToken = () => {}) {
      const tokens: number[] = [];
      const times: number[] = [];
      const from = performance.now();
      for await (const event of placeOf.get(model)!.generate({
        model,
        prompt: { kind: 'tokens', tokens: prompt },
        sampler: { temperature: 0, topLogprobs: 0 },
        maxTokens,
        stop: [],
        cachePrompt: false,
      }))
        if (event.type === 'text')
          for (const { token } of event.logprobs!) {
            tokens.push(token);
            times.push(performance.now());
            onToken(tokens.length);
          }
      const pauses = times.slice(1).map((time, i) => time - times[i]!);
      return {
        tokens,
        first: times[0]! - from,
        each: (times.at(-1)! - times[0]!) / (times.length - 1),
        pause: Math.max(0, ...pauses),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const path of paths) await path[Symbol.asyncDispose]();
      await owner[Symbol.asyncDispose]();
      for (const peer of peers) await peer.kill();
      for (const one of Object.values(engines)) await one[Symbol.asyncDispose]();
    },
  };
}

/** Tokens that differ by round, so that no prefix helps. */
export const promptOf = (length: number, round: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => (i === 0 ? 1 : 300 + ((i * 31 + (round + 1) * 977) % 4000)));
