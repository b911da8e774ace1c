/**
 * What verified credentials say, in the form in which scores take it.
 *
 * @module trust/endorsements/signed
 */
import { type CredentialFacts, expiresAt, peerIdOfDid } from '../../identity/index.ts';
import type { Endorsement, HeldCredential } from '../score/inputs.ts';

/** Who a credential is about. Throws InputError `identity_name_invalid` for a subject that is no key. */
export function subjectOf(facts: CredentialFacts): string {
  return peerIdOfDid(facts.subject);
}

/** `statusUntil`: until when its status is known; null when it has none to ask. */
export function heldCredential(facts: CredentialFacts, statusUntil: number | null): HeldCredential {
  return {
    digest: facts.digest,
    type: facts.type,
    issuer: facts.issuer,
    issuerPeer: peerIdOfDid(facts.issuer),
    validFrom: facts.validFrom,
    validUntil: expiresAt(facts),
    statusUntil,
    operator: operatorOf(facts),
  };
}

/** `seen`: when this node first saw it. */
export function endorsementOf(facts: CredentialFacts, seen: number): Endorsement {
  const { interactionCount } = facts.claims;
  return {
    endorser: peerIdOfDid(facts.issuer),
    endorsee: subjectOf(facts),
    interactions: typeof interactionCount === 'number' ? Math.max(0, interactionCount) : 0,
    from: facts.validFrom,
    until: expiresAt(facts),
    seen,
  };
}

/** Issuers name operators each in their own way; a link to an identity is the same name from everyone. */
function operatorOf({ type, issuer, claims }: CredentialFacts): string | null {
  if (type === 'VerifiedNode' && typeof claims.operatorId === 'string')
    return `${issuer}#${claims.operatorId}`;
  if (type === 'Binding' && claims.linkType === 'operator' && typeof claims.linkedIdentity === 'string')
    return claims.linkedIdentity;
  return null;
}
