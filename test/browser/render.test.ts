/** What a model may write: it is shown, and it does nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { answered, openStage, type Stage, send, skip } from './support.ts';

let stage: Stage;
before(async () => {
  if (!skip) stage = await openStage();
});
after(() => stage?.[Symbol.asyncDispose]());

/** The page with an answer of this text, as a model would have streamed it. */
async function show(page: Page, text: string, question = 'Go on.'): Promise<void> {
  const pieces = text.match(/[\s\S]{1,4000}/gu) ?? [];
  const chunks = pieces.map(
    (content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`,
  );
  await page.route('**/v1/chat/completions', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `${chunks.join('')}data: [DONE]\n\n` }),
  );
  await send(page, question);
  await answered(page, 1);
}

const hostile = `Before

<script>globalThis.broken = 'script'</script>

<img src="x" onerror="globalThis.broken = 'image'"> <b onclick="globalThis.broken = 1">raw</b>

[one](javascript:globalThis.broken='link') [two](JaVaScRiPt&#58;globalThis.broken='link') [three](data:text/html,x)
[four](https://safe.example/path) <https://auto.example> [five](/v1/models) <javascript:globalThis.broken=1>

![tracker](https://tracker.example/pixel.png)

<iframe src="https://frame.example"></iframe><style>body { display: none }</style><base href="https://base.example">

\`\`\`html
<script>globalThis.broken = 'code'</script>
\`\`\`

After`;

test('HTML, scripts and bad links are words; images are not loaded', { skip }, async () => {
  await using visit = await stage.visit();
  const { page, faults } = visit;
  await show(page, hostile);
  const prose = page.locator('.prose');
  await prose.getByText('After').waitFor();
  await page.locator('.hljs-tag').first().waitFor();
  assert.equal(await prose.locator('script, img, iframe, style, base, b, [onclick], [onerror]').count(), 0);
  const links = await prose.locator('a').evaluateAll((all) =>
    all.map((one) => ({
      href: one.getAttribute('href'),
      rel: one.getAttribute('rel'),
      target: one.getAttribute('target'),
    })),
  );
  assert.deepEqual(links, [
    { href: 'https://safe.example/path', rel: 'noopener noreferrer', target: '_blank' },
    { href: 'https://auto.example/', rel: 'noopener noreferrer', target: '_blank' },
  ]);
  assert.equal(await page.evaluate(() => (globalThis as { broken?: unknown }).broken), undefined);
  assert.match(await prose.innerText(), /<script>globalThis\.broken = 'script'<\/script>/);
  assert.match(await prose.innerText(), /\[Image, not loaded: tracker\]/);
  assert.deepEqual(faults, []);
});

test('Markdown becomes headings below the question, lists, tables and coloured code', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await show(
    page,
    '# Title\n\n3. three\n4. four\n   - nested\n\n| a | b |\n|:-:|--:|\n| 1 | `2` |\n\n```python\ndef f():\n    return "x"\n```\n\n~~gone~~ **bold** *em* &amp; &copy;\n',
  );
  const prose = page.locator('.prose');
  assert.equal(await prose.locator('h3').innerText(), 'Title');
  assert.equal(await prose.locator('ol').getAttribute('start'), '3');
  assert.equal(await prose.locator('ol ul li').innerText(), 'nested');
  assert.equal(await prose.locator('td').nth(1).innerText(), '2');
  await prose.locator('.hljs-keyword').first().waitFor();
  assert.equal(await prose.locator('pre code').innerText(), 'def f():\n    return "x"');
  assert.match(await prose.innerText(), /gone bold em & ©/);
});

test('a line without end and nesting without end leave the page usable', { skip }, async () => {
  await using visit = await stage.visit();
  const { page, faults } = visit;
  await show(page, `${'x'.repeat(400_000)}\n\n${'> '.repeat(20_000)}\n\n${'*a '.repeat(20_000)}\n\nThe end`);
  await page.locator('.prose').getByText('The end').waitFor();
  assert.equal(
    await page.evaluate(
      () =>
        document.querySelector('.scroller')!.scrollWidth <= document.querySelector('.scroller')!.clientWidth,
    ),
    true,
  );
  await page.getByRole('textbox', { name: 'Your question' }).fill('still here');
  assert.deepEqual(faults, []);
});

test('text runs in its own direction, code always from left to right', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  await show(page, 'مرحبا بالعالم.\n\nIn English.\n\n- עברית\n\n```\ncode\n```\n', 'اشرح لي التشفير');
  const direction = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((one) => getComputedStyle(one).direction);
  assert.equal(await direction('[data-turn] h2'), 'rtl');
  assert.equal(await direction('.prose p:nth-of-type(1)'), 'rtl');
  assert.equal(await direction('.prose p:nth-of-type(2)'), 'ltr');
  assert.equal(await direction('.prose li'), 'rtl');
  assert.equal(await direction('.prose pre'), 'ltr');
});

test('a question is text, too: nothing in it is read as Markdown or HTML', { skip }, async () => {
  await using visit = await stage.visit();
  const { page } = visit;
  const question = '<img src=x onerror=alert(1)> **not bold**\nsecond line';
  await show(page, 'Fine.', question);
  assert.equal(await page.locator('[data-turn] h2').innerText(), question);
  assert.equal(await page.locator('[data-turn] h2 *').count(), 0);
});
