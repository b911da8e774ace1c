/** Memory over many requests, some of which leave early. @module bench/api/soak */
import { cpuMs, rssOf } from '../lib/process-usage.ts';
import { table } from '../lib/stats.ts';
import { type Bench, promptOf } from './types.ts';

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

export async function measureSoak(bench: Bench): Promise<unknown> {
  const { node, client, requests } = bench;
  const enginePid = await node.enginePid();
  const prompts = Array.from({ length: 64 }, (_, i) => promptOf(12, i));
  const each = Math.ceil(requests / 10);
  const samples: { done: number; node: number; engine: number }[] = [];
  const totals: Record<string, number> = {};
  const sample = (done: number) => samples.push({ done, node: rssOf(node.pid), engine: rssOf(enginePid) });
  sample(0);
  const before = cpuMs(node.pid);
  for (let part = 0; part < 10; part++) {
    const tally = await client.call<Record<string, number>>('soak', {
      port: node.port,
      connections: 16,
      count: each,
      seed: part,
      aborts: 0.1,
      prompts,
    });
    for (const [key, value] of Object.entries(tally)) totals[key] = (totals[key] ?? 0) + value;
    sample((part + 1) * each);
  }
  const cpu = ((cpuMs(node.pid) - before) * 1000) / (each * 10);
  const rows = samples.map(({ done, node: own, engine }) => [
    String(done),
    mebibytes(own),
    mebibytes(engine),
  ]);
  console.log(`${table(['Requests done', 'RSS of the node, MiB', 'RSS of its engine, MiB'], rows)}\n`);
  // The first fifth fills caches and compiles code.
  const growth = (key: 'node' | 'engine') => samples.at(-1)![key] / samples[2]![key];
  console.log(
    `${each * 10} requests in ${totals.seconds!.toFixed(0)} s: ${totals.models} lists of models, ${totals.completions} completions of one token, ${totals.streams} streams; ${totals.aborted} left early, ${totals.refused} refused.`,
  );
  console.log(
    `CPU of the node ${cpu.toFixed(0)} µs/request. RSS at the end over RSS at 20 %: node ${growth('node').toFixed(3)}, engine ${growth('engine').toFixed(3)}.\n`,
  );
  return { samples, totals, cpu };
}
