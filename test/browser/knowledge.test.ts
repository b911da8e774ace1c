/** The knowledge page over a real node: from an empty page to an answer whose source is shown, and back to an empty page. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findings } from './looks.ts';
import { openStage, type Stage, skip, type Visit } from './support.ts';

let stage: Stage;
let visit: Visit;
let files: string;

const lease =
  '---\ntags: [home]\n---\n# Lease\n\n## Term\n\nThe lease begins in June 2021. The lease ends on 31 May 2026.\n\n## Rent\n\nThe rent is 1150 euros a month.\n';

before(async () => {
  if (skip) return;
  stage = await openStage();
  files = join(stage.home.path, 'Papers');
  await mkdir(files);
  await writeFile(join(files, 'lease.md'), lease);
  await writeFile(join(files, 'tea.txt'), 'Green tea takes <b>two minutes</b> at 70 degrees.\n');
  await writeFile(join(files, 'broken.pdf'), '%PDF-1.7 and nothing else');
  visit = await stage.visit('/knowledge', {
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 900 },
  });
});
after(async () => {
  await visit?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

test('a stranger to the node sees how its owner opens the page, and nothing else', { skip }, async () => {
  const { page } = visit;
  await page.getByRole('heading', { level: 1, name: 'Your knowledge is for you alone.' }).waitFor();
  await page.getByText('kith open knowledge').waitFor();
  assert.deepEqual(await findings(page), []);
  // Nor does a request without the token get anything.
  const status = await page.evaluate(async () => (await fetch('/api/rag/kbs')).status);
  assert.equal(status, 401);
  visit.faults.length = 0;
  const { token } = JSON.parse(await readFile(join(stage.home.path, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const told = await fetch(`${stage.node.url}/kith/v1/entry/codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const { code } = (await told.json()) as { code: string };
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#enter=${code}`);
  await page.getByRole('heading', { level: 1, name: 'Nothing to search yet.' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the address keeps no trace of the code');
});

test('files that are handed over are taken in, and one that cannot be read says why and what to do', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.getByLabel('Name', { exact: true }).fill('Papers!');
  await page.getByText('It begins with a small letter').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('papers');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.waitForURL('**/knowledge/papers/files');
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(['lease.md', 'tea.txt', 'broken.pdf'].map((name) => join(files, name)));
  const uploads = page.getByRole('list', { name: 'Files you added' });
  await uploads.locator('[data-state="done"]').nth(1).waitFor();
  await uploads.locator('[data-state="failed"]').getByText('broken.pdf', { exact: true }).waitFor();
  await page.getByText('One file could not be read.').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'broken.pdf' });
  await row.getByText('Then sync, or add it again.').waitFor();
  assert.match(await row.innerText(), /Open it in the program that made it/);
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(faults, []);
});

test('what is found is marked as text, and its source opens beside it by the keyboard', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.getByRole('searchbox').fill('green teas');
  const first = page.locator('.hit').first();
  await first.locator('mark').first().waitFor();
  assert.deepEqual(await first.locator('.passage mark').allInnerTexts(), ['Green', 'tea']);
  assert.match(await first.locator('.passage').innerText(), /<b>two minutes<\/b>/);
  await page.getByText('Filters').click();
  await page.getByLabel('Tag').fill('home');
  await page.locator('.hit').filter({ hasText: 'tea.txt' }).waitFor({ state: 'detached' });
  await page.getByRole('searchbox').fill('when does it end?');
  // The hits of this question: those of the one before were of the same document.
  await page
    .locator('.hit mark')
    .filter({ hasText: /^ends$/ })
    .first()
    .waitFor();
  await page.getByRole('searchbox').press('ArrowDown');
  await page.keyboard.press('Enter');
  const source = page.getByRole('complementary', { name: 'Source' });
  await source.getByText('The document begins here.').waitFor();
  assert.ok((await source.locator('li').count()) >= 2, 'with what stands around it');
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press('Escape');
  await source.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
});

