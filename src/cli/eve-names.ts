/**
 * Eves as people name them: by the ending that lists show (`…mUo7R3pn`), by who runs one (`Ada`), by `did:key`, or in full.
 *
 * @module cli/eve-names
 */
import { isPeerId } from '../base/index.ts';
import { peerIdOfDid } from '../identity/index.ts';
import type { VaultDesk } from '../server/index.ts';
import { UsageError } from './failure.ts';

/** What of a PeerId lists show, and how they show it. */
const SHOWN = 8;
/** Fewer characters are too easily another's. */
const LEAST = 4;
/** Candidates that an error names. */
const NAMED = 8;

export interface NamedEve {
  readonly peer: string;
  readonly operator: string | null;
}

export const peerShown = (peer: string): string => `…${peer.slice(-SHOWN)}`;

/** `Ada …mUo7R3pn`, or the ending alone. */
export const eveShown = ({ peer, operator }: NamedEve): string =>
  operator === null ? peerShown(peer) : `${operator} ${peerShown(peer)}`;

/** The PeerId that stands there in full, as itself or as `did:key`; null: it is neither. @throws UsageError */
export function fullPeer(text: string): string | null {
  if (isPeerId(text)) return text;
  if (!text.startsWith('did:')) return null;
  try {
    return peerIdOfDid(text);
  } catch {
    throw new UsageError(`${text} is no did:key of an Ed25519 key, as PeerIds are.`);
  }
}

/**
 * The one of `known` that is meant.
 *
 * @param of whose Eves those are, for people
 * @throws UsageError that names those it could be
 */
export function peerAmong(text: string, known: readonly NamedEve[], of: string): string {
  const full = fullPeer(text);
  if (full !== null) return full;
  const eves = [...new Map(known.map((eve) => [eve.peer, eve])).values()];
  const ending = text.replace(/^(?:…|\.{3})/u, '');
  const byName = known.filter(({ operator }) => operator?.toLowerCase() === text.toLowerCase());
  const found = [
    ...new Map(
      [...byName, ...(ending.length >= LEAST ? eves.filter(({ peer }) => peer.endsWith(ending)) : [])].map(
        (eve) => [eve.peer, eve],
      ),
    ).values(),
  ];
  if (found.length === 1) return found[0]!.peer;
  const names = (of: readonly NamedEve[]) =>
    `${of.slice(0, NAMED).map(eveShown).join(', ')}${of.length > NAMED ? `, and ${of.length - NAMED} others` : ''}`;
  throw new UsageError(
    found.length > 1
      ? `'${text}' may be ${found.length} of ${of}: ${names(found)}. Name one by its ending, or by its whole PeerId.`
      : eves.length === 0
        ? `'${text}' is no PeerId such as 12D3KooW..., and there are none among ${of}.`
        : `'${text}' is no PeerId, and none of ${of}: ${names(eves)}. Name one by its ending, by who runs it, or by its whole PeerId.`,
  );
}

export interface EveNames {
  /** PeerIds in full. */
  peers(texts: readonly string[]): Promise<string[]>;
  /** Places: `Name=` before one says who runs it, and stays. */
  places(texts: readonly string[]): Promise<string[]>;
}

/**
 * Looks those up that are not named in full.
 *
 * @param kb whose Eves alone are meant; null: those of all that is placed, and those that announce themselves
 */
export function eveNames(vault: Pick<VaultDesk, 'placed' | 'discover'>, kb: string | null): EveNames {
  let looked: Promise<readonly NamedEve[]> | null = null;
  async function look(): Promise<readonly NamedEve[]> {
    const placed = await vault.placed();
    if (kb !== null) return placed.find((one) => one.kb === kb)?.eves ?? [];
    const heard = await vault.discover([], false, new AbortController().signal);
    const known = placed.flatMap(({ eves }) => eves);
    return [...known, ...heard.map(({ peer }) => ({ peer, operator: null }))];
  }
  const resolve = async (text: string): Promise<string> => {
    const full = fullPeer(text);
    if (full !== null) return full;
    looked ??= look();
    return peerAmong(text, await looked, kb === null ? 'the Eves that this node knows' : `the Eves of ${kb}`);
  };
  return {
    peers: (texts) => Promise.all(texts.map(resolve)),
    places: (texts) =>
      Promise.all(
        texts.map(async (text) => {
          const at = text.lastIndexOf('=');
          return `${text.slice(0, at + 1)}${await resolve(text.slice(at + 1))}`;
        }),
      ),
  };
}
