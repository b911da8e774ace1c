/**
 * Complexity routing: which requests are worth the frontier model, learnt from outcomes.
 *
 * In: a prompt, and later how good the answers were. Out: `local` or `frontier`, so chosen that a target share goes to
 * the frontier model and that it is the share where that model helps most. It predicts what the frontier model gains
 * over the local one, not how hard a prompt looks. Until that has been shown to beat a choice by lot on prompts held
 * out from learning, it is a choice by lot. It keeps no text, asks no model but the embedder it is given, and knows no
 * backend: privacy, abilities and budgets are decided before it is asked.
 *
 * @example
 * using router = createRouter({ path: ':memory:', clock: systemClock, random: systemRandom });
 * const { id, side } = await router.decide({ text: 'What is 2 + 2?', depth: 0, tools: 0 });
 * router.learn(id, { local: side === 'local' ? 1 : null, frontier: side === 'frontier' ? 1 : null });
 *
 * @module gateway/router
 */
export { type Agents, DEFAULT_AGENT, type ThresholdChanges } from './agents.ts';
export { type Evaluation, evaluate, ZERO_APGR } from './evaluate.ts';
export type { Judgement, Verdict } from './refit.ts';
export {
  type CreateRouterOptions,
  createRouter,
  type DecideOptions,
  type Decision,
  type Router,
  type RouterStatus,
  type Weighing,
} from './router.ts';
export type { ThresholdStep, Version } from './store.ts';
export type { ThresholdSettings, ThresholdState } from './threshold.ts';
export type { Embedder, Outcome, RouterPrompt, Side } from './types.ts';
