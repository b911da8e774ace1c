/**
 * `npm run bench:trust`: attacks on trust in a simulated community, each with the bound it is held to and what was measured;
 * then what scores cost. Exits with 1 when a bound does not hold.
 *
 * Options: --seed N (first seed, 1), --seeds N (how many, 3), --runs N (of each case left to chance, 200),
 * --only attacks|speed.
 *
 * @module bench/trust
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { attacks } from '../src/trust/simulation/attacks.ts';
import type { Finding } from '../src/trust/simulation/finding.ts';
import { table } from './lib/stats.ts';
import { speed } from './trust/speed.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '200' },
    only: { type: 'string' },
  },
});
const first = Number(options.seed);
const seeds = Array.from({ length: Number(options.seeds) }, (_, i) => first + i);
const wanted = (part: string): boolean => options.only === undefined || options.only === part;

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${process.platform} ${process.arch}, Node ${process.version}`,
);
console.log(`Seeds ${seeds.join(', ')}; ${options.runs} runs of each case left to chance.\n`);

if (wanted('attacks')) {
  for (const attack of attacks(Number(options.runs))) {
    console.log(`## ${attack.name}\n`);
    const bySeed = seeds.map((seed) => ({ seed, findings: attack.run(seed) }));
    const rows = bySeed[0]!.findings.flatMap((_, i) =>
      distinct(bySeed.map(({ seed, findings }) => ({ seed, ...findings[i]! }))),
    );
    console.log(`${table(['attack', 'bound', 'seed', 'measured', 'holds'], rows)}\n`);
    if (bySeed.some(({ findings }) => findings.some(({ holds }) => !holds))) process.exitCode = 1;
  }
}
if (wanted('speed')) {
  console.log('## Cost\n');
  console.log(table(['what', 'processor time'], await speed(first)));
}

/** One row for all seeds where they came to the same. */
function distinct(found: readonly (Finding & { seed: number })[]): string[][] {
  const isSame = found.every(
    ({ measured, bound }) => measured === found[0]!.measured && bound === found[0]!.bound,
  );
  const shown = isSame ? found.slice(0, 1) : found;
  return shown.map(({ attack, bound, seed, measured, holds }) => [
    attack,
    bound,
    isSame ? 'all' : String(seed),
    measured,
    holds ? 'yes' : 'NO',
  ]);
}
