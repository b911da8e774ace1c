/**
 * Short measurements of a loaded model: prefill, decode, embeddings.
 *
 * @module cli/measure
 */
import type { Engine, GenerateUsage } from '../engine/index.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Ordinary prose, cut to length: what a model meets, not one token over and over. */
const prose =
  'The harbour lay quiet under a thin morning fog. A fisherman untied his boat, looked at the sky, and wondered how the ' +
  'wind would turn before noon. On the quay two children counted gulls; an old woman sold bread and oranges from a cart. ';

/** Token ids of `count` tokens of prose. */
export async function promptTokens(engine: Engine, model: string, count: number): Promise<Int32Array> {
  const tokens = await engine.tokenize(model, prose.repeat(Math.ceil(count / 30)));
  return tokens.slice(0, count);
}

export interface TextFigures {
  /** Prompt tokens per second. */
  readonly prefill: Spread | null;
  /** Generated tokens per second. */
  readonly decode: Spread | null;
  /** ms from the call to the first token. */
  readonly firstToken: Spread | null;
}

export async function measureText(
  engine: Engine,
  model: string,
  sizes: { readonly prompt: number; readonly tokens: number; readonly runs: number },
  signal: AbortSignal,
): Promise<TextFigures> {
  const tokens = await promptTokens(engine, model, sizes.prompt);
  const prefill: number[] = [];
  const decode: number[] = [];
  const firstToken: number[] = [];
  // One run beside the count: the first one pays for building graphs and touching memory.
  for (let run = 0; run <= sizes.runs; run++) {
    let usage: GenerateUsage | null = null;
    const events = engine.generate(
      {
        model,
        prompt: { kind: 'tokens', tokens },
        sampler: { temperature: 0 },
        maxTokens: sizes.tokens,
        stop: [],
        cachePrompt: false,
      },
      signal,
    );
    for await (const event of events) if (event.type === 'finish') usage = event.usage;
    if (run === 0 || usage === null) continue;
    if (usage.prefillMs > 0) prefill.push((usage.promptTokens / usage.prefillMs) * 1000);
    if (usage.decodeMs > 0 && usage.completionTokens > 1)
      decode.push(((usage.completionTokens - 1) / usage.decodeMs) * 1000);
    firstToken.push(usage.queueMs + usage.prefillMs);
  }
  return { prefill: spreadOf(prefill), decode: spreadOf(decode), firstToken: spreadOf(firstToken) };
}

/** Texts per second, in batches of `batch` sentences. */
export async function measureEmbeddings(
  engine: Engine,
  model: string,
  runs: number,
  signal: AbortSignal,
  batch = 16,
): Promise<Spread | null> {
  const sentences = prose.split(/(?<=[.;]) /).filter((text) => text !== '');
  const inputs = Array.from({ length: batch }, (_, i) => `${i}: ${sentences[i % sentences.length]!}`);
  const rates: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const began = performance.now();
    await engine.embed({ model, inputs }, signal);
    if (run > 0) rates.push((batch / (performance.now() - began)) * 1000);
  }
  return spreadOf(rates);
}
