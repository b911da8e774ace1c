/** The knowledge page over a real node: from an empty page to an answer whose source is shown, and back to an empty page. */
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { pdf } from '../../src/knowledge/parse/testing/pdf.ts';
import { findings } from './looks.ts';
import { openStage, type Stage, skip, type Visit } from './support.ts';

let stage: Stage;
let visit: Visit;
let files: string;
let prints: string;

const lease =
  '---\ntags: [home]\n---\n# Lease\n\n## Term\n\nThe lease begins in June 2021. The lease ends on 31 May 2026.\n\n## Rent\n\nThe rent is 1150 euros a month.\n';

const film =
  '---\naliases: [Vic Fleming]\n---\n# Red Dust\n\nRed Dust is a 1932 film directed by Victor Fleming. It stars Clark Gable. Vic Fleming met Clark Gable. Victor Fleming was American.\n';

before(async () => {
  if (skip) return;
  stage = await openStage();
  files = join(stage.home.path, 'Papers');
  await mkdir(files);
  await writeFile(join(files, 'lease.md'), lease);
  await writeFile(join(files, 'tea.txt'), 'Green tea takes <b>two minutes</b> at 70 degrees.\n');
  await writeFile(join(files, 'broken.pdf'), '%PDF-1.7 and nothing else');
  prints = join(stage.home.path, 'prints');
  await mkdir(prints);
  const line = (text: string) => [{ text, x: 60, y: 700, size: 14 }];
  const house = [line('The house was built in 1974.'), line('The boiler has a warranty until 2031.')];
  await writeFile(join(prints, 'house.pdf'), pdf(house));
  await writeFile(join(prints, 'film.md'), film);
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

/** Pixels of the drawn page in the colour of marks. */
const marked = (page: Page, sheet: string): Promise<number> =>
  page.evaluate((selector) => {
    const drawn = document.querySelector<HTMLCanvasElement>(`${selector} canvas`)!;
    const copy = new OffscreenCanvas(drawn.width, drawn.height);
    const context = copy.getContext('2d')!;
    context.drawImage(drawn, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
      if (data[at] === 0xff && data[at + 1] === 0xe4 && data[at + 2] === 0x9a) count++;
    return count;
  }, sheet);

test('a source in a PDF is shown on its page, marked, in the size of the window too; of uploads there is the text alone', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.getByRole('link', { name: 'Files', exact: true }).click();
  await page.getByLabel('Folder of this machine').fill(prints);
  await page.getByRole('button', { name: 'Follow', exact: true }).click();
  await page.getByText('4 documents,').waitFor();
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.getByRole('button', { name: 'Without filters' }).click();
  await page.getByRole('searchbox').fill('boiler warranty');
  const found = page.locator('.hit').filter({ hasText: 'prints/house.pdf' }).filter({ hasText: '2031' });
  // It begins on the page before: what was looked for is on this one.
  assert.equal(await found.locator('.hit-place').innerText(), 'page 1');
  await found.locator('[data-hit]').click();
  const source = page.getByRole('complementary', { name: 'Source' });
  await source.getByText('Page', { exact: true }).click();
  await source.getByText('page 2 of 2').waitFor();
  const drawn = source.locator('.pdf-sheet[data-state="drawn"]');
  await drawn.waitFor();
  assert.ok((await marked(page, '.panel .pdf-sheet')) > 20);
  await source.getByRole('button', { name: 'Page before' }).click();
  await source.getByRole('img', { name: 'Page 1 of' }).waitFor();
  await source.getByRole('button', { name: 'To the passage' }).click();
  const larger = source.getByRole('button', { name: 'Larger' });
  await larger.click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.pdf-sheet[data-state="drawn"]').waitFor();
  assert.ok((await marked(page, '.pdf-dialog .pdf-sheet')) > 20);
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.ok(await larger.evaluate((one) => one === document.activeElement), 'the focus is where it was');
  const saved = page.waitForEvent('download');
  await source.getByRole('button', { name: 'Save the file' }).click();
  assert.equal((await saved).suggestedFilename(), 'house.pdf');
  await page.getByRole('searchbox').fill('green tea');
  await page.locator('.hit').filter({ hasText: 'tea.txt' }).locator('[data-hit]').first().click();
  await source.getByText('Only its text is kept').waitFor();
  await source.getByRole('button', { name: 'Close' }).click();
  assert.deepEqual(faults, []);
});

test('a dream says what it did and is undone, and two names are made one and two again', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.getByRole('link', { name: 'Refine', exact: true }).click();
  await page.getByRole('button', { name: 'Dream now' }).click();
  const runs = page.getByRole('list', { name: 'Dreams so far' });
  await runs.locator('[data-state="done"]').waitFor();
  await runs.getByRole('button', { name: 'What it did' }).click();
  await runs.locator('blockquote').getByText('Red Dust is a 1932 film').first().waitFor();
  assert.deepEqual(await findings(page), []);
  await runs.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
  await runs.locator('[data-state="undone"]').waitFor();
  await page.getByLabel('This name').fill('Clark Gable');
  await page.getByLabel('stands for').fill('Victor Fleming');
  await page.getByRole('button', { name: 'Make them one', exact: true }).click();
  const made = page.getByRole('list', { name: 'Made one so far' });
  await made.getByText('clark gable is victor fleming').waitFor();
  await made.getByRole('button', { name: /two again$/ }).click();
  await made.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
});

test('a peer is let in and out again, and a copy is written while the page tells how far it is', {
  skip,
}, async () => {
  const { page, faults } = visit;
  await page.getByRole('link', { name: 'Share', exact: true }).click();
  await page.getByText('Nobody but you.').waitFor();
  await page.getByLabel('PeerId').fill('12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pn');
  await page.getByLabel('Only below').fill('prints/');
  await page.getByRole('button', { name: 'Let it search' }).click();
  await page.getByText(/^kith-grant:/).waitFor();
  const grants = page.getByRole('list', { name: 'Grants' });
  await grants.getByText('Only prints/').waitFor();
  assert.deepEqual(await findings(page), []);
  await grants.getByRole('button', { name: /^Revoke the grant/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('Nobody but you.').waitFor();
  const copy = join(stage.home.path, 'papers-copy.sqlite');
  await page.getByRole('textbox', { name: 'File' }).fill(copy);
  await page.getByRole('button', { name: 'Write the copy' }).click();
  await page.getByText(`${copy} is written`).waitFor();
  assert.ok((await stat(copy)).size > 10_000);
  await page.getByRole('link', { name: 'Files', exact: true }).click();
  await page.getByRole('button', { name: /^Stop following/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop following' }).last().click();
  await page.getByText('2 documents,').waitFor();
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
