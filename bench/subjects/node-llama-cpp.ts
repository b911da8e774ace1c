/** The rival: node-llama-cpp on the same file, through its public API. @module bench/subjects/node-llama-cpp */
import { getLlama, type LlamaContext, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp';
import { serveSubject } from '../lib/subject.ts';

const [path, threadText] = process.argv.slice(2);
const threads = Number(threadText);
let model: LlamaModel | undefined;
let context: LlamaContext | undefined;

/** Greedy tokens after `prompt`, with the clock read at the first and at the last. */
async function run(
  prompt: readonly number[],
  count: number,
): Promise<{ first: number; last: number; tokens: number[] }> {
  const sequence = context!.getSequence();
  const tokens: number[] = [];
  let first = 0;
  for await (const token of sequence.evaluate(prompt as Token[], { temperature: 0, yieldEogToken: true })) {
    if (tokens.length === 0) first = performance.now();
    tokens.push(token);
    if (tokens.length >= count) break;
  }
  const last = performance.now();
  await sequence.clearHistory();
  sequence.dispose();
  return { first, last, tokens };
}

serveSubject({
  async open() {
    const start = performance.now();
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    model = await llama.loadModel({ modelPath: path! });
    context = await model.createContext({ contextSize: 512, sequences: 16, threads, batchSize: 512 });
    return performance.now() - start;
  },
  async generate({ prompt, count }: { prompt: number[]; count: number }) {
    const start = performance.now();
    const { first, last, tokens } = await run(prompt, count);
    return { ttftMs: first - start, decodeMs: last - first, tokens };
  },
  async concurrent({ prompts, count }: { prompts: number[][]; count: number }) {
    const start = performance.now();
    const done = await Promise.all(prompts.map((prompt) => run(prompt, count)));
    const total = done.reduce((sum, { tokens }) => sum + tokens.length, 0);
    return total / ((performance.now() - start) / 1000);
  },
});
