/**
 * `npm run bench:api`: what the HTTP surface costs over the engine that it fronts.
 *
 * A whole node (`kith start`) is one process, its client another, on raw sockets. Beside them, in the same run and in
 * turn: the same engine driven in-process with the same prompts (the floor of every answer), node:http that answers
 * from a constant (the ceiling of requests per second), and node-llama-cpp's chat session (the rival for first tokens).
 *
 * Options: --quick (small counts, to see that it runs), --rounds N (5), --model NAME of the test models
 * (minimind2-q8_0), --threads N (cores - 1), --only overhead|rate|ttft|soak, --requests N of the soak (100000),
 * --json FILE (every figure of every round).
 *
 * @module bench/api
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { measureOverhead } from './api/overhead.ts';
import { measureRate } from './api/rate.ts';
import { measureSoak } from './api/soak.ts';
import { measureTtft } from './api/ttft.ts';
import type { Bench } from './api/types.ts';
import { benchModel } from './lib/models.ts';
import { startOwnNode } from './lib/own-node.ts';
import { startSubject } from './lib/subject.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    model: { type: 'string', default: 'minimind2-q8_0' },
    threads: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
    only: { type: 'string' },
    requests: { type: 'string' },
    json: { type: 'string' },
  },
});
const { quick, threads } = options;
const maxActive = 64;
const parts = { overhead: measureOverhead, rate: measureRate, ttft: measureTtft, soak: measureSoak };
const chosen = options.only?.split(',') ?? Object.keys(parts);
const unknown = chosen.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) throw new Error(`--only ${unknown}: use ${Object.keys(parts).join(', ')}.`);

const model = await benchModel(options.model);
await using node = await startOwnNode(model, {
  'engine.threads': threads,
  'engine.device': 'cpu',
  'engine.context': '512',
  'engine.maxActive': String(maxActive),
  'engine.maxQueue': '1024',
});
const script = (name: string) => new URL(`./subjects/${name}.ts`, import.meta.url);
const engineArguments = [model, threads, String(maxActive)];
const engine = startSubject('bare engine', script('api-engine'), engineArguments);
const client = startSubject('client', script('api-load'), []);
const bare = startSubject('node:http', script('bare-http'), []);
const rival = chosen.includes('ttft')
  ? startSubject('node-llama-cpp', script('node-llama-cpp-chat'), engineArguments)
  : null;
try {
  const enginePid = await engine.call('open');
  await rival?.call('open');
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    model: options.model,
    threads: Number(threads),
  };
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; ${options.model}, ${threads} compute threads.`,
  );
  console.log(
    'Server, engines and client share these cores. Medians (min-max) of rounds; ratios round by round.\n',
  );
  const bench: Bench = {
    node,
    engine,
    client,
    bare,
    rival,
    enginePid,
    quick,
    rounds: Number(options.rounds ?? (quick ? 2 : 5)),
    requests: Number(options.requests ?? (quick ? 2_000 : 100_000)),
  };
  const results: Record<string, unknown> = { machine };
  for (const name of Object.keys(parts) as (keyof typeof parts)[]) {
    if (chosen.includes(name)) results[name] = await parts[name](bench);
  }
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
} finally {
  await Promise.all([engine, client, bare, rival].map((subject) => subject?.stop()));
}
