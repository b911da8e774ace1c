/**
 * The door of the gateway's policy: a request's needs and the candidates in, their order out, with the reasons on
 * demand.
 *
 * `createCatalogue` finds the candidates for a model name, `createPolicy` filters, scores and balances them. Nothing
 * here asks a backend for an answer; what is known of backends' health is read from the resilience's conditions.
 *
 * @module gateway/policy
 */
export { type Balancer, type BalancerOptions, createBalancer } from './balance.ts';
export {
  type Catalogue,
  type CatalogueOptions,
  createCatalogue,
  isAlias,
  type Listings,
  type ModelAlias,
  type ModelFacts,
  modelAliases,
  type Provider,
} from './catalogue.ts';
export { costOf } from './filter.ts';
export { createPolicy, type Policy, type PolicyOptions } from './policy.ts';
export { defaultWeights } from './score.ts';
export type { Place, Stickiness } from './stickiness.ts';
export type {
  Balancing,
  Candidate,
  Exclusion,
  Explanation,
  FilterName,
  Needs,
  ScoreParts,
  Verdict,
  Weights,
} from './types.ts';
