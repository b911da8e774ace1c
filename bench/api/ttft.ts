/** Time to the first token when many ask at once. @module bench/api/ttft */
import { median, ratios, spread, table } from '../lib/stats.ts';
import { type Bench, questionOf, type Timed, unending, unendingBody } from './types.ts';

const tokens = 8;

export async function measureTtft(bench: Bench): Promise<unknown> {
  const { node, engine, client, rival } = bench;
  const results: Record<string, unknown> = {};
  const rows: string[][] = [];
  for (const clients of bench.quick ? [1, 4] : [1, 16, 64]) {
    const of = { http: [] as number[], engine: [] as number[], rival: [] as number[], last: [] as number[] };
    // One client alone is over in milliseconds: more rounds say more.
    const rounds = clients === 1 && !bench.quick ? bench.rounds * 5 : bench.rounds;
    for (let round = -1; round < rounds; round++) {
      const users = Array.from({ length: clients }, (_, i) =>
        questionOf((round + 2) * 1000 + clients * 100 + i),
      );
      const bodies = users.map((content) => ({
        messages: [{ role: 'user', content }],
        stream: true,
        max_tokens: tokens,
        ...unendingBody,
      }));
      const asks = users.map((user) => ({ user, count: tokens, logitBias: unending }));
      const http = await client.call<Timed[]>('together', {
        port: node.port,
        path: '/v1/chat/completions',
        bodies,
        firstText: 1,
      });
      const bare = await engine.call<Timed[]>('together', { asks });
      const theirs = (await rival?.call<number[]>('together', { users, count: tokens })) ?? [];
      if (round < 0) continue;
      of.http.push(median(http.map(({ ttftMs }) => ttftMs)));
      of.last.push(Math.max(...http.map(({ ttftMs }) => ttftMs)));
      of.engine.push(median(bare.map(({ ttftMs }) => ttftMs)));
      if (theirs.length > 0) of.rival.push(median(theirs));
    }
    results[clients] = of;
    rows.push([
      String(clients),
      spread(of.http),
      spread(of.last),
      spread(of.engine),
      spread(ratios(of.http, of.engine, false)),
      spread(of.rival),
      spread(ratios(of.http, of.rival, false)),
    ]);
  }
  const head = [
    'TTFT, ms: clients',
    'over HTTP, median',
    'over HTTP, last',
    'bare engine',
    'engine/HTTP',
    'node-llama-cpp in-process',
    'node-llama-cpp/HTTP',
  ];
  console.log(`${table(head, rows)}\n`);
  return results;
}
