/** The vault's pages over real nodes: a knowledge base is placed with two Eves, checked, searched, lost and restored. */
import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../scripts/web-build.ts';
import type { JobView, PlacedView, StorageView } from '../../src/server/index.ts';
import { findings } from './looks.ts';
import { inLanguage, launch, skip, until, type Visit, visitPage } from './support.ts';
import { enter, openVaults, PLANTED, type Vaults } from './vaults.ts';

let browser: Browser;
let vaults: Vaults;
let bob: Visit;
let eve: Visit;

const options = { reducedMotion: 'reduce', viewport: { width: 1280, height: 900 } } as const;

before(async () => {
  if (skip) return;
  await buildWeb();
  [browser, vaults] = await Promise.all([launch(), openVaults()]);
  bob = await visitPage(browser, vaults.bob.node.url, '/', options);
  eve = await visitPage(browser, vaults.eves[0]!.node.url, '/vault', options);
});
after(async () => {
  await browser?.close();
  await vaults?.[Symbol.asyncDispose]();
});

const short = (peer: string) => `…${peer.slice(-8)}`;
const placed = async () =>
  (await vaults.call<{ placed: PlacedView[] }>('GET', '/api/rag/vault')).placed.find(
    ({ kb }) => kb === 'notes',
  );
const eveRow = (page: Page, at: number) => page.locator(`tr[data-peer="${vaults.peers[at]}"]`);

test('the owner opens the vault by keys and a link, and is told how it stands and how to lend space', {
  skip,
}, async () => {
  const { page, faults } = bob;
  await page.getByRole('main').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.waitForURL('**/vault');
  await page.getByText('kith open vault').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Restore' }).count(), 0);
  await enter(page, vaults.bob);
  await page.getByRole('heading', { level: 1, name: 'Nothing of yours lies with peers.' }).waitFor();
  await page.getByLabel('How much in all').selectOption('200');
  await page.getByText('kith storage init --capacity 200GB --tenant 5GB --tier nobody').waitFor();
  assert.deepEqual(faults, []);
});

test('a knowledge base is placed with Eves that are asked, whose operators are named', { skip }, async () => {
  const { page, faults } = bob;
  const [first, second] = vaults.peers as [string, string];
  await page.getByRole('button', { name: 'Place a knowledge base' }).click();
  const form = page.getByRole('form', { name: 'Place a knowledge base' });
  assert.equal(await form.getByRole('button', { name: 'Place it' }).isDisabled(), true);
  await form.getByLabel('Another peer').fill('12D3KooWnobody');
  await form.getByRole('button', { name: 'Ask it' }).click();
  await form.getByText('A PeerId begins with').waitFor();
  for (const [peer, name] of [
    [first, 'Ada'],
    [second, 'Ben'],
  ] as const) {
    const one = form.locator(`[data-peer="${peer}"]`);
    // Those that have announced themselves stand there already.
    await form.getByLabel('Another peer').fill(peer);
    await form.getByRole('button', { name: 'Ask it' }).click();
    await one.getByText('500 MB').waitFor();
    await one.getByRole('checkbox', { name: `Keep it with ${short(peer)}` }).check();
    await one.getByLabel(`Who runs ${short(peer)}`).fill(name);
  }
  await form.getByRole('radio', { name: /^Split/ }).check();
  await form.getByText('Split awaits independent review').waitFor();
  assert.deepEqual(await findings(page), []);
  await form.getByRole('button', { name: 'Place it' }).click();
  await page.waitForURL('**/vault/notes');
  await page.locator('.vault-work [data-state="done"]').waitFor();
  await page.getByText('up to date').waitFor();
  const { mode, replicas, eves, number } = (await placed())!;
  assert.deepEqual(
    { mode, replicas, number, eves: eves.toSorted((a, b) => (a.operator! < b.operator! ? -1 : 1)) },
    {
      ...{ mode: 'split', replicas: 2, number: 1 },
      eves: [
        { peer: first, operator: 'Ada' },
        { peer: second, operator: 'Ben' },
      ],
    },
  );
  // What is to be known of the mode is said as the node says it.
  await page.getByText("The mode 'split' awaits independent review").waitFor();
  await eveRow(page, 0).getByRole('img', { name: 'Operator A: Ada' }).waitFor();
  await eveRow(page, 1).getByText('keeps it').waitFor();
  assert.deepEqual(faults, []);
});

test('a change shows as one until it is uploaded, and Eves show what they keep', { skip }, async () => {
  const { page, faults } = bob;
  const file = join(vaults.bob.home, 'Notes', 'lamp.md');
  await writeFile(file, '# Lamp\n\nThe lamp in the tower burns whale oil.\n');
  await vaults.ended(await vaults.call<JobView>('POST', '/api/rag/kbs/notes/ingest', { paths: [file] }));
  await page.getByText('changed since').waitFor();
  await page.getByRole('button', { name: 'Upload now' }).click();
  await page.getByText('Version 3 at the peers').or(page.getByText('Version 2 at the peers')).waitFor();
  await page.getByText('up to date').waitFor();
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  for (const at of [0, 1]) await eveRow(page, at).getByText('showed all 20 pieces').waitFor();
  assert.equal((await placed())!.stale, false);
  assert.deepEqual(faults, []);
});

