/**
 * `E`: what endorsers say.
 *
 * `E = min(1, 1/3 * sum over endorsers of T0 * min(1, 20 / n) * A^4 * min(1, interactions / 20))`. Endorsers are at least
 * Verified by their credentials and by what this node saw of them (`T0`: no endorsement is in it, so nothing goes round).
 * Whoever endorses more than 20 peers is divided among them, and who endorsed peers that misbehaved counts by the fourth
 * power of its accountability. One endorser per operator: the one that counts most.
 *
 * @module trust/score/endorsements
 */

export const ENDORSERS = 3;
/** An endorser's word is whole for so many peers, and divided among more. */
export const ENDORSEMENTS_IN_FULL = 20;
/** Dealings after which an endorsement counts in full. */
export const INTERACTIONS_IN_FULL = 20;

export interface Endorser {
  readonly peerId: string;
  /** Names of who answers for it; endorsers that share one count once. */
  readonly operators: readonly string[];
  /** `T0`. */
  readonly standing: number;
  /** `n`: peers it endorses now. */
  readonly endorses: number;
  /** `A`. */
  readonly accountability: number;
  readonly interactions: number;
}

export interface EndorserPart {
  readonly endorser: Endorser;
  /** What it adds to the sum, before the third. */
  readonly adds: number;
}

/** The endorsers that count, best first: one per operator. */
export function endorserParts(endorsers: readonly Endorser[]): EndorserPart[] {
  const parts = endorsers.map((endorser) => ({
    endorser,
    adds:
      endorser.standing *
      Math.min(1, ENDORSEMENTS_IN_FULL / Math.max(1, endorser.endorses)) *
      endorser.accountability ** 4 *
      Math.min(1, endorser.interactions / INTERACTIONS_IN_FULL),
  }));
  // The name breaks ties, so that sums round alike whatever the order of the rows.
  parts.sort((a, b) => b.adds - a.adds || (a.endorser.peerId < b.endorser.peerId ? -1 : 1));
  const heard = new Set<string>();
  return parts.filter(({ endorser, adds }) => {
    const names = [endorser.peerId, ...endorser.operators];
    if (adds <= 0 || names.some((name) => heard.has(name))) return false;
    for (const name of names) heard.add(name);
    return true;
  });
}

/** `E`, 0 to 1. */
export function endorsementTerm(parts: readonly EndorserPart[]): number {
  return Math.min(1, parts.reduce((sum, { adds }) => sum + adds, 0) / ENDORSERS);
}
