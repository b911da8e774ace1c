/**
 * How far this node trusts a peer, term by term, and its word for it: endorsements that its owner gives and ends while the
 * node runs. `kith reputation` does the same on the store of the home.
 *
 * @module node/swarm-endorsing
 */
import { type Clock, InputError, type Random } from '../base/index.ts';
import {
  createCredentialVerifier,
  didOfPeerId,
  type Identity,
  interactionStep,
  openWallet,
} from '../identity/index.ts';
import type { PeerTrustView } from '../server/index.ts';
import type { Trust } from '../trust/index.ts';

const DAY_MS = 86_400_000;

export interface EndorsingParts {
  readonly home: string;
  readonly identity: Identity;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly random: Random;
}

export function trustView(trust: Trust, peer: string): PeerTrustView {
  const { score, tier, tiers, terms, gates, quarantineUntil } = trust.score(peer);
  return {
    ...{ peer, score, tier, tiers, terms, gates, quarantineUntil },
    profile: trust.policy.profile,
    dealings: trust.dealings(peer),
    endorsed: trust.endorsing(peer).length > 0,
  };
}

/** Throws InputError `endorsement_unfounded` where this node never dealt with the peer. */
export async function endorse(parts: EndorsingParts, peer: string): Promise<PeerTrustView> {
  const { home, identity, trust, clock, random } = parts;
  if (peer === identity.peerId)
    throw new InputError('swarm_self', 'That is this node itself.', { param: 'peer' });
  const step = interactionStep(trust.dealings(peer));
  if (step === null)
    throw new InputError(
      'endorsement_unfounded',
      `This node never dealt with ${peer}, so it has nothing to endorse. If you did, say how often: kith reputation endorse ${peer} --interactions N`,
    );
  using wallet = openWallet(home, { clock, random, statusGraceMs: trust.policy.statusGraceDays * DAY_MS });
  const verifier = createCredentialVerifier({ clock, policy: trust.policy, status: wallet.lists });
  const issued = wallet.issued.issue(identity, {
    type: 'PeerEndorsement',
    subject: didOfPeerId(peer),
    claims: { interactionCount: step },
    validFrom: clock.now(),
  });
  // Through the same gate as everybody else's.
  const { facts, verdict } = await verifier.verify(issued.bytes);
  if (facts === null) throw new InputError('endorsement_unfounded', verdict.reason);
  trust.learn(facts);
  return trustView(trust, peer);
}

/** Throws InputError `endorsement_not_found`. */
export function unendorse({ trust }: Pick<EndorsingParts, 'trust'>, peer: string): PeerTrustView {
  if (trust.unendorse(peer) === null)
    throw new InputError('endorsement_not_found', `This node does not endorse ${peer}.`, { status: 404 });
  return trustView(trust, peer);
}
