/**
 * Takes in what a peer shows of itself: each piece is verified first, and only what holds reaches the trust room.
 *
 * | Shown | Counts when | Becomes |
 * |---|---|---|
 * | credential | the whole pipeline of the identity room says so, and it is about the peer of this connection | `learn` |
 * | credential, revoked | its issuer's list says so; for cause, if the list beside it does | `end` |
 * | endorsement | as a credential, signed by the peer of this connection | `learn` |
 * | hand-overs | both keys signed each, and they lead to the key of this connection | `succeed` |
 *
 * @module node/swarm-credentials-take
 */
import { type Clock, isKithError, type Logger, reaches } from '../base/index.ts';
import {
  type CredentialFields,
  type CredentialVerifier,
  didOfPeerId,
  FOR_CAUSE,
  type OtherCredential,
  peerIdOfDid,
  readHandOver,
  requireChain,
  type Verification,
  type Wallet,
} from '../identity/index.ts';
import type { Trust } from '../trust/index.ts';
import type { Shown } from './swarm-credentials-wire.ts';

export interface TakingParts {
  readonly wallet: Pick<Wallet, 'lists' | 'others'>;
  readonly verifier: CredentialVerifier;
  readonly trust: Pick<Trust, 'learn' | 'end' | 'succeed' | 'tier' | 'policy'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Brings a status list up to date where it is due, from the peer that showed a credential on it or from elsewhere. */
  readonly refresh: (issuer: string, list: string, from: string) => Promise<void>;
  /** A key was handed over: nobody ought to use it any more. */
  readonly onHandedOver: (predecessor: string) => void;
}

/** What came of it, for the log and for tests. */
export interface Taken {
  readonly learned: number;
  /** Codes of what did not count. */
  readonly refused: readonly string[];
  /** More than may be verified at once: ask again after so many seconds; null: all was looked at. */
  readonly againAfter: number | null;
}

export interface Taking {
  take(peer: string, shown: Shown): Promise<Taken>;
  /** Looks again at kept credentials: those on one status list, or all. */
  review(kept: readonly OtherCredential[]): Promise<void>;
}

/** Seconds until some more may be verified. */
const AGAIN_S = 30;
/** So many are looked at before others get their turn. */
const AT_ONCE = 16;

export function createTaking(parts: TakingParts): Taking {
  const { wallet, verifier, trust, clock, log, signal } = parts;

  /** Whether a later revocation of it would change anything: others need not be kept. */
  const isWeighty = ({ issuer }: CredentialFields): boolean =>
    trust.policy.issuers.some(({ issuerDid }) => issuerDid === issuer) ||
    reaches(trust.tier(peerIdOfDid(issuer)), 'verified');

  /**
   * Only of issuers that the owner named for that type: anybody may endorse a peer, and would revoke that for cause to
   * have it struck.
   */
  function isForCause({ issuer, type, status }: CredentialFields): boolean {
    const isNamed = trust.policy.issuers.some(
      (each) => each.issuerDid === issuer && each.types.includes(type),
    );
    if (!isNamed || status === null) return false;
    const beside = { list: `${status.list}${FOR_CAUSE}`, index: status.index };
    return wallet.lists.look(beside, issuer, clock.now()).state === 'revoked';
  }

  function settle({ verdict, facts, claimed, digest }: Verification, bytes: Uint8Array): boolean {
    if (verdict.code === 'revoked') {
      trust.end(digest, claimed !== null && isForCause(claimed) ? 'for_cause' : 'withdrawn');
      wallet.others.remove(digest);
    } else if (verdict.code === 'expired') wallet.others.remove(digest);
    if (facts === null || claimed === null) return false;
    const { status, issuer } = claimed;
    const until = status === null ? null : (wallet.lists.times(issuer, status.list)?.until ?? clock.now());
    if (!trust.learn(facts, until)) return false;
    if (isWeighty(claimed)) wallet.others.keep(bytes, claimed);
    return true;
  }

  async function judge(bytes: Uint8Array, peer: string, subject: string | null): Promise<Verification> {
    const request = { peer, ...(subject === null ? {} : { subject }) };
    const first = await verifier.verify(bytes, request);
    const status = first.claimed?.status ?? null;
    // Anything else is refused whatever the list says, or counts for nothing: then nobody fetches anything for it.
    if (status === null || !['ok', 'status_unknown'].includes(first.verdict.code)) return first;
    if (!isWeighty(first.claimed!)) return first;
    const { issuer } = first.claimed!;
    if (!wallet.lists.isDue(issuer, status.list)) return first;
    await parts.refresh(issuer, status.list, peer);
    return verifier.verify(bytes, request);
  }

  function takeHandOvers(peer: string, statements: readonly Uint8Array[]): void {
    if (statements.length === 0) return;
    const chain = statements.map((bytes) => readHandOver(bytes, clock.now()));
    if (requireChain(chain).last !== didOfPeerId(peer)) return;
    for (const { from, to } of chain) {
      const [predecessor, successor] = [peerIdOfDid(from), peerIdOfDid(to)];
      const came = trust.succeed(predecessor, successor);
      if (came === 'ignored') continue;
      if (came === 'taken') {
        log.info('a peer has a new key', { from: predecessor, to: successor });
        wallet.others.removeAbout(from);
      }
      if (came === 'conflict') log.warn('a key names two successors', { key: predecessor });
      parts.onHandedOver(predecessor);
    }
  }

  return {
    async take(peer, { credentials, endorsements, handOvers }) {
      const own = didOfPeerId(peer);
      const refused: string[] = [];
      let learned = 0;
      try {
        takeHandOvers(peer, handOvers);
      } catch (error) {
        if (!isKithError(error)) throw error;
        refused.push(error.code);
      }
      const pieces = [
        ...credentials.map((bytes) => ({ bytes, subject: own })),
        ...endorsements.map((bytes) => ({ bytes, subject: null })),
      ];
      for (const { bytes, subject } of pieces) {
        try {
          const verification = await judge(bytes, peer, subject);
          const { claimed, verdict } = verification;
          const isOwnWord = claimed?.type === 'PeerEndorsement' && claimed.issuer === own;
          if (subject === null && !isOwnWord) refused.push('not_an_endorsement');
          else if (settle(verification, bytes)) learned++;
          else refused.push(verdict.code === 'ok' ? 'no_room' : verdict.code);
        } catch (error) {
          if (!isKithError(error)) throw error;
          if (error.details.limit !== 'credentials.perMinute') refused.push(error.code);
          else return { learned, refused, againAfter: Math.max(AGAIN_S, error.retryAfter ?? 0) };
        }
      }
      return { learned, refused, againAfter: null };
    },
    async review(kept) {
      for (const [at, { bytes, subject }] of kept.entries()) {
        if (signal.aborted) return;
        if (at % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
        try {
          settle(await verifier.verify(bytes, { subject }), bytes);
        } catch (error) {
          if (!isKithError(error)) throw error;
          log.warn('a credential of a peer was not looked at', { code: error.code });
        }
      }
    },
  };
}
