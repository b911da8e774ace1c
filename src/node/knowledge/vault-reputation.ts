/**
 * What Eves do with what they took, as observations of the trust room.
 *
 * | Seen | Observation | At most |
 * |---|---|---|
 * | she showed all pieces that were asked for at random | audit 1, of as much weight as there were pieces: one for 20 and more | every 6 hours |
 * | she gave other bytes than she took | audit 0 | every 6 hours |
 * | she has no more what she had (a block, or the whole tenant before its time) | audit 0 | every 6 hours |
 * | she does not renew a tenant, though she answers | availability 0, half of one | every day |
 *
 * An Eve that is away has done nothing: nothing is noted. Nor of a block that she never had since she was away when it was placed.
 *
 * @module node/knowledge/vault-reputation
 */
import type { Clock } from '../../base/index.ts';
import type { CheckReport, EveFault } from '../../vault/index.ts';
import type { PeerReputation, PeerRepute } from '../swarm-asking.ts';
import type { UpkeepStore } from './vault-upkeep-store.ts';

export interface EveStanding {
  /** 0 to 1, and its tier: what this node thinks of the peer altogether. */
  readonly score: number;
  readonly tier: PeerRepute['tier'];
  /** So much bad was seen of her that others ought to keep what she keeps. */
  readonly poor: boolean;
}

export interface VaultReputation {
  of(peer: string): EveStanding;
  /** Whether she is asked after all others. */
  isLast(peer: string): boolean;
  /** @param sound the state of which each Eve had all that is hers; null: none is known */
  checked(upkeep: UpkeepStore, report: CheckReport, sound: string | null): void;
  gave(upkeep: UpkeepStore, peer: string, fault: EveFault): void;
  /** Her tenant is not there, though its time is not over. */
  lostTenant(upkeep: UpkeepStore, peer: string): void;
  refused(upkeep: UpkeepStore, peer: string): void;
}

/** Below this part of the score that she would have, others are better: two to three faults in a quarter of a year, nothing good between. */
export const CONDUCT_FLOOR = 0.6;
const FULL_WEIGHT_PIECES = 20;
const HOUR_MS = 3_600_000;
const AUDIT_EVERY_MS = 6 * HOUR_MS;
const REFUSED_EVERY_MS = 24 * HOUR_MS;
const REFUSED_WEIGHT = 0.5;

export function createVaultReputation(
  reputation: () => PeerReputation,
  clock: Pick<Clock, 'now'>,
): VaultReputation {
  function fault(upkeep: UpkeepStore, peer: string, kind: 'missing' | 'damaged'): void {
    if (upkeep.note(peer, kind, clock.now(), AUDIT_EVERY_MS)) reputation().observe(peer, 'audit', 0, 1);
  }
  const isPoor = (peer: string): boolean => reputation().of(peer).conduct < CONDUCT_FLOOR;

  return {
    of(peer) {
      const { score, tier } = reputation().of(peer);
      return { score, tier, poor: isPoor(peer) };
    },
    isLast: isPoor,
    checked(upkeep, { eves, state }, sound) {
      for (const { peer, asked, failed, missing, damaged } of eves) {
        if (damaged > 0) fault(upkeep, peer, 'damaged');
        if (missing > 0 && state === sound) fault(upkeep, peer, 'missing');
        if (asked === 0 || failed > 0) continue;
        if (upkeep.note(peer, 'shown', clock.now(), AUDIT_EVERY_MS))
          reputation().observe(peer, 'audit', 1, Math.min(1, asked / FULL_WEIGHT_PIECES));
      }
    },
    gave(upkeep, peer, what) {
      if (what === 'damaged') fault(upkeep, peer, 'damaged');
    },
    lostTenant: (upkeep, peer) => fault(upkeep, peer, 'missing'),
    refused(upkeep, peer) {
      if (upkeep.note(peer, 'refused', clock.now(), REFUSED_EVERY_MS))
        reputation().observe(peer, 'availability', 0, REFUSED_WEIGHT);
    },
  };
}
