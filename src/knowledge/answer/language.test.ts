import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeOf } from '../graph/index.ts';
import { languageOf, routeText } from './language.ts';
import { reasonOf, refusalText } from './refusal.ts';
import { sourceOf } from './testing/chunks.ts';

test('the small words of a question tell its language', () => {
  for (const [question, language] of [
    ['When does the lease end?', 'en'],
    ['Wann endet der Mietvertrag?', 'de'],
    ['Wie hoch ist die Miete?', 'de'],
    ['Kündigungsfrist?', 'de'],
    ['Was kostet die Miete?', 'de'],
    ['Was Ann in the house?', 'en'],
    ['lease', 'en'],
    ['What is in the Wissensbasis?', 'en'],
  ] as const)
    assert.equal(languageOf(question), language, question);
});

test('every reason of the way that a question took has its German words', () => {
  const title = { entity: 1, form: 'red dust', isTitle: true };
  const name = { entity: 2, form: 'ann lee', isTitle: false };
  const code = { entity: 3, form: 'tp53', isTitle: false };
  const whys = [
    routeOf('Give me an overview', [], null),
    routeOf('what is it', [], null),
    routeOf('what is tp53', [code], null),
    routeOf('who is the director of Red Dust', [title], null),
    routeOf('Red Dust Ann Lee', [title, name], null),
    routeOf('Red Dust', [title], 0.01),
    routeOf('Red Dust', [title], 0.9),
  ].map(({ why }) => why);
  assert.equal(new Set(whys).size, 7);
  for (const why of whys) {
    assert.equal(routeText(why, 'en'), why);
    const german = routeText(why, 'de');
    assert.notEqual(german, why);
    for (const form of why.match(/'[^']+'/gu) ?? []) assert.ok(german.includes(form), german);
  }
  assert.equal(routeText('since the moon is full', 'de'), 'since the moon is full');
});

test('refusals are in the language that is asked for', () => {
  const support = { enough: false, coverage: 0, cosine: null, margin: null, missing: ['mongolei'] };
  const sources = [sourceOf(1, 'Text.', 'Mietvertrag')];
  assert.equal(
    refusalText(reasonOf(support, sources, 'de'), sources, 'de'),
    'Die Dokumente beantworten das nicht: keines davon spricht von „mongolei“. Am nächsten kamen: „Mietvertrag“.',
  );
  assert.match(
    refusalText(reasonOf(support, [], 'en'), [], 'en'),
    /nothing was found\. Nothing in the knowledge base/,
  );
});
