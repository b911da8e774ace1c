/** What the page shows of the way an answer came, and how it is told the way that answers may come. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { DetailedHealth } from '../../src/server/health/types.ts';
import { failover, keptReceipt, overPeers, receiptOf, type Scripted, script } from './scripted.ts';
import { answered, openStage, type Stage, send, skip } from './support.ts';

let stage: Stage;
before(async () => {
  if (!skip) stage = await openStage();
});
after(() => stage?.[Symbol.asyncDispose]());

const hour = 3_600_000;
const panel = (page: Page, name: string) => page.getByRole('complementary', { name });

/** Asks once for each answer; then all of them stand on the page. */
async function show(page: Page, answers: readonly Scripted[]): Promise<void> {
  await script(page, answers);
  for (const index of answers.keys()) {
    await send(page, `Question ${index}`);
    await answered(page, index + 1);
  }
}

/** Rows of a table or list as text, with what is between their cells made plain. */
const texts = async (all: readonly string[]) => all.map((text) => text.replace(/\s+/g, ' ').trim());

test('the chip says where each answer came from, and stands out where that was not this machine', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page, faults } = visit;
  const remote = (name: string, where: string | null) =>
    receiptOf(
      { backend: name },
      { step: 'remote', privacy: { level: 'minimum', where, link: null, replaced: null } },
    );
  const standIn = (step: string) =>
    receiptOf(
      { backend: 'kith', model: `kith/${step}` },
      { step, privacy: { level: 'minimum', where: null, link: null, replaced: null } },
    );
  const cases: readonly (readonly [Scripted['receipt'], string, string])[] = [
    [receiptOf(), 'On this machine', 'here'],
    [remote('ollama', 'this_machine'), 'ollama, this machine', 'here'],
    [remote('desktop', 'owned'), 'From desktop', 'out'],
    [remote('openai', 'provider'), 'From openai', 'out'],
    [keptReceipt('hit', 2 * hour), 'From the cache, 2 h old', 'kept'],
    [keptReceipt('shared', 0), 'Shared answer', 'kept'],
    [keptReceipt('similar', 90_000), 'Similar question, 1 min old', 'care'],
    [keptReceipt('stale', 75 * hour), 'Last good answer, 3 d old', 'care'],
    [standIn('search'), 'From a search', 'care'],
    [standIn('explanation'), 'Not a model’s answer', 'care'],
    [standIn('crisis'), 'Not a model’s answer', 'care'],
    // As a node of before wrote it.
    [
      { backend: 'local', model: 'm', queue_ms: 1, prefill_ms: 2, decode_ms: 3, notes: [] },
      'On this machine',
      'here',
    ],
  ];
  await show(
    page,
    cases.map(([receipt]) => ({ receipt })),
  );
  const chips = page.locator('.place-chip');
  await chips.nth(cases.length - 1).waitFor();
  const seen = await chips.evaluateAll((all) =>
    all.map((chip) => [
      chip.querySelector('.words')!.textContent.replace(/\s/g, ' '),
      chip.classList[1],
      getComputedStyle(chip).backgroundColor,
    ]),
  );
  assert.deepEqual(
    seen.map(([words, tone]) => [words, tone]),
    cases.map(([, words, tone]) => [words, tone]),
  );
  const colours = new Map(seen.map(([, tone, colour]) => [tone, colour]));
  assert.equal(new Set(colours.values()).size, 4, JSON.stringify([...colours]));
  // The times of a kept answer are those of its first making: no speed of this one.
  await chips.nth(0).getByText('tok/s').waitFor();
  assert.equal(await chips.nth(4).getByText('tok/s').count(), 0);
  assert.deepEqual(faults, []);
});

