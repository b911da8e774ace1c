/** `kith vpk bench`: what keeping vectors plainly, sealed, split and perturbed costs on this machine. @module cli/commands/vpk-bench */
import { formatBytes } from '../../base/index.ts';
import {
  type BenchRow,
  FEW_QUERIES,
  type KnownPairsRow,
  LEARNS,
  LEARNS_HEAD,
  vaultBench,
} from '../../node/index.ts';
import { REVIEW_WARNING, WEAK_WARNING } from '../../vault/index.ts';
import { UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';

function numbers(value: unknown, name: string, most: number): number[] {
  const parts = String(value).split(',').map(Number);
  if (parts.some((part) => !Number.isInteger(part) || part < 0 || part > most))
    throw new UsageError(`--${name} is whole numbers up to ${most} with commas, not '${String(value)}'.`);
  return parts;
}

const ms = (value: number | null): string =>
  value === null ? '' : value < 10 ? value.toFixed(2) : value.toFixed(0);

const rowOf = ({
  mode,
  eves,
  rttMs,
  uploadMs,
  p50,
  p95,
  recall,
  up,
  down,
  eveMs,
  bobMs,
}: BenchRow): string[] => [
  mode === 'perturbed' ? 'perturbed (weak)' : mode,
  eves === 0 ? '' : String(eves),
  eves === 0 ? '' : String(rttMs),
  uploadMs === null ? '' : (uploadMs / 1000).toFixed(2),
  ms(p50),
  ms(p95),
  recall.toFixed(4),
  up === null ? '' : formatBytes(up),
  down === null ? '' : formatBytes(down),
  ms(eveMs),
  ms(bobMs),
];

const pairText = ({ known, candidates, found, cosine }: KnownPairsRow): string =>
  `  ${known} known pairs: ${(100 * found).toFixed(1)} % of other records found among ${candidates}; decoded vectors have cosine ${cosine.toFixed(2)}`;

const HEAD = [
  'MODE',
  'EVES',
  'RTT MS',
  'UPLOAD S',
  'P50 MS',
  'P95 MS',
  'RECALL',
  'UP',
  'DOWN',
  'EVE MS',
  'BOB MS',
];

export const bench: Handler = async ({ options }) => {
  const eves = numbers(options.eves ?? '1,2,5,11', 'eves', 64).filter((count) => count > 0);
  const rtts = numbers(options.rtt ?? '0,25,92', 'rtt', 10_000);
  const [vectors, dimension, queries] = [options.vectors, options.dimensions, options.queries].map(
    Number,
  ) as [number, number, number];
  using interrupt = onInterrupt();
  if (options.json !== true) {
    say(
      `${vectors} vectors of ${dimension} numbers, ${queries} questions (${Math.min(FEW_QUERIES, queries)} where Eves are asked); all Eves and Bob share this process.`,
    );
    if (eves.includes(1)) say('split takes Eves of two operators: with one Eve it has no row.');
    say(REVIEW_WARNING);
    say(WEAK_WARNING);
  }
  const rows: BenchRow[] = [];
  const pairs = await vaultBench({
    ...{ vectors, dimension, queries, eves, rtts, signal: interrupt.signal },
    onRow(row) {
      rows.push(row);
      if (options.json !== true && process.stderr.isTTY) say(rowOf(row).filter(Boolean).join('  '));
    },
  });
  if (options.json) {
    const learns = LEARNS.map(([what, plain, sealed, split, perturbed]) => ({
      ...{ what, plain, sealed, split, perturbed },
    }));
    const warnings = [REVIEW_WARNING, WEAK_WARNING];
    printJson({ vectors, dimension, queries, rows, pairs, learns, warnings });
    return;
  }
  print(table([HEAD, ...rows.map(rowOf)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  for (const { mode, eves: count, rttMs, first } of rows)
    if (first !== undefined)
      print(
        `${mode}, ${count} ${count === 1 ? 'Eve' : 'Eves'}, ${rttMs} ms: the first question takes ${ms(first.ms)} ms and ${formatBytes(first.down)}, its index included.`,
      );
  print();
  print('Who learns what beside the owner:');
  print(table([[...LEARNS_HEAD], ...LEARNS.map((row) => [...row])]));
  print();
  print('perturbed is weak: an Eve who knows of some vectors what became of them finds out the others.');
  for (const row of pairs) print(pairText(row));
  print();
  print(
    'KwaaiNet publishes for 50,000 x 384: 53 s of upload and 2.49 ms (p50) for its local HNSW, and recalls of 14 to 18 % when sharded: figures of its own documents, on other machines and vectors.',
  );
};
