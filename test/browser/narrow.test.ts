/** The page in small windows and at the end of long answers: nothing that matters is hidden or out of reach. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { answered, inLanguage, openStage, type Stage, send, skip, until } from './support.ts';

let stage: Stage;
before(async () => {
  if (!skip) stage = await openStage();
});
after(() => stage?.[Symbol.asyncDispose]());

const sizes = [
  { width: 390, height: 520 },
  { width: 820, height: 600 },
  { width: 1440, height: 700 },
];

/** How far the foot of the last answer lies below what can be seen of the conversation (px); and whether it scrolls. */
function foot(page: Page): Promise<{ hidden: number; scrolled: number }> {
  return page.evaluate(() => {
    const scroller = document.querySelector('.scroller')!;
    const rows = document.querySelectorAll('.receipt-row');
    const { bottom } = rows[rows.length - 1]!.getBoundingClientRect();
    return { hidden: bottom - scroller.getBoundingClientRect().bottom, scrolled: scroller.scrollTop };
  });
}

/** Two frames: what follows a change of sizes has happened. */
const settle = (page: Page) =>
  page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );

/** Answers in the browser with pieces that come a frame apart; the last waits for `finish()`. */
async function scripted(page: Page, pieces: readonly string[]): Promise<{ finish(): Promise<void> }> {
  await page.evaluate((texts) => {
    const real = window.fetch;
    const held = Promise.withResolvers<void>();
    Object.assign(window, { finishAnswer: held.resolve });
    const chunk = (body: object) => new TextEncoder().encode(`data: ${JSON.stringify(body)}\n\n`);
    window.fetch = (input, init) => {
      if (!String(input).endsWith('/chat/completions')) return real(input, init);
      const stream = new ReadableStream({
        async start(out) {
          for (const [index, content] of texts.entries()) {
            if (index === texts.length - 1) await held.promise;
            out.enqueue(chunk({ choices: [{ delta: { content } }] }));
            await new Promise((resolve) => requestAnimationFrame(resolve));
          }
          out.enqueue(chunk({ model: 'tiny', choices: [{ delta: {}, finish_reason: 'stop' }] }));
          out.enqueue(new TextEncoder().encode('data: [DONE]\n\n'));
          out.close();
        },
      });
      return Promise.resolve(new Response(stream, { headers: { 'content-type': 'text/event-stream' } }));
    };
  }, pieces);
  return {
    finish: () => page.evaluate(() => (window as unknown as { finishAnswer(): void }).finishAnswer()),
  };
}

/** A conversation to look at: what its answer says is no matter. */
async function greet(page: Page): Promise<void> {
  const answer = await scripted(page, ['Good day.']);
  await answer.finish();
  await send(page, 'Hello');
  await answered(page, 1);
}

const blocks = Array.from(
  { length: 12 },
  (_, n) => `Part ${n}:\n\n\`\`\`\n${'a line of code\n'.repeat(9)}\`\`\`\n\n`,
);

test('the foot of a long answer of a model can be seen when it ends', { skip }, async () => {
  await using visit = await stage.visit('/', { viewport: sizes[0]! });
  const { page } = visit;
  await page.evaluate(() =>
    localStorage.setItem('kith.preferences', '{"settings":{"temperature":0,"max_tokens":160}}'),
  );
  await page.reload();
  await send(page, 'Count from 1 to 1000, one number on each line.');
  await answered(page, 1);
  await until(async () => (await foot(page)).hidden <= 0, 'The foot of the answer in sight');
  assert.ok((await foot(page)).scrolled > 0, 'the answer is longer than the window');
  await page.getByRole('button', { name: 'Answer again' }).click({ trial: true });
});

for (const viewport of sizes) {
  const at = `${viewport.width}×${viewport.height}`;
  test(`at ${at} an answer that grows by large steps is followed to its foot`, { skip }, async () => {
    await using visit = await stage.visit('/', { viewport });
    const { page } = visit;
    const answer = await scripted(page, [...blocks, 'The end.']);
    await answer.finish();
    await send(page, 'Show code.');
    await answered(page, 1);
    await until(async () => {
      const { hidden, scrolled } = await foot(page);
      return scrolled > 1_000 && hidden <= 0;
    }, 'The foot of the answer in sight');
  });
}

test('a reader who went up is left there when the answer ends', { skip }, async () => {
  await using visit = await stage.visit('/', { viewport: sizes[0]! });
  const { page } = visit;
  const answer = await scripted(page, [...blocks, 'The end.']);
  await send(page, 'Show code.');
  await page.getByText('Part 11:').waitFor();
  await page.locator('.scroller').evaluate((scroller) => scroller.scrollBy(0, -900));
  await page.getByRole('button', { name: 'Newest' }).waitFor();
  await answer.finish();
  await answered(page, 1);
  await settle(page);
  assert.ok((await foot(page)).hidden > 800);
  await page.getByRole('button', { name: 'Newest' }).click();
  await until(async () => (await foot(page)).hidden <= 0);
});

