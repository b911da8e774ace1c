/**
 * A crowded swarm for the tests of the page, told in the node's stead.
 *
 * @module test/browser/crowd
 */
import type { Page } from 'playwright-core';
import type { LeasesView, PeersView, PeerTrustView, PeerView, SwarmView } from '../../src/server/index.ts';

/** A swarm of many, as a node would tell it: every tier, every kind of link, and what is not known. */
export async function crowd(page: Page, node: string, view: SwarmView): Promise<PeerView[]> {
  const letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZ';
  const peers = Array.from({ length: 14 }, (_, n): PeerView => {
    const connected = n < 11;
    const direct = n % 4 !== 3;
    return {
      peer: `12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4k${letters[n]}${letters[(n * 7) % 33]}nXT${letters[(n * 5) % 33]}`,
      tier: (['trusted', 'unknown', 'verified', 'known'] as const)[n % 4]!,
      score: n / 14,
      connected,
      address: connected ? `/ip4/192.0.2.${n}/tcp/4001` : null,
      direct: connected ? direct : null,
      path: !connected ? null : direct ? (['lan', 'tcp', 'webrtc'] as const)[n % 3]! : 'relay',
      rttMs: connected && n !== 5 ? 0.4 * 1.9 ** n : null,
      state: n === 6 ? null : 'online',
      regions: n % 3 === 0 ? [] : ['eu'],
      serves: n % 5 === 0 ? ['storage'] : [],
      models:
        n % 2 === 0
          ? [
              {
                hash: 'ab'.repeat(32),
                quant: 'Q8_0',
                id: 'tinyllama-1.1b-chat',
                serves: ['chat', 'blocks'],
                blocks: [[0, 11]],
              },
            ]
          : [],
      banned: n === 13,
    };
  });
  const links = peers
    .filter(({ connected }) => connected)
    .map(({ peer, address, direct, path, rttMs }, n) => ({
      peer,
      address: address!,
      direction: n % 2 === 0 ? 'in' : 'out',
      direct: direct!,
      path: path!,
      limited: n === 3,
      encryption: '/tls/1.0.0',
      rttMs,
      since: Date.now() - 3_600_000 * n,
    }));
  const told: PeersView = { peers, more: 3 };
  await page.route('**/kith/v1/swarm/peers/*/trust', (route) => {
    const peer = new URL(route.request().url()).pathname.split('/').at(-2)!;
    return route.fulfill({ json: trustOf(peers.find((one) => one.peer === peer)!) });
  });
  const leases: LeasesView = {
    most: 2,
    leases: [
      { peer: peers[0]!.peer, model: 'tinyllama-1.1b-chat', task: 'chat', running: true, ms: 412_000 },
      { peer: peers[2]!.peer, model: 'tinyllama-1.1b-chat', task: 'chat', running: false, ms: 98_000 },
    ],
  };
  await page.route('**/kith/v1/swarm/leases', (route) => route.fulfill({ json: leases }));
  await page.route('**/kith/v1/swarm/peers', (route) => route.fulfill({ json: told }));
  await page.route('**/kith/v1/swarm', (route) => route.fulfill({ json: { ...view, links } }));
  await page.goto(`${node}/network`);
  await page.locator('.peer-mark').nth(13).waitFor();
  return peers;
}

function trustOf({ peer, score, tier }: PeerView): PeerTrustView {
  const terms: readonly (readonly [PeerTrustView['terms'][number]['name'], number, string])[] = [
    ['credentials', 0.62, 'FiduciaryPledge 0.40 of one issuer, Uptime 0.22 with half its life behind it'],
    ['endorsements', 0.18, '3 endorsements of 2 peers, the strongest of one that is trusted'],
    ['observations', 0.91, 'availability 0.97, latency 0.88, throughput 0.86'],
    ['confidence', 0.74, '112 observations'],
    ['rank', 0.31, 'of 48 peers that somebody endorses'],
    ['moderation', 1, 'nothing is known against it'],
    ['strikes', 1, 'none'],
    ['accountability', 1, 'none of those it endorses lost trust'],
  ];
  return {
    ...{ peer, score, tier, profile: 'default', tiers: { default: tier, reference: tier } },
    terms: terms.map(([name, value, detail]) => ({ name, value, detail })),
    gates: tier === 'known' ? ['verified needs a VerifiedNode credential of an issuer that counts here'] : [],
    quarantineUntil: null,
    dealings: 112,
    endorsed: tier === 'trusted',
  };
}