test('the receipt tells every attempt in order, what each saw, what was replaced, the cost and the choice', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await show(page, [{ receipt: failover }]);
  await page.getByRole('button', { name: 'From openai' }).click();
  const receipt = panel(page, 'Receipt');
  await receipt.getByText('openai answered. It is not a machine of yours.').waitFor();
  const attempts = await texts(await receipt.locator('.attempts li').allInnerTexts());
  assert.deepEqual(attempts, [
    'home 12 ms qwen, asked first Failed: it could not be reached upstream_connect_failed',
    'spare – qwen, asked next Passed over',
    'mistral 310 ms large, asked next Failed: an error of its own upstream_server_error',
    'mistral 310 ms large, asked again after 640 ms Failed a_code_of_tomorrow',
    'openai 3.1 s gpt-5, asked next Answered First word after 420 ms',
  ]);
  const rows = await texts(await receipt.locator('tbody tr').allInnerTexts());
  assert.deepEqual(rows, [
    'This machine Yes No',
    'home No No',
    'spare No No',
    'mistral Perhaps Perhaps',
    'openai Yes, in part replaced Yes',
    'Anyone else Not known Not known',
  ]);
  const fact = (name: string) =>
    receipt.locator('dt', { hasText: new RegExp(`^${name}$`) }).locator('xpath=following-sibling::dd[1]');
  const facts = [
    'Level',
    'Computed',
    'Link',
    'Replaced',
    'Score of the question',
    'The strongest answers above',
    'Cost',
  ];
  const values = await Promise.all(facts.map((name) => fact(name).innerText()));
  assert.deepEqual(await texts(values), [
    'Medium',
    'By a provider',
    'Encrypted',
    'E-mail addresses × 2 Names × 1',
    '0.82',
    '0.7',
    '0.00123',
  ]);
  await receipt.getByText('The strongest model was expected to do better.').waitFor();
  await receipt.getByText('A note of the node.').waitFor();
});

test('the receipt of an answer over peers names who computed which blocks, who was lost and who took the place', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page, faults } = visit;
  await show(page, [{ receipt: overPeers }]);
  await page.getByRole('button', { name: 'From peers' }).click();
  const receipt = panel(page, 'Receipt');
  await receipt.getByText('This machine and nodes of the network answered together.').waitFor();
  assert.deepEqual(await texts(await receipt.locator('.path li').allInnerTexts()), [
    'This machine blocks 0 to 1, blocks 20 to 21 Both ends of the model, and the choice of each token',
    '…x8gCjqHP blocks 2 to 10',
    '…1L3DWbsz blocks 11 to 19 Lost: The peer closed the connection.',
    '…w1myU1Lq blocks 11 to 18 Took the place of what was lost',
    '…iikhW8Cf block 19 Took the place of what was lost',
  ]);
  assert.deepEqual(await texts(await receipt.locator('tbody tr').allInnerTexts()), [
    'This machine Yes Yes',
    'peers Perhaps Yes',
    'Anyone else Not known Not known',
  ]);
  await receipt.getByText('The answer stood still for 640 ms meanwhile.').waitFor();
  assert.deepEqual(faults, []);
});

test('what is not known is said to be: tokens, cost, and who saw what before a stand-in', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  const remote = receiptOf(
    { backend: 'desktop', queue_ms: null, prefill_ms: null, decode_ms: null },
    {
      step: 'remote',
      privacy: { level: 'minimum', where: 'owned', link: 'owned_network', replaced: null },
      cost: null,
    },
  );
  const standIn = receiptOf(
    { backend: 'kith', model: 'kith/explanation', queue_ms: null, prefill_ms: null, decode_ms: null },
    { step: 'explanation', privacy: { level: 'minimum', where: null, link: null, replaced: null } },
  );
  await show(page, [
    { receipt: remote, usage: null },
    { receipt: standIn, text: 'Nobody could answer.' },
  ]);
  const receipt = panel(page, 'Receipt');
  await page.getByRole('button', { name: 'From desktop' }).click();
  await receipt.getByText('How many tokens is not known: the backend did not say.').waitFor();
  await receipt.getByText('Your own network, in the clear').waitFor();
  assert.match(await receipt.innerText(), /Cost\s+not known/);
  await page.getByRole('button', { name: 'Not a model’s answer' }).click();
  await receipt.getByText('No model could answer. The node wrote this itself.').waitFor();
  assert.deepEqual(await texts(await receipt.locator('tbody tr').allInnerTexts()), [
    'This machine Yes No',
    'Anyone else Not known Not known',
  ]);
});

