/**
 * How long an answer may keep one waiting. A large model is given more time than a small one.
 *
 * Connect and header limits belong to the connection; these three belong to the answer.
 *
 * @module gateway/resilience/limits
 */

export interface TimeLimits {
  /** ms from asking to the first piece of the answer. Over it another backend is asked. */
  readonly firstTokenMs: number;
  /** ms between two pieces. Over it the answer has stalled. */
  readonly interTokenMs: number;
  /** ms for the whole answer. */
  readonly totalMs: number;
}

export interface LimitsOptions {
  /** Weights of the model; null = unknown. */
  readonly parameters: number | null;
  /** The model runs on a machine of the owner: reading a long prompt takes its time there. @default false */
  readonly ownMachine?: boolean;
  /** Tokens of the prompt, for `ownMachine`. @default 0 */
  readonly promptTokens?: number;
}

interface SizeClass {
  readonly upTo: number;
  readonly limits: TimeLimits;
  /** ms one token of the prompt may take on a processor without accelerator. */
  readonly promptTokenMs: number;
}

const sizes: readonly SizeClass[] = [
  { upTo: 3e9, limits: { firstTokenMs: 10_000, interTokenMs: 10_000, totalMs: 60_000 }, promptTokenMs: 20 },
  { upTo: 15e9, limits: { firstTokenMs: 15_000, interTokenMs: 15_000, totalMs: 120_000 }, promptTokenMs: 60 },
  {
    upTo: 80e9,
    limits: { firstTokenMs: 30_000, interTokenMs: 20_000, totalMs: 300_000 },
    promptTokenMs: 300,
  },
  {
    upTo: Number.POSITIVE_INFINITY,
    limits: { firstTokenMs: 60_000, interTokenMs: 30_000, totalMs: 600_000 },
    promptTokenMs: 600,
  },
];

/** What is taken for a model whose size nobody told: most hosted models are large and answer fast. */
const unknownSize = sizes[2]!;

/** Default limits for a model. */
export function limitsFor({ parameters, ownMachine = false, promptTokens = 0 }: LimitsOptions): TimeLimits {
  const { limits, promptTokenMs } =
    parameters === null ? unknownSize : sizes.find(({ upTo }) => parameters <= upTo)!;
  if (!ownMachine || promptTokens === 0) return limits;
  const reading = promptTokens * promptTokenMs;
  return {
    firstTokenMs: limits.firstTokenMs + reading,
    interTokenMs: limits.interTokenMs,
    totalMs: limits.totalMs + reading,
  };
}
