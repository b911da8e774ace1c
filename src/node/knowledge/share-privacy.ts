/**
 * Whether a question may go to a peer, and as what: the same levels as for everything that leaves this machine.
 *
 * @module node/knowledge/share-privacy
 */
import { type Config, KithError } from '../../base/index.ts';
import { BUILT_IN_DETECTORS, Conversation, mayGoTo, strictest } from '../../gateway/index.ts';
import type { QuestionPrivacy } from '../../server/index.ts';
import { detectorsOf } from '../detectors.ts';
import type { PeerNetwork } from '../swarm-asking.ts';

/** The question as it may leave. @throws KithError `privacy_unmet` */
export type MayLeave = (question: string, asked: QuestionPrivacy, peer: string) => string;

export function questionsThatLeave(config: Config, peers: Pick<PeerNetwork, 'standing'>): MayLeave {
  const { privacy, requiredTier } = config.gateway;
  const unmet = (why: string) =>
    new KithError('privacy_unmet', `The question stays here: ${why}.`, { status: 403, param: 'privacy' });
  return (question, asked, peer) => {
    if (asked === 'local') throw unmet('its privacy is local, so that no peer is asked');
    const { tier, pledge } = peers.standing(peer);
    // Links of the swarm are encrypted, and name their other end.
    const permission = mayGoTo(
      strictest(privacy, asked),
      { kind: 'peer', link: 'encrypted', tier, pledge },
      { requiredTier },
    );
    if (!permission.allowed) throw unmet(permission.reason);
    if (!permission.redact) return question;
    return new Conversation({ detectors: [...BUILT_IN_DETECTORS, ...detectorsOf(config)] }).hide(question);
  };
}
