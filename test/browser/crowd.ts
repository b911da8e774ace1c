/**
 * A crowded swarm for the tests of the page, told in the node's stead.
 *
 * @module test/browser/crowd
 */
import type { Page } from 'playwright-core';
import type { PeersView, PeerView, SwarmView } from '../../src/server/index.ts';

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
    .map(({ peer, address, direct, rttMs }, n) => ({
      peer,
      address: address!,
      direction: n % 2 === 0 ? 'in' : 'out',
      direct: direct!,
      limited: n === 3,
      encryption: '/tls/1.0.0',
      rttMs,
      since: Date.now() - 3_600_000 * n,
    }));
  const told: PeersView = { peers, more: 3 };
  await page.route('**/kith/v1/swarm/peers', (route) => route.fulfill({ json: told }));
  await page.route('**/kith/v1/swarm', (route) => route.fulfill({ json: { ...view, links } }));
  await page.goto(`${node}/network`);
  await page.locator('.peer-mark').nth(13).waitFor();
  return peers;
}
