/** The page of a node that has other servers behind it: a real second node, and one that fails. */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { buildWeb } from '../../scripts/web-build.ts';
import { setInFile } from '../../src/base/index.ts';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { createMockUpstream, type MockUpstream } from '../upstreams/index.ts';
import { answered, launch, send, skip, visitPage } from './support.ts';

let homes: TestHome[] = [];
let other: Node;
let node: Node;
let failing: MockUpstream;
let browser: Browser;
/** What the second node was asked, as it came over the wire. */
const heard: string[] = [];

before(async () => {
  if (skip) return;
  await buildWeb();
  homes = [await createHome(), await createHome()];
  const [home, second] = homes as [TestHome, TestHome];
  other = await startNode(second);
  failing = await createMockUpstream();
  // It lists its models and is well, but for conversations. What it gets in between goes on to the second node.
  failing.custom(async ({ entry, response, ok }) => {
    if (!entry.path.endsWith('/chat/completions')) return ok();
    heard.push(JSON.stringify(entry.body));
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"It broke."}}');
  });
  const entry = (name: string, url: string, model: string) =>
    `  - name: ${name}\n    url: ${url}\n    owned: false\n    models: [${model}]\n    defaults: { chat: ${model} }\n    aliases: { quality: ${model} }\n    prices: { ${model}: { prompt: 1000, completion: 1000 } }\n`;
  for (const [key, value] of Object.entries({
    'gateway.order': 'broken,second,local',
    'gateway.privacy': 'medium',
    'gateway.probeMs': '0',
    'gateway.cache': 'keep',
  }))
    await setInFile(home.path, key, value);
  await appendFile(
    join(home.path, 'config.yaml'),
    `backends:\n${entry('broken', failing.base('ok').replace('/ok/', '/custom/'), 'large')}${entry('second', `${other.url}/v1`, 'tiny')}`,
  );
  node = await startNode(home);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await node?.close();
  await other?.close();
  await failing?.[Symbol.asyncDispose]();
  for (const home of homes) await home.remove();
});

const address = 'anna.schmidt@example.org';

test('an answer of a second server after one that failed is told from end to end, without personal data', {
  skip,
}, async () => {
  await using visit = await visitPage(browser, node.url);
  const { page, faults } = visit;
  await page.getByRole('button', { name: 'May leave, redacted' }).waitFor();
  await page.getByRole('button', { name: 'Answer settings' }).click();
  await page.getByLabel('Answered by').selectOption('frontier');
  await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
  await send(page, `Write to ${address}.`);
  await answered(page, 1);
  await page.getByRole('button', { name: 'From second' }).click();
  const receipt = page.getByRole('complementary', { name: 'Receipt' });
  await receipt.getByText('second answered. It is not a machine of yours.').waitFor();
  const attempts = await receipt
    .locator('.attempts li')
    .evaluateAll((all) =>
      all.map((one) => [
        one.querySelector('.who')!.textContent,
        (one as HTMLElement).dataset.outcome,
        one.querySelector('code')?.textContent ?? null,
      ]),
    );
  assert.deepEqual(attempts, [
    ['broken', 'failed', 'upstream_server_error'],
    ['second', 'answered', null],
  ]);
  await receipt.getByText('E-mail addresses × 1').waitFor();
  await receipt.getByText('By a provider').waitFor();
  // It has a price, and the second node counted its tokens.
  assert.match(await receipt.innerText(), /Cost\s+\d+\.\d+/);
  assert.ok(heard.length > 0 && heard.every((body) => !body.includes(address)), heard.join('\n'));
  // The node chose between its own model and the others: that can be judged, and counts once.
  await receipt.getByText('The strongest model, as was asked for').waitFor();
  await page.getByRole('button', { name: 'Good answer' }).click();
  await page
    .locator('[aria-pressed="true"]')
    .and(page.getByRole('button', { name: 'Good answer' }))
    .waitFor();
  assert.deepEqual(faults, []);
});

test('the same question is answered by this machine where the reader wants that, and by the cache the next time', {
  skip,
}, async () => {
  await using visit = await visitPage(browser, node.url);
  const { page } = visit;
  await page.getByRole('button', { name: 'May leave, redacted' }).click();
  await page.getByLabel('Answered by').selectOption('local');
  await page.getByRole('button', { name: 'This machine only' }).waitFor();
  const asked = heard.length;
  await send(page, 'What is a hill?');
  await answered(page, 1);
  await page.getByRole('button', { name: 'On this machine' }).waitFor();
  assert.equal(heard.length, asked);
  await page.getByRole('button', { name: 'Answer again' }).click();
  await page.getByRole('button', { name: /^From the cache, \d+\ss old/ }).click();
  const receipt = page.getByRole('complementary', { name: 'Receipt' });
  await receipt.getByText('This node had the answer already.').waitFor();
  await receipt.getByText(/^No model wrote it now: local made it/).waitFor();
});

test('the status page says where the others are and how they do', { skip }, async () => {
  await using visit = await visitPage(browser, node.url, '/status');
  const { page } = visit;
  const row = (name: string) => page.locator(`tr[data-backend="${name}"]`);
  await row('second').getByText('A provider').waitFor();
  await row('second').getByText('Answers', { exact: true }).waitFor();
  await row('second').getByText('In the clear, on your network').waitFor();
  await row('local').getByText('This machine').waitFor();
});
