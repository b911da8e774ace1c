/** What a request and a streamed chunk cost over the bare engine. @module bench/api/overhead */
import { cpuMs } from '../lib/process-usage.ts';
import { median, spread, table } from '../lib/stats.ts';
import { type Bench, promptOf, questionOf, type Timed, unending, unendingBody } from './types.ts';

interface Round {
  /** Median wall ms of one answer. */
  readonly http: number;
  readonly engine: number;
  /** CPU µs of the process that fronts the engine, per answer. */
  readonly httpCpu: number;
  readonly engineCpu: number;
}

/** The same prompts to both, in turn; answers of `count` tokens, one after the other. */
async function rounds(
  bench: Bench,
  kind: 'chat' | 'completion',
  count: number,
  each: number,
): Promise<Round[]> {
  const { node, engine, client } = bench;
  const path = kind === 'chat' ? '/v1/chat/completions' : '/v1/completions';
  const stream = count > 1;
  const done: Round[] = [];
  // The first round warms code and caches of both up.
  for (let round = -1; round < bench.rounds; round++) {
    const numbers = Array.from({ length: each }, (_, i) => (round + 2) * 10_000 + i);
    const bodies = numbers.map((number) => ({
      ...(kind === 'chat'
        ? { messages: [{ role: 'user', content: questionOf(number) }] }
        : { prompt: promptOf(32, number) }),
      ...unendingBody,
      max_tokens: count,
      stream,
    }));
    const asks = numbers.map((number) => ({
      ...(kind === 'chat' ? { user: questionOf(number) } : { tokens: promptOf(32, number) }),
      count,
      logitBias: unending,
    }));
    const cpu = { node: cpuMs(node.pid), engine: cpuMs(bench.enginePid) };
    const http = await client.call<Timed[]>('sequence', {
      port: node.port,
      path,
      bodies,
      firstText: kind === 'chat' ? 1 : 0,
    });
    const bare = await engine.call<Timed[]>('sequence', { asks });
    const since = (pid: number, before: number) => ((cpuMs(pid) - before) * 1000) / each;
    if (round < 0) continue;
    done.push({
      http: median(http.map(({ totalMs }) => totalMs)),
      engine: median(bare.map(({ totalMs }) => totalMs)),
      httpCpu: since(node.pid, cpu.node),
      engineCpu: since(bench.enginePid, cpu.engine),
    });
  }
  return done;
}

export async function measureOverhead(bench: Bench): Promise<unknown> {
  const [few, many, tokens] = bench.quick ? [20, 4, 64] : [200, 20, 200];
  const results: Record<string, unknown> = {};
  const rows: string[][] = [];
  for (const kind of ['completion', 'chat'] as const) {
    const one = await rounds(bench, kind, 1, few);
    const long = await rounds(bench, kind, tokens, many);
    results[kind] = { request: one, stream: long, tokens };
    const perRequest = one.map(({ http, engine }) => (http - engine) * 1000);
    const perChunk = long.map(({ http, engine }) => ((http - engine) * 1000) / tokens);
    rows.push(
      [`${kind}: one token, ms`, spread(one.map((r) => r.http)), spread(one.map((r) => r.engine))],
      ['  added per request, µs', spread(perRequest), ''],
      [
        '  CPU of the fronting process per request, µs',
        spread(one.map((r) => r.httpCpu)),
        spread(one.map((r) => r.engineCpu)),
      ],
      [
        `${kind}: stream of ${tokens} tokens, ms`,
        spread(long.map((r) => r.http)),
        spread(long.map((r) => r.engine)),
      ],
      ['  added per chunk, µs', spread(perChunk), ''],
      [
        '  CPU of the fronting process per chunk, µs',
        spread(long.map((r) => r.httpCpu / tokens)),
        spread(long.map((r) => r.engineCpu / tokens)),
      ],
      ['  whole stream over the engine, ratio', spread(long.map((r) => r.http / r.engine)), ''],
    );
  }
  console.log(`${table(['Overhead, one client', 'over HTTP', 'bare engine'], rows)}\n`);
  return results;
}
