/**
 * `npm run bench:shards-privacy`: how many tokens of a text the simplest reader of hidden states gets back, at each depth.
 *
 * Whoever holds the embedding table (it is in the file of the model) can look for the token whose row is nearest to a hidden
 * state. At block 0 the hidden state is that row. After some blocks it is a mixture with what stood before it. This measures
 * that one way alone, plainly and with the mean over the text taken off; a reader that was trained for it gets more.
 *
 * Options: --model NAME (tinyllama), --rows N (64).
 *
 * @module bench/shards-privacy
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createEngine } from '../src/engine/index.ts';
import { benchModel } from './lib/models.ts';

const { values } = parseArgs({
  options: { model: { type: 'string', default: 'tinyllama' }, rows: { type: 'string', default: '64' } },
});
const rows = Number(values.rows);
const path = await benchModel(values.model);
await using engine = createEngine({
  device: 'cpu',
  context: Math.max(256, rows),
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});

const whole = await engine.load({ id: 'whole', path });
const { blocks, embedding: width, vocab } = whole;
const text = await readFile(new URL('../docs/privacy.md', import.meta.url), 'utf8');
const tokens = (await engine.tokenize('whole', text)).slice(0, rows);
await engine.unload('whole');

const cells = Int32Array.from({ length: rows }, (_, i) => i);
const depths = [0, 1, 2, 3, 4, 8, 16, blocks].filter(
  (depth, i, all) => depth <= blocks && all.indexOf(depth) === i,
);

/** Hidden states after `depth` blocks, row-major. */
async function hiddenAt(depth: number): Promise<Float32Array> {
  const id = `to ${depth}`;
  await engine.load({ id, path, range: { from: 0, to: depth, embed: true, head: false } });
  const part = { cells, start: 0, count: rows, tokens, hidden: null, outputs: 'all' as const };
  const { rows: hidden } = await engine.forward(id, [part]);
  await engine.unload(id);
  return hidden;
}

function normalised(given: Float32Array, mean: Float32Array | null): Float32Array {
  const out = Float32Array.from(given);
  for (let at = 0; at < out.length; at += width) {
    let sum = 0;
    for (let i = 0; i < width; i++) {
      if (mean !== null) out[at + i]! -= mean[i]!;
      sum += out[at + i]! ** 2;
    }
    const scale = sum === 0 ? 0 : 1 / Math.sqrt(sum);
    for (let i = 0; i < width; i++) out[at + i]! *= scale;
  }
  return out;
}

function meanOf(given: Float32Array): Float32Array {
  const mean = new Float32Array(width);
  for (let at = 0; at < given.length; at++) mean[at % width]! += given[at]! / (given.length / width);
  return mean;
}

const asked: { readonly depth: number; readonly centred: boolean; readonly rows: Float32Array }[] = [];
for (const depth of depths) {
  const hidden = await hiddenAt(depth);
  for (const centred of [false, true])
    asked.push({ depth, centred, rows: normalised(hidden, centred ? meanOf(hidden) : null) });
}
const best = asked.map(() => ({
  score: new Float32Array(rows).fill(-Infinity),
  token: new Int32Array(rows).fill(-1),
}));

await engine.load({ id: 'table', path, range: { from: 0, to: 0, embed: true, head: false } });
const STEP = 128;
for (let from = 0; from < vocab; from += STEP) {
  const count = Math.min(STEP, vocab - from);
  const part = {
    cells: Int32Array.from({ length: count }, (_, i) => i),
    start: 0,
    count,
    tokens: Int32Array.from({ length: count }, (_, i) => from + i),
    hidden: null,
    outputs: 'all' as const,
  };
  const table = normalised((await engine.forward('table', [part])).rows, null);
  for (const [which, { rows: hidden }] of asked.entries()) {
    const { score, token } = best[which]!;
    for (let row = 0; row < rows; row++)
      for (let each = 0; each < count; each++) {
        let sum = 0;
        for (let i = 0, a = row * width, b = each * width; i < width; i++)
          sum += hidden[a + i]! * table[b + i]!;
        if (sum <= score[row]!) continue;
        score[row] = sum;
        token[row] = from + each;
      }
  }
}

console.log(
  `${values.model}: ${rows} tokens of docs/privacy.md, ${vocab} rows of the table, ${blocks} blocks\n`,
);
console.log('| After block | Nearest row | Nearest row, mean taken off |\n| ---: | ---: | ---: |');
for (const depth of depths) {
  const shares = [false, true].map((centred) => {
    const { token } = best[asked.findIndex((one) => one.depth === depth && one.centred === centred)]!;
    const right = token.reduce((sum, one, row) => sum + (one === tokens[row] ? 1 : 0), 0);
    return `${Math.round((100 * right) / rows)} %`;
  });
  console.log(`| ${depth} | ${shares.join(' | ')} |`);
}
