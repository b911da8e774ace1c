/**
 * The trust room: how far this node trusts a peer, from credentials, observations and endorsements.
 *
 * `openTrust` gives a `Trust`: observations, incidents, verified credentials and endorsements go in, scores with their
 * terms come out. All is local to the one who asks: no score comes over the network, and none is sent. What is not
 * verified by the identity room never comes here.
 *
 * ```ts
 * using trust = openTrust({ home, clock: systemClock, self: identity.peerId });
 * trust.observe(peerId, 'availability', 1);
 * if (!trust.meets(peerId, { minTier: 'verified' }, { latencyMs: 40, region: 'eu' }).ok) skip(peerId);
 * ```
 *
 * @module trust
 */
export type { Lost, RememberedPeer, Succession } from './observations/store.ts';
export { openPolicy, policyPath, type TrustPolicy } from './policy/policy.ts';
export { addIssuer, type IssuerChange, removeIssuer } from './policy/policy-edit.ts';
export {
  ISSUED_TYPES,
  type PolicyContents,
  type PolicyIssuer,
  type PolicyRoot,
} from './policy/policy-text.ts';
export { auditShare, UNKNOWN_TRAFFIC_SHARE } from './score/audits.ts';
export { latencyShare, throughputShare } from './score/observations.ts';
export { openTrust, type Trust, type TrustOptions } from './trust.ts';
export * from './types.ts';
