/**
 * How the reader lets answers be come by, and where that lets their words go.
 *
 * @module web/data/terms
 */
import type { DetailedHealth, HealthPolicy } from '../../../src/server/health/types.ts';

/** Null = as the node's owner configured it. */
export interface AnswerTerms {
  readonly privacy: HealthPolicy['privacy'] | null;
  readonly route: HealthPolicy['route'] | null;
  readonly cache: HealthPolicy['cache'] | null;
  readonly degrade: HealthPolicy['degrade'] | null;
}

export const noTerms: AnswerTerms = { privacy: null, route: null, cache: null, degrade: null };

/** From the weakest to the strictest. */
export const privacyLevels = ['minimum', 'medium', 'maximum'] as const;
export const routes = ['auto', 'local', 'frontier'] as const;
export const caches = ['off', 'keep'] as const;
export const degradations = ['none', 'search', 'stale', 'explain'] as const;

/** The request's headers. Conversations of before had no terms. */
export function termHeaders(terms: Partial<AnswerTerms>, conversation: string): Record<string, string> {
  const headers: Record<string, string> = { 'x-kith-conversation': conversation };
  for (const name of ['privacy', 'route', 'cache', 'degrade'] as const) {
    const value = terms[name] ?? null;
    if (value !== null) headers[`x-kith-${name}`] = value;
  }
  return headers;
}

export type PrivacyLevel = (typeof privacyLevels)[number];

export function stricter(one: PrivacyLevel, other: PrivacyLevel): PrivacyLevel {
  return privacyLevels.indexOf(other) > privacyLevels.indexOf(one) ? other : one;
}

/**
 * How far a question may go: `here` stays on this machine; `owned` on the reader's machines; `trusted` with peers that
 * pledged; `search` may be searched for; `replaced` may leave without personal data; `open` may leave as it is.
 */
export type Reach = 'here' | 'owned' | 'trusted' | 'search' | 'replaced' | 'open';

/** Null while the node does not say what it has and what its owner wants. */
export function reachOf(terms: Partial<AnswerTerms>, health: DetailedHealth | null): Reach | null {
  const { policy, backends } = health ?? {};
  if (!policy || !backends) return null;
  const privacy = stricter(policy.privacy, terms.privacy ?? 'minimum');
  const route = terms.route ?? policy.route;
  const degrade = terms.degrade ?? policy.degrade;
  const others = backends.filter(
    ({ where, link }) =>
      where !== 'this_machine' && link !== 'open' && !(privacy === 'maximum' && where === 'provider'),
  );
  const asked = route === 'local' ? [] : others;
  if (asked.some(({ where }) => where !== 'owned')) {
    if (privacy === 'maximum') return 'trusted';
    return privacy === 'medium' ? 'replaced' : 'open';
  }
  if (degrade !== 'none') return privacy === 'maximum' ? 'owned' : 'search';
  return asked.length > 0 ? 'owned' : 'here';
}