/** The node's state as it is, but for this. */
async function tell(page: Page, change: Partial<DetailedHealth>): Promise<DetailedHealth> {
  const health = (await (
    await page.request.get(`${stage.node.url}/health/detailed`)
  ).json()) as DetailedHealth;
  const told = { ...health, ...change };
  await page.route('**/kith/v1/events', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `event: status\ndata: ${JSON.stringify(told)}\n\n`,
    }),
  );
  await page.reload();
  return told;
}

const backend = (name: string, change: Partial<DetailedHealth['backends'][number]> = {}) => ({
  name,
  where: 'provider' as const,
  link: 'encrypted' as const,
  status: 'ok' as const,
  latency_ms: 23,
  models_available: 2,
  models_loaded: 0,
  breaker: { state: 'closed' as const, failures: 0 },
  message: null,
  ...change,
});

test('the settings go with the question as headers, last over a reload, and nothing is sent that was not chosen', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await script(page, [{ receipt: receiptOf() }]);
  const asked: Record<string, string>[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/chat/completions')) asked.push(request.headers());
  });
  const terms = (headers: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(headers).filter(
        ([name]) => name.startsWith('x-kith-') && name !== 'x-kith-conversation',
      ),
    );
  await send(page, 'One?');
  await answered(page, 1);
  const settings = panel(page, 'Answer settings');
  await page.getByRole('button', { name: 'Answer settings' }).click();
  await settings.getByLabel('Privacy').selectOption('maximum');
  await settings.getByLabel('Answered by').selectOption('local');
  await settings.getByLabel('Kept answers').selectOption('keep');
  await settings.getByLabel('When nobody can answer').selectOption('stale');
  await send(page, 'Two?');
  await answered(page, 2);
  await page.reload();
  await page.getByRole('heading', { level: 2, name: 'Two?' }).waitFor();
  await page.getByRole('button', { name: 'Answer settings' }).click();
  assert.equal(await settings.getByLabel('Kept answers').inputValue(), 'keep');
  await settings.getByRole('button', { name: 'Reset' }).click();
  await settings.getByLabel('Kept answers').and(page.locator(':not([value="keep"])')).waitFor();
  await send(page, 'Three?');
  await answered(page, 3);
  assert.deepEqual(asked.map(terms), [
    {},
    {
      'x-kith-privacy': 'maximum',
      'x-kith-route': 'local',
      'x-kith-cache': 'keep',
      'x-kith-degrade': 'stale',
    },
    {},
  ]);
  const conversation = new URL(page.url()).pathname.split('/').at(-1);
  assert.deepEqual(
    asked.map((headers) => headers['x-kith-conversation']),
    [conversation, conversation, conversation],
  );
});

test('the settings show what the owner configured, and no level of privacy below it can be chosen', {
  skip,
}, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await tell(page, {
    policy: { privacy: 'medium', route: 'auto', cache: 'auto', degrade: 'none' },
    backends: [backend('local', { where: 'this_machine', link: null }), backend('openai')],
  });
  await page.getByRole('button', { name: 'May leave, redacted' }).click();
  const settings = panel(page, 'Answer settings');
  const level = settings.getByLabel('Privacy');
  await level.locator('option', { hasText: 'As configured: Medium' }).waitFor({ state: 'attached' });
  assert.deepEqual(
    await level.locator('option').evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).disabled)),
    [false, true, false, false],
  );
  await settings.getByText('This node never goes below: Medium.').waitFor();
  await settings.getByLabel('Answered by').selectOption('local');
  await settings.getByText('Your words stay on this machine: the model runs here.').waitFor();
  await page.getByRole('button', { name: 'This machine only' }).waitFor();
  await settings.getByLabel('When nobody can answer').selectOption('search');
  await page.getByRole('button', { name: 'This machine, or a search' }).waitFor();
});