test('from a conversation a new one can be begun, and Chat leads back to the one that was open', {
  skip,
}, async () => {
  for (const viewport of sizes) {
    await using visit = await stage.visit('/', { viewport });
    const { page } = visit;
    await greet(page);
    const { pathname } = new URL(page.url());
    const place = (name: string) =>
      page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true });
    for (const name of ['Conversations', 'Status']) {
      await place(name).click();
      await page.waitForURL(`**/${name.toLowerCase()}`);
      await place('Chat').click();
      await page.waitForURL(`**${pathname}`);
      await page.getByRole('heading', { level: 2, name: 'Hello' }).waitFor();
    }
    const fresh = page.locator('a, button').and(page.getByLabel('New conversation', { exact: true }));
    await until(
      async () => (await fresh.locator('visible=true').count()) === 1,
      `${viewport.width} px: one way`,
    );
    await fresh.locator('visible=true').click();
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    await place('Status').click();
    await place('Chat').click();
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
    // What is gone is not led back to.
    await page.goto(`${stage.node.url}${pathname}`);
    await page.getByRole('heading', { level: 2, name: 'Hello' }).waitFor();
    await place('Conversations').click();
    await page.getByRole('button', { name: 'Delete “Hello”' }).click();
    await place('Chat').click();
    await page.getByRole('heading', { name: 'What would you like to know?' }).waitFor();
  }
});

test('over a narrow page the receipt dims what it covers, which waits until it closes', {
  skip,
}, async () => {
  await using visit = await stage.visit('/', { viewport: { width: 820, height: 700 } });
  const { page } = visit;
  await greet(page);
  const chip = page.locator('.place-chip');
  const receipt = page.getByRole('complementary', { name: 'Receipt' });
  const close = [
    () => page.mouse.click(200, 300),
    () => page.keyboard.press('Escape'),
    () => receipt.getByRole('button', { name: 'Close' }).click(),
  ];
  for (const way of close) {
    await chip.click();
    await receipt.waitFor();
    await until(() => page.locator('main').evaluate((main: HTMLElement) => main.inert));
    await until(() =>
      page.evaluate(() => document.elementFromPoint(200, 300)?.classList.contains('behind') ?? false),
    );
    await way();
    await receipt.waitFor({ state: 'detached' });
    await until(() => chip.evaluate((one) => one === document.activeElement));
  }
  await page.setViewportSize({ width: 1440, height: 700 });
  await chip.click();
  await receipt.waitFor();
  await until(async () => !(await page.locator('main').evaluate((main: HTMLElement) => main.inert)));
  await page.locator('.behind').waitFor({ state: 'detached' });
});

test('choices stand on one line at 320 px in both languages, and keys are named only where there are some', {
  skip,
}, async () => {
  for (const locale of ['en-GB', 'de-DE']) {
    await using visit = await stage.visit('/', { viewport: { width: 320, height: 700 }, locale });
    const { page } = visit;
    await inLanguage(page, locale.slice(0, 2));
    await page.locator('.bar button').click();
    const labels = page.locator('.segments label');
    await labels.nth(2).waitFor();
    const heights = await labels.evaluateAll((all) =>
      all.map((label) => label.getBoundingClientRect().height),
    );
    assert.ok(heights.length === 3 && Math.max(...heights) < 50, heights.join());
    const over = await page.locator('dialog').evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
    assert.equal(over, 0);
  }
  for (const [options, shown] of [
    [{ viewport: { width: 390, height: 700 } }, false],
    [{ viewport: { width: 820, height: 1100 }, hasTouch: true, isMobile: true }, false],
    [{ viewport: { width: 1440, height: 800 } }, true],
  ] as const) {
    await using visit = await stage.visit('/', options);
    const { page } = visit;
    await page.getByText('is ready on this machine').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: 'New conversation' }).waitFor();
    assert.equal((await page.locator('.palette .kbd').locator('visible=true').count()) > 0, shown);
  }
});

test('times are written as the browser writes them, whatever the language of the page', {
  skip,
}, async () => {
  for (const [locale, language, hours] of [
    ['en-GB', null, 24],
    ['en-US', null, 12],
    ['de-DE', 'en', 24],
  ] as const) {
    await using visit = await stage.visit('/', { locale, timezoneId: 'UTC' });
    const { page } = visit;
    if (language) {
      await page.evaluate(
        (chosen) =>
          localStorage.setItem(
            'kith.preferences',
            JSON.stringify({ language: chosen, settings: { temperature: 0, max_tokens: 4 } }),
          ),
        language,
      );
      await page.reload();
    }
    await greet(page);
    await page.goto(`${stage.node.url}/conversations`);
    const when = await page.locator('.talk .when').innerText();
    assert.match(when, hours === 24 ? /^\d\d:\d\d$/ : /^\d{1,2}:\d\d\s[AP]M$/, locale);
  }
});
