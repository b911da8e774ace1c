/**
 * The three privacy levels, what each demands, and where a request of a level may go.
 *
 * Pure functions: the policy tells them what it knows of a destination; they know no backend, peer or configuration.
 *
 * @module gateway/privacy/levels
 */
import { PRIVACY_LEVELS, reaches, TIERS, type Tier } from '../../base/index.ts';

export { PRIVACY_LEVELS };
export type PrivacyLevel = (typeof PRIVACY_LEVELS)[number];

/** Trust tiers of peers, from the lowest to the highest. */
export { TIERS as PEER_TIERS, type Tier as PeerTier };

/**
 * How bytes get there. `encrypted`: TLS or an authenticated encrypted channel; `owned_network`: in the clear, but on a
 * network that the owner declared to be theirs; `open`: in the clear.
 */
export type Link = 'encrypted' | 'owned_network' | 'open';

/** Where a request could go. What is not known must be stated as the worse value. */
export type Destination =
  | { readonly kind: 'this_machine' }
  | { readonly kind: 'owned'; readonly link: Link }
  | { readonly kind: 'peer'; readonly link: Link; readonly tier: Tier; readonly pledge: boolean }
  | { readonly kind: 'provider'; readonly link: Link };

/** What a level demands, for the policy and for people. */
export interface PrivacyDemands {
  /** Nothing leaves this machine in the clear, but on the owner's own network. Demanded by every level. */
  readonly secureLink: true;
  /** No part of a prompt or an answer is written to a log. Demanded by every level. */
  readonly noPromptLogs: true;
  /** What leaves the owner's machines has personal data replaced by placeholders. */
  readonly redactOutside: boolean;
  /** Providers may be asked. */
  readonly providers: boolean;
  /** Peers need the required tier and the pledge. */
  readonly pledgedPeersOnly: boolean;
  /** Answers may be kept where other people's requests could meet them. */
  readonly sharedCache: boolean;
  /** The request may teach the router or any model. */
  readonly learning: boolean;
}

const DEMANDS: Readonly<Record<PrivacyLevel, PrivacyDemands>> = {
  minimum: {
    secureLink: true,
    noPromptLogs: true,
    redactOutside: false,
    providers: true,
    pledgedPeersOnly: false,
    sharedCache: true,
    learning: true,
  },
  medium: {
    secureLink: true,
    noPromptLogs: true,
    redactOutside: true,
    providers: true,
    pledgedPeersOnly: false,
    sharedCache: true,
    learning: true,
  },
  maximum: {
    secureLink: true,
    noPromptLogs: true,
    // Pledged peers compute on the text itself: placeholders would only make their answers worse.
    redactOutside: false,
    providers: false,
    pledgedPeersOnly: true,
    sharedCache: false,
    learning: false,
  },
};

export function demandsOf(level: PrivacyLevel): PrivacyDemands {
  return DEMANDS[level];
}

/** Less than 0 when `a` is weaker than `b`, 0 when they are the same, more than 0 when `a` is stricter. */
export function compareLevels(a: PrivacyLevel, b: PrivacyLevel): number {
  return PRIVACY_LEVELS.indexOf(a) - PRIVACY_LEVELS.indexOf(b);
}

/** The strictest of the levels: what a request, its agent and the owner's configuration ask for together. */
export function strictest(first: PrivacyLevel, ...others: readonly PrivacyLevel[]): PrivacyLevel {
  return others.reduce((level, other) => (compareLevels(other, level) > 0 ? other : level), first);
}

export type RefusalCode =
  | 'link_not_secure'
  | 'provider_not_allowed'
  | 'peer_tier_too_low'
  | 'peer_without_pledge';

export type Permission =
  /** `redact`: personal data must be replaced before the request goes there. */
  | { readonly allowed: true; readonly redact: boolean }
  | { readonly allowed: false; readonly code: RefusalCode; readonly reason: string };

export interface PermissionOptions {
  /** Lowest tier of peers at `maximum`. @default 'trusted' */
  readonly requiredTier?: Tier;
}

/** Whether a request of `level` may go to `destination`; `reason` is one sentence for the receipt and for people. */
export function mayGoTo(
  level: PrivacyLevel,
  destination: Destination,
  { requiredTier = 'trusted' }: PermissionOptions = {},
): Permission {
  if (destination.kind === 'this_machine') return { allowed: true, redact: false };
  const demands = DEMANDS[level];
  if (destination.link === 'open') {
    return refuse(
      'link_not_secure',
      `privacy ${level} needs TLS or a network of the owner; this link is in the clear`,
    );
  }
  if (destination.kind === 'owned') return { allowed: true, redact: false };
  if (destination.kind === 'provider') {
    return demands.providers
      ? { allowed: true, redact: demands.redactOutside }
      : refuse('provider_not_allowed', `privacy ${level} never goes to a provider`);
  }
  if (demands.pledgedPeersOnly) {
    if (!reaches(destination.tier, requiredTier)) {
      return refuse(
        'peer_tier_too_low',
        `privacy ${level} needs a peer of tier ${requiredTier}; this one is ${destination.tier}`,
      );
    }
    if (!destination.pledge) {
      return refuse('peer_without_pledge', `privacy ${level} needs a peer that gave the pledge`);
    }
  }
  return { allowed: true, redact: demands.redactOutside };
}

function refuse(code: RefusalCode, reason: string): Permission {
  return { allowed: false, code, reason };
}
