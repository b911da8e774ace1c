/**
 * The evaluation tables of RouteLLM (https://github.com/lm-sys/RouteLLM, Apache-2.0): prompts of MMLU and GSM8K, with
 * whether Mixtral-8x7B (weak) and GPT-4 (strong) answered each of them rightly.
 *
 * A file of gzipped JSON lines: `b` benchmark, `sub` subject, `prompt`, `weak`, `strong` (0 or 1), `contam` (1 where
 * RouteLLM leaves the prompt out, since it resembles its training data). Benchmark and subject are read to choose the
 * table and never reach a router.
 *
 * @module bench/router/data
 */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

export interface Question {
  readonly prompt: string;
  /** 1 where the model's answer was right. */
  readonly weak: 0 | 1;
  readonly strong: 0 | 1;
}

export interface Tables {
  readonly mmlu: readonly Question[];
  readonly gsm8k: readonly Question[];
}

const bit = z.union([z.literal(0), z.literal(1)]);
const line = z.discriminatedUnion('b', [
  z.object({ b: z.enum(['mmlu', 'gsm8k']), prompt: z.string(), weak: bit, strong: bit, contam: bit }),
  // Its 72 conversations are graded 1 to 10, not right or wrong, and are too few to fit and test on.
  z.object({ b: z.literal('mtbench') }),
]);

/** Reads the tables, without the prompts that RouteLLM leaves out; null when the file is not there. */
export function readTables(path: string): Tables | null {
  if (!existsSync(path)) return null;
  const tables = { mmlu: [] as Question[], gsm8k: [] as Question[] };
  for (const text of gunzipSync(readFileSync(path)).toString('utf8').split('\n')) {
    if (text === '') continue;
    const row = line.parse(JSON.parse(text));
    if (row.b === 'mtbench' || row.contam === 1) continue;
    tables[row.b].push({ prompt: row.prompt, weak: row.weak, strong: row.strong });
  }
  return tables;
}
