/**
 * The engine: runs a model, or a block range of one, on this machine, in a process of its own.
 *
 * In: GGUF files that the models room has verified, prompts (text, messages, tokens), texts to embed. Out: streams of
 * text events, vectors, hidden states of block ranges. It never fetches a file, never talks to a network, and never
 * loads native code into this process.
 *
 * @example
 * await using engine = createEngine({ log, clock: systemClock, random: systemRandom });
 * await engine.load({ id: 'tiny', path: '/models/tiny.gguf' });
 * for await (const event of engine.generate({ model: 'tiny', prompt: { kind: 'text', text: 'Once' }, sampler: {}, maxTokens: 20, stop: [] })) {
 *   if (event.type === 'text') process.stdout.write(event.text);
 * }
 *
 * @module engine
 */

export { supportedArchitectures } from './arch/index.ts';
export { createGrammarCheck, type GrammarCheck } from './grammar/index.ts';
export { createEngine } from './process/engine.ts';
export type { KvCells, LeaseTerms } from './process/leases.ts';
export type {
  CellLease,
  CreateEngineOptions,
  Engine,
  EngineDevice,
  EngineDevices,
  EngineStatus,
  LeaseOptions,
  LoadOptions,
  ModelStatus,
} from './process/types.ts';
export type { CarriedPart, Carry } from './runner/path-runner.ts';
export type { ForwardPart, ForwardResult } from './runner/types.ts';
export { wantedRows } from './runner/types.ts';
export { parseSamplerOptions, SAMPLER_DEFAULTS } from './sampler/index.ts';
export type * from './types.ts';
