/**
 * IP prefixes that may or may not connect.
 *
 * @module swarm/gate/addresses
 */
import { BlockList, isIP } from 'node:net';
import { InputError } from '../../base/index.ts';

function listOf(prefixes: readonly string[]): BlockList | null {
  if (prefixes.length === 0) return null;
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [address, bits, ...more] = prefix.split('/');
    const family = isIP(address!);
    const most = family === 4 ? 32 : 128;
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || length < 0 || length > most || more.length > 0)
      throw new InputError(
        'swarm_address_invalid',
        `${JSON.stringify(prefix)} is not an IP prefix. Write it as 10.0.0.0/8 or fd00::/8.`,
      );
    list.addSubnet(address!, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

export class AddressRules {
  readonly #allow: BlockList | null;
  readonly #deny: BlockList | null;

  /** @throws {InputError} `swarm_address_invalid` */
  constructor(allow: readonly string[], deny: readonly string[]) {
    this.#allow = listOf(allow);
    this.#deny = listOf(deny);
  }

  /** Whether a multiaddr's IP may connect. What has no IP, as a relayed link, passes: its relay was asked. */
  admits(multiaddr: string): boolean {
    const match = /^\/ip([46])\/([^/]+)/.exec(multiaddr);
    if (match === null || multiaddr.includes('/p2p-circuit')) return true;
    const mapped = match[1] === '6' ? /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(match[2]!) : null;
    const address = mapped === null ? match[2]! : mapped[1]!;
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (this.#deny?.check(address, family)) return false;
    return this.#allow === null || this.#allow.check(address, family);
  }
}