test('where the node does not tell its policy, the page promises nothing', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await page.route('**/kith/v1/events', (route) =>
    route.fulfill({ status: 403, json: { error: { code: 'scope_missing', message: 'Not for this key.' } } }),
  );
  await page.reload();
  await page.getByRole('button', { name: 'As the node is set' }).click();
  await panel(page, 'Answer settings')
    .getByText('The stricter of this and the node’s own level holds.')
    .waitFor();
  assert.equal(await page.getByText('This machine only').locator('visible=true').count(), 0);
});

const chosen = receiptOf(
  {},
  { complexity: { side: 'local', by: 'score', score: 0.3, threshold: 0.7, decision: 'decision-7' } },
);

test('an answer that the node chose a model for can be judged, once; others cannot', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  const told: unknown[] = [];
  const statuses = [500, 404, 200];
  await page.route('**/kith/v1/feedback', (route) => {
    told.push(route.request().postDataJSON());
    const status = statuses[told.length - 1]!;
    const code = status === 404 ? 'decision_not_found' : 'internal_error';
    return route.fulfill({
      status,
      json: status === 200 ? { learned: true } : { error: { code, message: '' } },
    });
  });
  await show(page, [{ receipt: receiptOf() }, { receipt: chosen }]);
  const good = page.getByRole('button', { name: 'Good answer' });
  const bad = page.getByRole('button', { name: 'Bad answer' });
  await good.waitFor();
  assert.equal(
    await page.locator('[data-turn]').first().getByRole('button', { name: 'Good answer' }).count(),
    0,
  );
  await bad.click();
  await page.getByText('Could not be told').waitFor();
  await bad.click();
  await page.getByText('Too late to count').waitFor();
  await good.click();
  await good.and(page.locator('[aria-pressed="true"]')).waitFor();
  await page.getByText('Too late to count').waitFor({ state: 'detached' });
  assert.deepEqual(told, [
    { decision: 'decision-7', good: false },
    { decision: 'decision-7', good: false },
    { decision: 'decision-7', good: true },
  ]);
  await page.reload();
  await good.and(page.locator('[aria-pressed="true"][aria-disabled="true"]')).waitFor();
  assert.equal(await page.locator('.note').count(), 0);
  // A new answer is a new decision.
  await page.getByRole('button', { name: 'Answer again' }).click();
  await good.and(page.locator('[aria-pressed="false"]')).waitFor();
});

test('the status page shows who answers as soon as there is more than this machine', { skip }, async () => {
  await using visit = await stage.visit('/status');
  const { page } = visit;
  await page.getByRole('heading', { name: 'This node', exact: true }).waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Who answers' }).count(), 0);
  await tell(page, {
    backends: [
      backend('local', { where: 'this_machine', link: null }),
      backend('desktop', { where: 'owned', link: 'owned_network' }),
      backend('mistral', {
        status: 'degraded',
        latency_ms: null,
        models_available: 1,
        breaker: { state: 'open', failures: 5 },
        message: 'mistral could not be connected to.',
      }),
    ],
  });
  await page.getByText('1 of 3 cannot be asked now.').waitFor();
  const rows = await texts(await page.locator('tr[data-backend]').allInnerTexts());
  assert.deepEqual(rows, [
    'local 2 models Answers This machine Closed 23 ms',
    'desktop 2 models Answers Another machine of yours In the clear, on your network Closed 23 ms',
    'mistral One model Does not answer well mistral could not be connected to. A provider Encrypted Open: left alone 5 failures in a row –',
  ]);
});