test('it is searched where it lies, and the page says what it took and who learned what', {
  skip,
}, async () => {
  const { page, faults } = bob;
  await page.getByRole('searchbox').fill('Where is the blue notebook?');
  await page.keyboard.press('Enter');
  const first = page.locator('.placed-hit').first();
  await first.getByText(PLANTED).waitFor();
  await first.getByText('stairs.md', { exact: false }).waitFor();
  await page.getByText('Waited for scores').waitFor();
  await page.getByText('Neither learned the question').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(faults, []);
});

test('a peer gets a line by which it may read what peers keep, and it is taken back', { skip }, async () => {
  const { page, faults } = bob;
  const holder = vaults.peers[0]!;
  await page.getByText('Nobody but you.').waitFor();
  await page.getByLabel('PeerId of who may read it').fill(holder);
  await page.getByRole('button', { name: 'Let it read' }).click();
  await page.getByText('Send this line to the other owner').waitFor();
  await page.getByRole('button', { name: `Take back what ${short(holder)} may read` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await page.getByText(/^taken back/).waitFor();
  const { grants } = await vaults.call<{ grants: { state: string }[] }>(
    ...(['GET', '/api/rag/kbs/notes/vault/grants'] as const),
  );
  assert.deepEqual(
    grants.map(({ state }) => state),
    ['revoked'],
  );
  assert.deepEqual(faults, []);
});

test('who lends the space sees whose it is and how much, copies it to a file and deletes it', {
  skip,
}, async () => {
  const { page, faults } = eve;
  await enter(page, vaults.eves[0]!);
  await page.getByRole('heading', { level: 1, name: /This node keeps [\d.]+ MB for others/ }).waitFor();
  const row = page.locator('tr[data-owner]');
  assert.match(await row.innerText(), /MB of \d+ MB/);
  assert.ok(!(await page.locator('.page-body').innerText()).includes('notes'));
  assert.deepEqual(await findings(page), []);
  await page.getByRole('button', { name: /^Back up what/ }).click();
  const file = join(vaults.bob.home, 'tenant.sqlite');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('File, with its whole path').fill('somewhere');
  await dialog.getByRole('button', { name: 'Write the copy' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('File, with its whole path').fill(file);
  await dialog.getByRole('button', { name: 'Write the copy' }).click();
  await page.getByText(`${file} is written`).first().waitFor();
  assert.ok((await stat(file)).size > 0);
  await page.getByRole('button', { name: /^Delete what/ }).click();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await row.waitFor();
  await page.getByRole('button', { name: /^Delete what/ }).click();
  await dialog.getByRole('button', { name: 'Delete it' }).click();
  await page.getByText('Nobody yet.').waitFor();
  // A wrong path is refused by the node, which the browser notes.
  assert.deepEqual(
    faults.filter((fault) => !fault.includes('400')),
    [],
  );
});

test('what one Eve lost shows, and a knowledge base that is lost here comes back from the other', {
  skip,
}, async () => {
  const { page } = bob;
  await vaults.call('DELETE', '/api/rag/kbs/notes');
  await page.reload();
  await enter(page, vaults.bob);
  await eveRow(page, 0).getByText('does not answer').waitFor();
  await page.getByText('The knowledge base itself is not on this node any more.').waitFor();
  await page.getByRole('link', { name: 'Restore it' }).click();
  await page.getByLabel('PeerId of an Eve').fill(vaults.peers[1]!);
  await page.getByRole('button', { name: 'Look' }).press('Enter');
  const found = page.locator('[data-kb="notes"]');
  await found.getByRole('button', { name: 'Restore notes' }).click();
  await found.getByText('notes is back').waitFor();
  const hits = await vaults.call<{ hits: { text: string }[] }>('POST', '/api/rag/kbs/notes/search', {
    ...{ query: 'blue notebook', k: 1 },
  });
  assert.ok(hits.hits[0]!.text.includes(PLANTED));
});

test('at 320 px nothing is wider than the page, in the longer of its languages', { skip }, async () => {
  await using seen = await visitPage(browser, vaults.bob.node.url, '/vault', {
    ...{ ...options, viewport: { width: 320, height: 640 }, locale: 'de-DE' },
  });
  const { page } = seen;
  await inLanguage(page, 'de');
  await enter(page, vaults.bob);
  const wide = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('.page, .page-body, .bar')]
        .filter((box) => box.scrollWidth > box.clientWidth)
        .map((box) => box.className),
    );
  await page.locator('.learns').waitFor();
  assert.deepEqual(await wide(), []);
  await page.locator('.placed-one a').click();
  await page.locator('.placed-eves').waitFor();
  assert.deepEqual(await wide(), []);
  assert.deepEqual(await findings(page), []);
  // A page that the bar has no room for.
  await page.locator('.bar button').click();
  await page.getByRole('dialog').getByRole('link', { name: 'Tresor' }).click();
  await page.locator('.learns').waitFor();
});

test('peers delete what they keep once that is asked for', { skip }, async () => {
  const { page } = bob;
  await page.locator('.placed-one a').click();
  await page.getByRole('button', { name: 'Delete at peers' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete at peers' }).click();
  await page.getByText('Deleted at 2 peers.').first().waitFor();
  assert.equal(await placed(), undefined);
  await until(async () => {
    const view = await vaults.eves[1]!.call<StorageView>('GET', '/../storage');
    return view.tenants.length === 0;
  }, 'The other Eve has nothing');
});