test('an answer shows for each sentence where it stands, and what is not known is not answered', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('link', { name: 'Ask', exact: true }).click();
  const field = page.getByRole('textbox', { name: 'Your question to papers' });
  await field.fill('When does the lease end?');
  await field.press('Enter');
  const turn = page.locator('article').first().and(page.locator('[data-state="done"]'));
  await turn.waitFor();
  await turn.getByText('No model wrote this.').waitFor();
  await turn.getByText('The lease ends on 31 May 2026.').waitFor();
  await turn
    .getByRole('button', { name: /^Source 1: Lease/ })
    .first()
    .click();
  const source = page.getByRole('complementary', { name: 'Source' });
  await source.locator('.here mark.cited').waitFor();
  assert.match(await source.locator('.here mark.cited').innerText(), /^The lease .*\.$/);
  assert.deepEqual(await findings(page), []);
  await source.getByRole('button', { name: 'Close' }).click();
  await field.fill('How high is the Zugspitze?');
  await field.press('Enter');
  await page.getByText('Your documents do not answer this.').waitFor();
  assert.match(await page.locator('.refusal').innerText(), /“zugspitze”/);
  assert.deepEqual(faults, []);
});

test('the map of names is laid out beside the page under its policy, and what is chosen stands in the address', {
  skip,
}, async () => {
  const { page, faults } = visit;
  const names = ['Bern', 'Aare', 'Thun'];
  const nodes = names.map((name) => ({
    ...{ key: name.toLowerCase(), name, kind: 'entity', type: 'Place', weight: 2, community: 0 },
  }));
  const edges = [
    [0, 1, 1],
    [1, 2, 1],
  ];
  const network = { nodes, edges, of: 3 };
  const detail = {
    ...{ ...nodes[0], aliases: [], mentions: 2, documents: 1, said: null, summary: null, relations: [] },
    neighbours: [{ key: 'aare', name: 'Aare', type: 'Place', weight: 1, shared: 1 }],
    ...{ places: [], timeline: [] },
  };
  await page.route('**/graph/network?**', (route) => route.fulfill({ json: network }));
  await page.route('**/graph/entities/*', (route) => route.fulfill({ json: detail }));
  await page.getByRole('link', { name: 'Graph', exact: true }).click();
  await page.getByText('The map is drawn').waitFor();
  const field = page.getByRole('combobox', { name: 'Find a name' });
  await field.fill('ber');
  assert.deepEqual(await findings(page), []);
  await field.press('Enter');
  await page.getByRole('heading', { level: 2, name: 'Bern' }).waitFor();
  assert.equal(new URL(page.url()).search, '?name=bern');
  assert.deepEqual(await findings(page), []);
  await page.goBack();
  await field.waitFor();
  await page.unrouteAll();
  assert.deepEqual(faults, []);
});

test('documents can be taken out, and a knowledge base goes when its name was typed; all of it on a phone', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.setViewportSize({ width: 360, height: 740 });
  await page.getByRole('link', { name: 'Documents', exact: true }).click();
  await page.getByRole('button', { name: 'Remove tea.txt' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('One document,').waitFor();
  assert.deepEqual(await findings(page), []);
  const wide = await page.evaluate(
    () =>
      [...document.querySelectorAll('.page, .page-body')].filter((one) => one.scrollWidth > one.clientWidth)
        .length,
  );
  assert.equal(wide, 0);
  await page.getByRole('main').getByRole('link', { name: 'Knowledge' }).click();
  await page.getByRole('button', { name: 'Delete papers' }).click();
  const remove = page.getByRole('button', { name: 'Delete it' });
  assert.equal(await remove.isEnabled(), false);
  await page.getByLabel(/^Type “papers”/).fill('papers');
  assert.deepEqual(await findings(page), []);
  await remove.click();
  await page.getByRole('heading', { level: 1, name: 'Nothing to search yet.' }).waitFor();
  assert.deepEqual(faults, []);
});
