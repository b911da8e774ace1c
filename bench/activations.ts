/**
 * `node bench/activations.ts`: what rounding hidden states on their way costs in the middle of a model. A text of the model itself
 * goes through it cut in two, as `f32`, `f16` and `i8`, in passes of the same shape; what the second half says of each next
 * token is compared with what it says of exact ones.
 *
 * Options: --model NAME (repeatable; tinyllama, minimind2-q8_0, stories15m-f16), --tokens N (160), --texts N (3).
 *
 * @module bench/activations
 */
import { parseArgs } from 'node:util';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createEngine, type Prompt } from '../src/engine/index.ts';
import { ACTIVATION_TYPES, type ActivationType } from '../src/shards/index.ts';
import { activationBytes, readActivations, writeActivations } from '../src/shards/wire/activations.ts';
import { benchModel } from './lib/models.ts';
import { table } from './lib/stats.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['tinyllama', 'minimind2-q8_0', 'stories15m-f16'] },
    tokens: { type: 'string', default: '160' },
    texts: { type: 'string', default: '3' },
  },
});
const TOKENS = Number(values.tokens);
const TEXTS = [
  'Once upon a time there was a robot who',
  'The capital of France is',
  'Water boils when',
  'In the year 1900',
];

function rounded(type: ActivationType, hidden: Float32Array, width: number): Float32Array {
  const rows = hidden.length / width;
  const bytes = new Uint8Array(activationBytes(type, rows, width));
  writeActivations(type, hidden, width, bytes, 0);
  return readActivations(type, rows, width, bytes, 0);
}

/** Logarithms of the probabilities of one row of logits. */
function logSoftmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (const one of logits) sum += Math.exp(one - most);
  const log = most + Math.log(sum);
  return Float64Array.from(logits, (one) => one - log);
}

const argmax = (values: Float64Array) =>
  values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);

interface Sums {
  kl: number;
  worst: number;
  kept: number;
  rows: number;
  error: number;
  square: number;
}

const engine = createEngine({
  ...{ threads: 1, device: 'cpu', context: 512, prefillChunk: 512 },
  ...{ log: silentLogger, clock: systemClock, random: systemRandom },
});
const lines: string[][] = [];
for (const name of values.model) {
  const path = await benchModel(name);
  const { blocks, embedding: width, vocab } = await engine.load({ id: 'whole', path });
  const cut = Math.round(blocks / 2);
  await engine.load({ id: 'low', path, range: { from: 0, to: cut, embed: true, head: false } });
  await engine.load({ id: 'high', path, range: { from: cut, to: blocks, embed: false, head: true } });
  const sums = new Map<ActivationType, Sums>(
    ACTIVATION_TYPES.map((type) => [type, { kl: 0, worst: 0, kept: 0, rows: 0, error: 0, square: 0 }]),
  );
  for (const text of TEXTS.slice(0, Number(values.texts))) {
    const prompt: Prompt = name.startsWith('minimind')
      ? { kind: 'messages', messages: [{ role: 'user', content: text }] }
      : { kind: 'text', text };
    const tokens = [...(await engine.tokenize('whole', text, { addSpecial: true }))];
    for await (const event of engine.generate({
      ...{ model: 'whole', prompt, maxTokens: TOKENS, stop: [] },
      sampler: { temperature: 0.8, seed: 5, topLogprobs: 0 },
    }))
      if (event.type === 'text') tokens.push(...event.logprobs!.map(({ token }) => token));
    const count = tokens.length;
    const cells = Int32Array.from({ length: count }, (_, i) => i);
    const at = { cells, start: 0, count, outputs: 'all' as const };
    const low = await engine.forward('low', [{ ...at, tokens: Int32Array.from(tokens), hidden: null }]);
    let exact: Float64Array[] = [];
    for (const type of ACTIVATION_TYPES) {
      const hidden = rounded(type, low.rows, width);
      const { rows } = await engine.forward('high', [{ ...at, tokens: null, hidden }]);
      const said = Array.from({ length: count }, (_, i) =>
        logSoftmax(rows.subarray(i * vocab, (i + 1) * vocab)),
      );
      if (type === 'f32') exact = said;
      const sum = sums.get(type)!;
      for (let i = 0; i < hidden.length; i++) {
        sum.error += (hidden[i]! - low.rows[i]!) ** 2;
        sum.square += low.rows[i]! ** 2;
      }
      for (let i = 0; i < count; i++) {
        let kl = 0;
        for (let v = 0; v < vocab; v++) kl += Math.exp(exact[i]![v]!) * (exact[i]![v]! - said[i]![v]!);
        sum.kl += kl;
        sum.worst = Math.max(sum.worst, kl);
        if (argmax(exact[i]!) === argmax(said[i]!)) sum.kept++;
        sum.rows++;
      }
    }
  }
  for (const [type, { kl, worst, kept, rows, error, square }] of sums)
    lines.push([
      `${name}, cut after ${cut} of ${blocks} blocks`,
      type,
      (activationBytes(type, 1, width) / (4 * width)).toFixed(2),
      Math.sqrt(error / square).toExponential(1),
      (kl / rows).toExponential(1),
      worst.toExponential(1),
      `${kept} of ${rows}`,
    ]);
  for (const id of ['low', 'high', 'whole']) await engine.unload(id);
}
console.log(
  table(['model', 'type', 'bytes', 'relative RMSE', 'KL, mean', 'KL, worst', 'argmax kept'], lines),
);
await engine[Symbol.asyncDispose]();
