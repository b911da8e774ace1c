import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plantedTexts } from '../../bench/privacy/texts.ts';
import { writtenTexts } from '../../bench/privacy/written.ts';
import { APIS } from './apis.ts';
import { openCapture } from './capture.ts';
import { openKith } from './kith.ts';
import { Haystack } from './leaks.ts';

const STRUCTURED = ['email', 'phone', 'id', 'card', 'iban', 'secret', 'ip', 'mac'];
const generated = plantedTexts(7, 8);
const written = writtenTexts('unseen');
const texts = [...generated, ...written];

/** Texts together, so that one request holds several. */
const groups: (typeof texts)[] = [];
for (let at = 0; at < texts.length; at += 8) groups.push(texts.slice(at, at + 8));

interface Score {
  items: number;
  kept: number;
}

test('at medium nothing planted reaches another server, through any API, and every answer has it back', async () => {
  await using openai = await openCapture();
  await using anthropic = await openCapture();
  const places = { openai: { name: 'a', base: openai.base }, anthropic: { name: 'b', base: anthropic.base } };
  await using overOpenAi = await openKith([places.openai], { policy: { privacy: 'medium' } });
  await using overAnthropic = await openKith([{ ...places.anthropic, api: 'anthropic' }], {
    policy: { privacy: 'medium' },
  });
  const scores = new Map<string, Score>();
  const leaked: string[] = [];
  let asked = 0;
  for (const [turn, group] of groups.entries()) {
    // Each group goes through two of the ways, so that all of them see all classes.
    const ways = APIS.flatMap((api) => api.backends.map((backend) => ({ api, backend })));
    for (const { api, backend } of [0, 1].map((i) => ways[(turn * 2 + i) % ways.length]!)) {
      const capture = backend === 'openai' ? openai : anthropic;
      const { url } = backend === 'openai' ? overOpenAi : overAnthropic;
      const text = group.map((one) => one.text).join('\n\n');
      for (const stream of api.streams ? [false, true] : [false]) {
        capture.forget();
        const reply = await api.ask(url, text, stream);
        assert.equal(reply.status, 200, `${api.name}: ${reply.text.slice(0, 300)}`);
        asked++;
        const said = api.said(reply.parts);
        if (said !== null) assert.equal(said, text, `${api.name}, ${stream ? 'streamed' : 'whole'}`);
        const haystack = new Haystack(capture.bytes());
        for (const one of group)
          for (const item of one.items) {
            const value = one.text.slice(item.start, item.end);
            const score = scores.get(item.class) ?? { items: 0, kept: 0 };
            scores.set(item.class, score);
            score.items++;
            const forms = haystack.formsOf(value);
            if (forms.length === 0) score.kept++;
            else leaked.push(`${item.class} ${one.language} ${value} (${forms.join(', ')})`);
          }
      }
    }
  }
  const planted = texts.reduce((sum, { items }) => sum + items.length, 0);
  const languages = new Set(texts.map(({ language }) => language));
  console.log(`${planted} planted items in ${languages.size} languages, ${asked} requests`);
  console.log('| class | items sent | kept back | recall |');
  for (const [name, { items, kept }] of [...scores].sort())
    console.log(`| ${name} | ${items} | ${kept} | ${(kept / items).toFixed(3)} |`);
  assert.ok(planted >= 200 && languages.size >= 3);
  for (const name of STRUCTURED) {
    const { items, kept } = scores.get(name)!;
    assert.ok(items >= 20, `${name}: ${items} items`);
    assert.ok(kept / items >= 0.98, `${name}: ${leaked.filter((one) => one.startsWith(name)).join('; ')}`);
  }
});

test('at minimum everything planted reaches the other server, and is seen by what looks for it', async () => {
  await using capture = await openCapture();
  await using kith = await openKith([{ name: 'a', base: capture.base }]);
  for (const group of groups.slice(0, 6)) {
    capture.forget();
    await APIS[0]!.ask(kith.url, group.map(({ text }) => text).join('\n\n'), true);
    const haystack = new Haystack(capture.bytes());
    for (const { text, items } of group)
      for (const { start, end } of items)
        assert.ok(haystack.has(text.slice(start, end)), text.slice(start, end));
  }
});

test('values are seen in every way of writing them', () => {
  const value = 'Anna O’Hara <anna@example.org>';
  const json = JSON.stringify({ a: JSON.stringify({ b: value }) });
  for (const text of [
    ...[value, value.toUpperCase(), value.replaceAll(' ', '\n'), encodeURIComponent(value), json],
    json.replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}${value} and more`).toString('base64')),
  ])
    assert.ok(new Haystack(Buffer.from(`before ${text} behind`)).has(value), text);
  assert.ok(new Haystack(Buffer.from('+49/30-5550.9876')).has('+49 30 5550 9876'));
  assert.ok(!new Haystack(Buffer.from('Anna wrote to bert@example.org')).has(value));
});
