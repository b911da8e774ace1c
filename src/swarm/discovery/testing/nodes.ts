/**
 * Nodes with registry and discovery on a network for tests.
 *
 * @module swarm/discovery/testing/nodes
 */
import { type Clock, createSeededRandom } from '../../../base/index.ts';
import type { Identity } from '../../../identity/index.ts';
import { announcementOf, identityOf } from '../../records/testing/samples.ts';
import type { Announcement } from '../../records/types.ts';
import { Registry } from '../../registry/registry.ts';
import type { Offer } from '../announcer.ts';
import { Discoverer } from '../discovery.ts';
import type { Network } from '../network.ts';

export interface TestNode {
  readonly identity: Identity;
  readonly peer: string;
  readonly registry: Registry;
  readonly discovery: Discoverer;
}

export function nodeOn(network: Network, number: number, clock: Clock, intervalMs = 60_000): TestNode {
  const identity = identityOf(number);
  const random = createSeededRandom(number);
  const standing = () => 0;
  const registry = new Registry({ clock, random, self: identity.peerId, standing });
  const discovery = new Discoverer({
    network,
    registry,
    signer: identity,
    clock,
    random,
    standing,
    intervalMs,
  });
  return { identity, peer: identity.peerId, registry, discovery };
}

/** What `announcementOf` has, as an offer. */
export function offerOf(changes: Partial<Announcement> = {}): Offer {
  const { peer: _peer, seq: _seq, exp: _exp, ...offer } = announcementOf(identityOf(0), changes);
  return offer;
}

/** Lets everything run that can run without time passing. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
