/** Requests per second of the smallest answers. @module bench/api/rate */
import { cpuMs } from '../lib/process-usage.ts';
import { ratios, spread, table } from '../lib/stats.ts';
import { type Bench, promptOf, unending, unendingBody } from './types.ts';

interface Load {
  readonly perSecond: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** µs per request. */
  readonly cpu: number;
}

async function load(bench: Bench, pid: number, args: Readonly<Record<string, unknown>>): Promise<Load> {
  const before = cpuMs(pid);
  const result = await bench.client.call<Omit<Load, 'cpu'>>('load', args);
  return { ...result, cpu: ((cpuMs(pid) - before) * 1000) / (args.count as number) };
}

export async function measureRate(bench: Bench): Promise<unknown> {
  const { node, bare, engine } = bench;
  const constant = await (await fetch(`${node.url}/v1/models`)).text();
  const barePort = await bare.call('open', { body: constant });
  const barePid = await bare.call('pid');
  const results: Record<string, unknown> = {};
  const rows: string[][] = [];
  // Below the requests after which a connection is closed (limit requestsPerConnection).
  const [models, completions] = bench.quick ? [1_000, 100] : [4_000, 1_000];
  for (const connections of [1, 16, 64]) {
    const of = { ours: [] as Load[], ceiling: [] as Load[], one: [] as Load[], engine: [] as number[] };
    for (let round = -1; round < bench.rounds; round++) {
      const get = { connections, count: models, method: 'GET', path: '/v1/models' };
      const ours = await load(bench, node.pid, { ...get, port: node.port });
      const ceiling = await load(bench, barePid, { ...get, port: barePort });
      // The same prompt again and again, so that it is in both prefix caches: what remains is the request.
      const one = await load(bench, node.pid, {
        connections,
        count: completions,
        method: 'POST',
        path: '/v1/completions',
        port: node.port,
        body: { prompt: promptOf(8, 1), max_tokens: 1, ...unendingBody },
      });
      const ask = { tokens: promptOf(8, 1), count: 1, logitBias: unending };
      const rate = await engine.call('rate', { connections, asks: Array(completions).fill(ask) });
      if (round < 0) continue;
      of.ours.push(ours);
      of.ceiling.push(ceiling);
      of.one.push(one);
      of.engine.push(rate);
    }
    results[connections] = of;
    const pick = (loads: readonly Load[], key: keyof Load) => spread(loads.map((each) => each[key]));
    const perSecond = (loads: readonly Load[]) => loads.map((each) => each.perSecond);
    rows.push(
      [
        `/v1/models, ${connections}`,
        pick(of.ours, 'perSecond'),
        pick(of.ceiling, 'perSecond'),
        spread(ratios(perSecond(of.ours), perSecond(of.ceiling))),
        pick(of.ours, 'cpu'),
        pick(of.ceiling, 'cpu'),
        pick(of.ours, 'p99'),
      ],
      [
        `one token, ${connections}`,
        pick(of.one, 'perSecond'),
        spread(of.engine),
        spread(ratios(perSecond(of.one), of.engine)),
        pick(of.one, 'cpu'),
        '',
        pick(of.one, 'p99'),
      ],
    );
  }
  const head = [
    'Route, connections',
    'requests/s',
    'node:http constant or bare engine',
    'ratio',
    'CPU µs/request',
    'of node:http',
    'p99 ms',
  ];
  console.log(`${table(head, rows)}\n`);
  return results;
}
