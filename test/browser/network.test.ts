/** The network page over real nodes: what it shows of the swarm, and what its owner does with it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildWeb } from '../../scripts/web-build.ts';
import type { InboxView, SentView, SwarmView } from '../../src/server/index.ts';
import { type SwarmNode, startSwarmNode, swarmHome } from '../swarm-support.ts';
import { crowd } from './crowd.ts';
import { inLanguage, launch, skip, until, type Visit, visitPage } from './support.ts';

let browser: Browser;
let ada: SwarmNode;
let bob: SwarmNode;
let off: SwarmNode;
let ofAda: SwarmView;
let ofBob: SwarmView;

before(async () => {
  if (skip) return;
  await buildWeb();
  [browser, ada, bob, off] = await Promise.all([
    launch(),
    swarmHome().then(startSwarmNode),
    swarmHome({ 'swarm.regions': 'eu' }).then(startSwarmNode),
    swarmHome({ 'swarm.enabled': false }).then(startSwarmNode),
  ]);
  [ofAda, ofBob] = await Promise.all([ada.view(), bob.view()]);
});
after(async () => {
  await browser?.close();
  await Promise.all([ada, bob, off].map((node) => node?.[Symbol.asyncDispose]()));
});

const short = (peer: string) => `…${peer.slice(-8)}`;
const visit = (node: SwarmNode, path = '/network', options: BrowserContextOptions = {}): Promise<Visit> =>
  visitPage(browser, node.node.url, path, options);

const runFile = (node: SwarmNode) => readFile(join(node.home, 'run', 'node.json'), 'utf8');

/** The part of a one-time link behind the address, as `kith open` prints it. */
async function entryOf(node: SwarmNode): Promise<string> {
  const { token } = JSON.parse(await runFile(node)) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${node.node.url}/kith/v1/entry/codes`, { method: 'POST', headers });
  return `#enter=${((await answer.json()) as { code: string }).code}`;
}

/** Follows a one-time link. */
async function unlock(page: Page, node: SwarmNode): Promise<void> {
  const entry = await entryOf(node);
  await page.evaluate((hash) => {
    location.hash = hash;
  }, entry);
  await page.getByText('Unlocked for this tab.').first().waitFor();
}

const row = (page: Page, peer: string) => page.locator(`tr[data-peer="${peer}"]`);
const mark = (page: Page, peer: string) =>
  page.getByRole('group', { name: 'Your circle' }).getByRole('link', { name: `Peer ${short(peer)}` });
const isLinked = async (node: SwarmNode, peer: string) =>
  (await node.call<SwarmView>('GET', '')).links.some((link) => link.peer === peer);

