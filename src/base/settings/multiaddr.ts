/**
 * Forms of multiaddrs and IP prefixes in settings. Only what a node can listen on or dial over TCP: anything else would be
 * taken and never work.
 *
 * Source: https://github.com/multiformats/multiaddr (the text form).
 *
 * @module base/settings/multiaddr
 */
import { isIP } from 'node:net';

/** A PeerId in text: an Ed25519 key (`12D3KooW...`), or the SHA-256 of another key (`Qm...`). */
const PEER = /^(?:12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|Qm[1-9A-HJ-NP-Za-km-z]{44})$/;
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*$/i;

export const isPeerId = (text: string): boolean => PEER.test(text);

/** Parts of `text` between its slashes; null when it does not begin with one. */
function partsOf(text: string): string[] | null {
  return text.startsWith('/') && text.length <= 512 ? text.slice(1).split('/') : null;
}

function isHost(kind: string | undefined, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (kind === 'ip4') return isIP(value) === 4;
  if (kind === 'ip6') return isIP(value) === 6;
  return (kind === 'dns' || kind === 'dns4' || kind === 'dns6') && NAME.test(value);
}

function isPort(text: string | undefined, least: number): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= 65_535;
}

/** `/ip4/0.0.0.0/tcp/4001`, `/ip6/::/tcp/0`: port 0 takes any free one. */
export function isListenAddress(text: string): boolean {
  const parts = partsOf(text);
  return (
    parts?.length === 4 &&
    (parts[0] === 'ip4' || parts[0] === 'ip6') &&
    isHost(parts[0], parts[1]) &&
    parts[2] === 'tcp' &&
    isPort(parts[3], 0)
  );
}

/** What others may be told: `/ip4/203.0.113.7/tcp/4001`, `/dns4/kith.example.org/tcp/4001`. */
export function isAnnounceAddress(text: string): boolean {
  const parts = partsOf(text);
  return parts?.length === 4 && isHost(parts[0], parts[1]) && parts[2] === 'tcp' && isPort(parts[3], 1);
}

/** An address that names who answers there: `/ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...`, also over a relay. */
export function isPeerAddress(text: string): boolean {
  const parts = partsOf(text);
  if (parts === null) return false;
  if (parts[0] === 'dnsaddr')
    return parts.length === 4 && NAME.test(parts[1]!) && parts[2] === 'p2p' && isPeerId(parts[3]!);
  if (!isHost(parts[0], parts[1]) || parts[2] !== 'tcp' || !isPort(parts[3], 1)) return false;
  const rest = parts.slice(4);
  const direct = rest.length === 2 && rest[0] === 'p2p' && isPeerId(rest[1]!);
  const relayed =
    rest.length === 5 &&
    rest[0] === 'p2p' &&
    isPeerId(rest[1]!) &&
    rest[2] === 'p2p-circuit' &&
    rest[3] === 'p2p' &&
    isPeerId(rest[4]!);
  return direct || relayed;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
export function isAddressRange(text: string): boolean {
  const [address, bits, ...more] = text.split('/');
  const family = isIP(address ?? '');
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** `stun:stun.example.org:3478`. */
export function isStunAddress(text: string): boolean {
  const match = /^stun:([^:/]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(text);
  return match !== null && isPort(match[2], 1) && (match[1]!.startsWith('[') || NAME.test(match[1]!));
}
