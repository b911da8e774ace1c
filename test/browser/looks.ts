/** axe-core on every page and everything that opens, in themes and widths as asked for: nothing found. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { failover, keptReceipt, script } from './scripted.ts';
import { answered, openStage, type Stage, send, skip } from './support.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let stage: Stage;

interface Axe {
  run(options: object): Promise<{
    violations: readonly {
      id: string;
      nodes: readonly { target: readonly unknown[]; failureSummary?: string }[];
    }[];
  }>;
}

/** What axe-core finds on the page as it is. */
export async function findings(page: Page): Promise<string[]> {
  // By the debugger: the page's own policy would not let a script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} (${node.failureSummary})`),
  );
}

/** The status page of a node that has other servers, one of which is away. */
async function tellOthers(page: Page): Promise<void> {
  const health = await (await page.request.get(`${stage.node.url}/health/detailed`)).json();
  const [local] = health.backends;
  const others = [
    { ...local, name: 'desktop', where: 'owned', link: 'owned_network' },
    {
      ...local,
      name: 'openai',
      where: 'provider',
      link: 'encrypted',
      status: 'degraded',
      latency_ms: null,
      breaker: { state: 'open', failures: 5 },
      message: 'It could not be connected to.',
    },
    { ...local, name: 'old', where: 'provider', link: 'open' },
  ];
  const told = JSON.stringify({ ...health, backends: [local, ...others] });
  await page.route('**/kith/v1/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `event: status\ndata: ${told}\n\n` }),
  );
  await page.goto(`${stage.node.url}/status`);
}

export type Look = readonly ['light' | 'dark', 390 | 820 | 1440];

/** One test for each; call it once in a file. */
export function testLooks(looks: readonly Look[]): void {
  before(async () => {
    if (!skip) stage = await openStage();
  });
  after(() => stage?.[Symbol.asyncDispose]());
  for (const [colorScheme, width] of looks) {
    test(`axe finds nothing on any page: ${colorScheme}, ${width} px`, { skip }, async () => {
      await using visit = await stage.visit('/', {
        colorScheme,
        viewport: { width, height: 900 },
        reducedMotion: 'reduce',
      });
      const { page } = visit;
      const look = async (what: string) => assert.deepEqual(await findings(page), [], what);
      await page.getByText('is ready on this machine').waitFor();
      await look('first run');
      for (const way of ['Try a question', 'Point a program', 'Get a larger model']) {
        await page.getByText(way).click();
        await look(way);
      }
      await page.route('**/v1/chat/completions', async (route) => {
        const text =
          '# Title\n\nText with `code`, **bold** and a [link](https://a.example).\n\n```ts\nconst a = "b"; // c\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n> quoted\n\n- [x] done\n- [ ] not';
        const chunk = (body: object) => `data: ${JSON.stringify(body)}\n\n`;
        await route.fulfill({
          contentType: 'text/event-stream',
          body: `${chunk({ choices: [{ delta: { content: text } }] })}${chunk({ model: 'tiny', choices: [{ delta: {}, finish_reason: 'stop' }] })}${chunk({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 1 } }, kith: { backend: 'local', model: 'tiny', queue_ms: 1, prefill_ms: 2, decode_ms: null, notes: ['A note.'] } })}data: [DONE]\n\n`,
        });
      });
      await send(page, 'Show me everything.');
      await answered(page, 1);
      await page.locator('.hljs-keyword').waitFor();
      await look('answer');
      await page.getByRole('button', { name: 'On this machine' }).click();
      await page.getByRole('complementary', { name: 'Receipt' }).waitFor();
      await look('receipt');
      const close = async () => {
        const panel = page.getByRole('complementary');
        await panel.getByRole('button', { name: 'Close' }).click();
        await panel.waitFor({ state: 'detached' });
      };
      await close();
      await page.unroute('**/v1/chat/completions');
      const others = [failover, keptReceipt('hit', 7_200_000), keptReceipt('stale', 7_200_000)];
      await script(
        page,
        others.map((receipt) => ({ receipt })),
      );
      for (const [index, chip] of ['From openai', /^From the cache/, /^Last good answer/].entries()) {
        await send(page, 'And another way?');
        await answered(page, index + 2);
        await page.getByRole('button', { name: chip }).click();
        await page.getByRole('complementary', { name: 'Receipt' }).waitFor();
        await look(`receipt ${chip}`);
        await close();
      }
      await page.getByRole('button', { name: 'Answer settings' }).click();
      await page.getByLabel('Temperature').fill('9');
      await page.getByLabel('Temperature').blur();
      await look('answer settings');
      await close();
      await page.unroute('**/v1/chat/completions');
      await page.route('**/v1/chat/completions', (route) =>
        route.fulfill({
          status: 400,
          json: { error: { code: 'context_length_exceeded', message: 'Too long.' } },
        }),
      );
      await send(page, 'And now fail.');
      await page.getByText('Too long.').waitFor();
      await look('error');
      await page.keyboard.press('Control+k');
      const palette = page.getByRole('combobox', { name: 'Find or do anything' });
      await palette.waitFor();
      await look('palette');
      await page.keyboard.press('Escape');
      // It gives the focus back when it is gone from the page: by its role it is gone as soon as it is hidden.
      await page.locator('dialog').first().waitFor({ state: 'detached' });
      await page.locator('[data-turn]').last().focus();
      await page.keyboard.press('?');
      const keys = page.getByRole('dialog', { name: 'Keyboard' });
      await keys.waitFor();
      await look('keys');
      await page.keyboard.press('Escape');
      await keys.waitFor({ state: 'detached' });
      await page
        .getByRole('button', { name: /Preferences|More/ })
        .locator('visible=true')
        .click();
      await page.getByRole('dialog', { name: 'Preferences' }).waitFor();
      await look('preferences');
      for (const path of ['/status', '/conversations', '/chat/none']) {
        await page.goto(`${stage.node.url}${path}`);
        await page.getByRole('heading', { level: 1 }).first().waitFor();
        if (path === '/status') await page.getByText('Models in memory').waitFor();
        await look(path);
      }
      await tellOthers(page);
      await page.getByRole('heading', { name: 'Who answers' }).waitFor();
      await look('status with others');
      await page.goto(stage.node.url);
      await page.getByRole('button', { name: 'May leave this machine' }).click();
      await page.getByRole('complementary', { name: 'Answer settings' }).waitFor();
      await look('answer settings with others');
    });
  }
}
