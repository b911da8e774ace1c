/**
 * Presets: defaults of other keys and models of agents that go together. Whatever is set anywhere goes before them.
 *
 * @module base/settings/presets
 */
import type { AgentConfig } from './lists.ts';

export interface Preset {
  readonly values: Readonly<Record<string, string | number>>;
  readonly agents: Readonly<Record<string, AgentConfig>>;
}

/**
 * Named and meant as in the LLM service guide of Kai, whose four agents they give models to: one model for all; a fast
 * one for the guardrail; fast ones wherever the main conversation does not need better. `default` is the model that
 * answers when none is named.
 */
export const PRESETS: Readonly<Record<'none' | 'budget' | 'balanced' | 'performance', Preset>> = {
  none: { values: {}, agents: {} },
  budget: {
    values: { 'gateway.cache': 'auto', 'gateway.complexityTarget': 0.1, 'gateway.weightCost': 0.3 },
    agents: {
      kai: { model: 'default' },
      guardrail: { model: 'default' },
      genetic: { model: 'default' },
      wellness: { model: 'default' },
    },
  },
  balanced: {
    values: { 'gateway.cache': 'auto', 'gateway.complexityTarget': 0.3 },
    agents: {
      kai: { model: 'quality' },
      guardrail: { model: 'fast' },
      genetic: { model: 'default' },
      wellness: { model: 'quality' },
    },
  },
  performance: {
    values: { 'gateway.cache': 'auto', 'gateway.balancing': 'latency', 'gateway.complexityTarget': 0.5 },
    agents: {
      kai: { model: 'quality' },
      guardrail: { model: 'fast' },
      genetic: { model: 'fast' },
      wellness: { model: 'default' },
    },
  },
};