test('a node whose swarm is off says so, and how to switch it on', { skip }, async () => {
  await using seen = await visit(off);
  const { page, faults } = seen;
  await page.getByRole('heading', { level: 1, name: 'The swarm is off.' }).waitFor();
  await page.getByRole('button', { name: 'Copy' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^kith config set swarm\.enabled true\n/);
  assert.equal(await page.getByLabel('Run token').count(), 0);
  assert.deepEqual(faults, []);
});

test('who connects by address is in the circle and the table, and has a page', { skip }, async () => {
  await using seen = await visit(ada, '/');
  const { page, faults } = seen;
  await page.getByRole('main').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await page.getByRole('heading', { level: 1, name: 'No peer is connected.' }).waitFor();
  await page.getByText(ofAda.addresses[0]!, { exact: true }).waitFor();
  await page.getByText(ofAda.did, { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Copy PeerId' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), ofAda.peer);
  // Without the token nothing is offered that the node would refuse.
  assert.equal(await page.getByRole('heading', { name: 'Connect to a peer' }).count(), 0);
  assert.deepEqual(faults, []);
  await page.getByText('Or by the run token').click();
  await page.getByLabel('Run token').fill('not the token');
  await page.getByRole('button', { name: 'Unlock' }).click();
  await page.getByText('Code invalid_token').waitFor();
  // All of the file, as an owner may copy it.
  await page.getByLabel('Run token').fill(await runFile(ada));
  await page.getByRole('button', { name: 'Unlock' }).click();
  await page.getByText('Unlocked for this tab.').first().waitFor();
  await page.getByLabel('Address', { exact: true }).fill(ofBob.addresses[0]!);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page
    .getByText(`Connected to ${short(ofBob.peer)}.`)
    .first()
    .waitFor();
  await page.getByRole('heading', { level: 1, name: 'One peer is connected.' }).waitFor();
  await page.locator('.wire:not(.relayed)').first().waitFor();
  // It announces its region a moment later.
  await row(page, ofBob.peer).getByText('eu', { exact: true }).waitFor();
  assert.match(
    await row(page, ofBob.peer).innerText(),
    /Unknown, eu[\s\S]*Direct, on the local network, since/,
  );
  await mark(page, ofBob.peer).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/network/${ofBob.peer}`);
  await page
    .getByRole('heading', {
      level: 1,
      name: `${short(ofBob.peer)} is connected directly, on the local network.`,
    })
    .waitFor();
  await page.getByRole('button', { name: 'Measure the round trip' }).click();
  await page.getByRole('heading', { level: 1, name: /It answers in [\d.]+\sms/ }).waitFor();
  await page.getByText('score 0 of 1').waitFor();
  await page.getByText('What this node saw').waitFor();
  await page.getByText('This node never dealt with it').waitFor();
  await page.getByText('How the score is worked out').click();
  await page.getByText(`kith reputation show ${ofBob.peer}`).waitFor();
});

test('a message is marked as new until it is opened, and can be answered', { skip }, async () => {
  await ada.call('POST', '/connect', { target: ofBob.addresses[0]! });
  const text = 'The update is done.\n<b>And</b> a second line';
  const sent = await bob.call<SentView>('POST', '/messages', { to: ofAda.peer, text });
  assert.equal(sent.state, 'delivered');
  await using seen = await visit(ada);
  const { page, faults } = seen;
  await page.getByRole('link', { name: /^Network\s*1 new$/ }).waitFor();
  assert.equal(await page.getByText('The update is done.').count(), 0);
  await unlock(page, ada);
  const inbox = page.getByRole('list', { name: 'Inbox' });
  await inbox.getByText('New', { exact: true }).waitFor();
  await inbox.getByText('The update is done.').first().click();
  await inbox.getByText('<b>And</b> a second line').waitFor();
  await inbox.getByText('New', { exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Network', exact: true }).first().waitFor();
  assert.equal((await ada.call<InboxView>('GET', '/messages')).unread, 0);
  await inbox.getByRole('link', { name: 'Answer' }).click();
  await page.waitForURL(`**/network/${ofBob.peer}`);
  await page.getByLabel('Message', { exact: true }).fill('Thank you.');
  await page.getByRole('button', { name: 'Send message' }).click();
  await page
    .getByText(`Delivered to ${short(ofBob.peer)}.`)
    .first()
    .waitFor();
  const { messages } = await bob.call<InboxView>('GET', '/messages');
  assert.deepEqual(
    messages.map(({ from, text }) => [from, text]),
    [[ofAda.peer, 'Thank you.']],
  );
  await page
    .getByRole('button', { name: 'Remove this message' })
    .locator('visible=true')
    .or(page.getByText('The update is done.'))
    .first()
    .click();
  await page.getByRole('button', { name: 'Remove this message' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('What owners of peers write stands here.').waitFor();
  assert.equal((await ada.call<InboxView>('GET', '/messages')).total, 0);
  assert.deepEqual(faults, []);
});

test('a peer is banned after a question, and may come again when it is unbanned', { skip }, async () => {
  await ada.call('POST', '/connect', { target: ofBob.addresses[0]! });
  await using seen = await visit(ada, `/network/${ofBob.peer}`);
  const { page } = seen;
  await unlock(page, ada);
  await page.getByRole('button', { name: 'Ban', exact: true }).click();
  const asking = page.getByRole('dialog', { name: `Ban ${short(ofBob.peer)}?` });
  await asking.getByRole('button', { name: 'Cancel' }).click();
  await asking.waitFor({ state: 'detached' });
  assert.equal(await isLinked(ada, ofBob.peer), true);
  await page.getByRole('button', { name: 'Ban', exact: true }).click();
  await asking.getByLabel('For').selectOption('day');
  await asking.getByRole('button', { name: 'Ban', exact: true }).click();
  await page.getByRole('button', { name: `Unban ${short(ofBob.peer)}` }).waitFor();
  await until(async () => !(await isLinked(ada, ofBob.peer)), 'The link is cut');
  await page.getByRole('link', { name: 'Network', exact: true }).last().click();
  await page.getByRole('heading', { name: 'Banned' }).waitFor();
  await page.getByText(/^until /).waitFor();
  await page.getByRole('button', { name: `Unban ${short(ofBob.peer)}` }).click();
  await page.getByRole('heading', { name: 'Banned' }).waitFor({ state: 'detached' });
  assert.deepEqual((await ada.call<{ bans: unknown[] }>('GET', '/bans')).bans, []);
  // The token is gone with the page that held it.
  await page.reload();
  await page.getByText('Or by the run token').waitFor();
});

test('a crowd is drawn by tier and distance; relayed and unknown look so, and the table says the same', {
  skip,
}, async () => {
  await using seen = await visit(ada);
  const { page, faults } = seen;
  const peers = await crowd(page, ada.node.url, ofAda);
  assert.equal(await page.locator('.peer-mark').count(), peers.length);
  const relayed = peers.filter(({ direct }) => direct === false).length;
  assert.equal(await page.locator('.circle > svg .wire.relayed').count(), relayed);
  assert.equal(await page.locator('.circle > svg .wire').count(), 11);
  for (const peer of peers) {
    const name = (await mark(page, peer.peer).getAttribute('aria-label'))!;
    const words = peer.banned
      ? 'Banned'
      : !peer.connected
        ? 'Not connected'
        : peer.direct
          ? 'Direct'
          : 'Over a relay';
    assert.ok(name.includes(words), name);
    assert.equal(name.includes('not measured'), peer.rttMs === null, name);
    assert.ok((await row(page, peer.peer).innerText()).includes(words), name);
  }
  // What nobody announced is not known, which is not the same as nothing.
  assert.match(await row(page, peers[6]!.peer).innerText(), /Not known/);
  assert.match(await row(page, peers[1]!.peer).innerText(), /Nothing/);
  assert.deepEqual(faults, []);
});

test('nothing scrolls sideways at 320 px, in both languages', { skip }, async () => {
  for (const locale of ['en-GB', 'de-DE']) {
    await using seen = await visit(ada, '/theme.js', { viewport: { width: 320, height: 640 }, locale });
    const { page } = seen;
    const [first] = await crowd(page, ada.node.url, ofAda);
    await inLanguage(page, locale.slice(0, 2));
    await unlockAny(page, ada);
    const wide = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('.page, .bar')]
          .filter((box) => box.scrollWidth > box.clientWidth)
          .map((box) => box.className),
      );
    assert.deepEqual(await wide(), [], locale);
    await page.locator(`tr[data-peer="${first!.peer}"] a`).click();
    await page.locator('.network-facts').waitFor();
    assert.deepEqual(await wide(), [], `${locale}, peer`);
  }
});

/** In whatever language the page is. */
async function unlockAny(page: Page, node: SwarmNode): Promise<void> {
  const entry = await entryOf(node);
  await page.evaluate((hash) => {
    location.hash = hash;
  }, entry);
  await page.locator('.unlocked').first().waitFor();
}

for (const [colorScheme, width] of [
  ['light', 390],
  ['dark', 820],
  ['dark', 1440],
] as const) {
  test(`axe finds nothing on the network pages: ${colorScheme}, ${width} px`, { skip }, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const options: BrowserContextOptions = {
      colorScheme,
      viewport: { width, height: 900 },
      reducedMotion: 'reduce',
    };
    const look = async (page: Page, what: string) => {
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: {
            run(o: object): Promise<{
              violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[];
            }>;
          };
        };
        const { violations } = await axe.run({ resultTypes: ['violations'] });
        return violations.flatMap(({ id, nodes }) =>
          nodes.map((one) => `${id}: ${one.target.join(' ')} ${one.failureSummary}`),
        );
      });
      assert.deepEqual(found, [], what);
    };
    await using seen = await visit(ada, '/theme.js', options);
    const { page } = seen;
    const [first] = await crowd(page, ada.node.url, ofAda);
    if (width === 390) await look(page, 'locked');
    await unlock(page, ada);
    await look(page, 'unlocked');
    await mark(page, first!.peer).click();
    await page.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await look(page, 'peer, asked');
    if (width !== 390) return;
    await page.unrouteAll();
    await page.goto(`${off.node.url}/network`);
    await page.getByRole('heading', { level: 1, name: 'The swarm is off.' }).waitFor();
    await look(page, 'off');
  });
}
