/**
 * `npm run bench:grammar`: what structured output adds to each token.
 *
 * Decodes answers to a few schemas, as requests do, and times apart the model's pass, the sampling, and the grammar's
 * share (mask before the choice, step after it). The first answer of a grammar meets every state for the first time;
 * later ones find most masks made. The target is a median of at most 5 % of the decode on TinyLlama.
 *
 * Options: --model NAME (tinyllama), --answers N (5), --tokens N per answer (80), --threads N (cores - 1).
 *
 * @module bench/grammar
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { createGrammars } from '../src/engine/grammar/index.ts';
import { createCompute, loadGgml, openRunner } from '../src/engine/runner/index.ts';
import { createSampler } from '../src/engine/sampler/index.ts';
import { createTokenizer } from '../src/engine/tokenizer/index.ts';
import type { Grammar } from '../src/engine/types.ts';
import { fileSource, readGguf } from '../src/models/index.ts';
import { benchModel } from './lib/models.ts';
import { median, spread, table } from './lib/stats.ts';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'tinyllama' },
    answers: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '80' },
    threads: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
  },
});

const person = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer', minimum: 0, maximum: 130 },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 4 },
  },
  required: ['name', 'age', 'tags'],
  additionalProperties: false,
};
const json = (schema: unknown): Grammar => ({ kind: 'json_schema', schema });
const GRAMMARS: Readonly<Record<string, Grammar>> = {
  // What nearly all tokens of an answer with tools are: not a call.
  'free text until a call': { kind: 'text', until: ['<tool_call>'], next: json(person) },
  'an object': json(person),
  'texts with a length': json({
    type: 'array',
    items: { type: 'string', minLength: 20, maxLength: 200 },
    minItems: 2,
  }),
  'a pattern': json({ type: 'string', pattern: '^[A-Z][a-z]+( [a-z]+){4,30}\\.$' }),
  'a tree': json({
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          label: { type: 'string' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['label', 'children'],
      },
    },
  }),
  'any object': { kind: 'json_object' },
};

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;

await using source = await fileSource(await benchModel(options.model));
const gguf = await readGguf(source);
const tokenizer = createTokenizer(gguf.metadata);
const compute = createCompute(loadGgml(), { threads: Number(options.threads), device: 'cpu' });
await using runner = await openRunner(compute, {
  gguf,
  source,
  kvCells: 512,
  kvType: 'f16',
  context: 512,
  maxRows: 256,
});
const { vocab } = runner.info;
const cells = Int32Array.from({ length: 512 }, (_, i) => i);
const treeAt = performance.now();
const grammars = createGrammars(tokenizer, vocab);
grammars.matcher({ kind: 'literal', text: 'x' });
console.log(`Vocabulary of ${vocab}: token tree in ${(performance.now() - treeAt).toFixed(0)} ms\n`);

interface Times {
  readonly pass: number[];
  readonly grammar: number[];
}

async function answer(grammar: Grammar, seed: number, times: Times): Promise<void> {
  const matcher = grammars.matcher(grammar);
  let masked = 0;
  const sampler = createSampler({ temperature: 1, seed }, vocab, {
    mask: (logits) => {
      const from = performance.now();
      matcher.mask(logits);
      masked = performance.now() - from;
    },
  });
  let tokens = tokenizer.encode('Write JSON about a family in a village.\n');
  let start = 0;
  for (let count = 0; count < Number(options.tokens) && !matcher.ended; count++) {
    const from = performance.now();
    const { rows } = await runner.forward([
      { cells, start, count: tokens.length, tokens, hidden: null, outputs: 'last' },
    ]);
    const pass = performance.now() - from;
    start += tokens.length;
    const { token } = sampler.sample(rows);
    const accepting = performance.now();
    matcher.accept(token);
    times.grammar.push(masked + performance.now() - accepting);
    if (count > 0) times.pass.push(pass);
    if (tokenizer.eog.has(token)) return;
    tokens = Int32Array.of(token);
  }
}

const rows: string[][] = [];
const all: Times = { pass: [], grammar: [] };
for (const [name, grammar] of Object.entries(GRAMMARS)) {
  const compiling = performance.now();
  grammars.matcher(grammar);
  const compiled = performance.now() - compiling;
  const first: Times = { pass: [], grammar: [] };
  const later: Times = { pass: [], grammar: [] };
  for (let seed = 1; seed <= Number(options.answers); seed++)
    await answer(grammar, seed, seed === 1 ? first : later);
  const pass = median([...first.pass, ...later.pass]);
  const share = (times: Times): string => `${((100 * median(times.grammar)) / pass).toFixed(2)} %`;
  const shown = (times: Times): string =>
    `${median(times.grammar).toFixed(3)} / ${p95(times.grammar).toFixed(3)}`;
  rows.push([
    name,
    compiled.toFixed(1),
    spread(first.pass),
    shown(first),
    share(first),
    shown(later),
    share(later),
  ]);
  all.pass.push(...first.pass, ...later.pass);
  all.grammar.push(...first.grammar, ...later.grammar);
}
console.log(
  table(
    [
      'grammar',
      'compile ms',
      'pass ms',
      'first: median / p95 ms',
      'of the pass',
      'later: median / p95 ms',
      'of the pass',
    ],
    rows,
  ),
);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
console.log(
  `\nAll ${all.grammar.length} tokens: median ${median(all.grammar).toFixed(3)} ms, p95 ${p95(all.grammar).toFixed(3)} ms; ` +
    `median ${((100 * median(all.grammar)) / median(all.pass)).toFixed(2)} % of the decode, in all ${((100 * sum(all.grammar)) / sum(all.pass)).toFixed(2)} %.`,
);
compute[Symbol.dispose]();
