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
    // Each group goes through three of the ways, so that all of them see all classes.
    const ways = APIS.flatMap((api) => api.backends.map((backend) => ({ api, backend })));
    for (const { api, backend } of [0, 1, 2].map((i) => ways[(turn * 3 + i) % ways.length]!)) {
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
