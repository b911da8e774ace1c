import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { Link, Mention } from '../types.ts';
import { type FactsSource, NameFacts } from './name-facts.ts';
import { normalForm } from './normal.ts';

type Document = NonNullable<FactsSource['document']>;

const source = (
  row: number,
  text: string,
  surfaces: readonly (string | readonly [string, Mention['extractor']])[],
  document: Partial<Document> | null = null,
): FactsSource => ({
  chunk: { row, document: 1, position: document === null ? 1 : 0, text },
  mentions: surfaces.map((each) =>
    typeof each === 'string'
      ? { surface: each, extractor: 'name' }
      : { surface: each[0], extractor: each[1] },
  ),
  document: document === null ? null : { title: 'Note', properties: {}, aliases: [], links: [], ...document },
});

const typeIn = (of: FactsSource, form: string): string | null => {
  const facts = new NameFacts();
  facts.put(of);
  return facts.typeOf([form])?.type ?? null;
};
const typed = (surface: string): string | null => typeIn(source(1, '', [surface]), normalForm(surface));

test('a name is written as most chunks write it', () => {
  const facts = new NameFacts();
  facts.put(source(1, '', ['Ann Lee', 'Ann Lee', ['ann lee', 'tag']]));
  facts.put(source(2, '', ['ANN LEE']));
  facts.put(source(3, '', ['ANN LEE']));
  assert.equal(facts.writtenAs('ann lee'), 'ANN LEE');
  facts.remove(3);
  // Of equals the lesser; a tag says little.
  assert.equal(facts.writtenAs('ann lee'), 'ANN LEE');
  facts.remove(2);
  assert.equal(facts.writtenAs('ann lee'), 'Ann Lee');
  facts.remove(1);
  assert.equal(facts.writtenAs('ann lee'), 'ann lee');
});

test('words of a name and titles before it say its type, where names of other types do not have them', () => {
  for (const [surface, type] of [
    ...(['Dr. Ann Lee', 'Prof Lee', 'Martin King Jr'] as const).map((each) => [each, 'Person'] as const),
    ...(
      ['Atlas Company', 'Siemens AG', 'University of Lima', 'Bank of America', 'Harvard University'] as const
    ).map((each) => [each, 'Organization'] as const),
    ...(['Peru', "Côte d'Ivoire", 'Madeira Island', 'Republic of Singapore', 'Europe'] as const).map(
      (each) => [each, 'Place'] as const,
    ),
    ...(['Battle of Lepanto', 'World War II', 'Cold War', 'FIFA World Cup'] as const).map(
      (each) => [each, 'Event'] as const,
    ),
  ])
    assert.equal(typed(surface), type, surface);
  for (const surface of [
    ...[
      'Ann Lee',
      'Company',
      'Frank Ocean',
      'Georgia',
      'Act of War',
      'Battle of the Sexes',
      'President of Duke University',
    ],
    ...['Michael Jordan', 'Manchester City', 'Inc', 'Dr', 'Southern Conference'],
  ])
    assert.equal(typed(surface), null, surface);
  assert.equal(typeIn(source(1, '', ['Dr. Ann Lee']), 'ann lee'), 'Person');
});

test('a document says of what type its subject is, and its owner before its words', () => {
  const about = (title: string, text: string, more: Partial<Document> = {}) =>
    typeIn(source(1, text, [[title, 'title']], { title, ...more }), normalForm(title));
  assert.equal(
    about('Ann Lee', 'Ann Lee (born 12 May 1950) is a British film director and producer.'),
    'Person',
  );
  assert.equal(about('Ann Lee', 'Ann Mary Lee was one of the poets of her time.'), 'Person');
  assert.equal(
    about('Red Dust', 'Red Dust is a 1932 American romantic drama film directed by her.'),
    'CreativeWork',
  );
  assert.equal(about('Lima', 'Lima is the capital and largest city of Peru.'), null);
  assert.equal(about('Lima', 'Lima is a city in Peru.'), 'Place');
  assert.equal(about('Lima', 'The director of it was a poet.'), null);
  assert.equal(about('Ann Lee', 'Ann Lee is a friend of the king.'), null);
  assert.equal(about('Frozen (2013 film)', ''), 'CreativeWork');
  assert.equal(
    typeIn(source(1, '', [['Frozen (2013 film)', 'title']], { title: 'Frozen (2013 film)' }), 'frozen'),
    null,
  );
  assert.equal(about('Ann', 'Ann is a film.', { properties: { type: 'person' } }), 'Person');
  assert.equal(about('Ann', '', { properties: { type: ['note', 'MusicGroup'] } }), 'MusicGroup');
  assert.equal(about('Trip', '', { properties: { startDate: '2020-01-01' } }), 'Event');
  assert.equal(about('Note', '', { properties: { type: 'daily' } }), null);
  const aliased = source(1, '', [], { title: 'Ann', aliases: ['Annie'], properties: { type: 'person' } });
  assert.equal(typeIn(aliased, 'annie'), 'Person');
});

test('mail is sent and received by people, except by machines and firms', () => {
  const mail = (label: string | null, target: string) => {
    const links: Link[] = [{ kind: 'person', label, target }];
    return typeIn(source(1, '', [], { links }), normalForm(label ?? target));
  };
  assert.equal(mail('Ada Lovelace', 'ada@example.org'), 'Person');
  assert.equal(mail('Ada', 'ada.l@example.org'), 'Person');
  assert.equal(mail('GitHub', 'github@github.com'), null);
  assert.equal(mail('Shop Team', 'noreply@shop.com'), null);
  assert.equal(mail('Atlas Company', 'ben@atlas.com'), null);
  assert.equal(mail(null, 'ada@example.org'), null);
});

test('where what is said contradicts itself the type is unknown', () => {
  const facts = new NameFacts();
  const film = { title: 'Mercury', properties: { type: 'film' } };
  facts.put(source(1, '', [['Mercury', 'title']], film));
  assert.deepEqual(facts.typeOf(['mercury']), {
    type: 'CreativeWork',
    why: "its document says 'type: film'",
  });
  facts.put(source(2, '', [['Mercury', 'title']], { title: 'Mercury', properties: { type: 'person' } }));
  assert.equal(facts.typeOf(['mercury']), null);
  facts.remove(2);
  assert.equal(facts.typeOf(['mercury'])?.type, 'CreativeWork');
  assert.equal(facts.typeOf(['nobody']), null);
});

test('what was put and removed leaves nothing behind, in whichever order it came', () => {
  const surface = fc.constantFrom('Ann Lee', 'ANN LEE', 'Dr. Ann Lee', 'Atlas Company', 'Peru', 'ann lee');
  const one = fc.record({
    row: fc.integer({ min: 1, max: 6 }),
    surfaces: fc.array(surface, { maxLength: 4 }),
    type: fc.constantFrom('person', 'film', 'none'),
  });
  const put = (
    facts: NameFacts,
    { row, surfaces, type }: { row: number; surfaces: string[]; type: string },
  ) => facts.put(source(row, 'On 1 May 1999.', surfaces, { title: 'Ann Lee', properties: { type } }));
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
      (steps, gone) => {
        const followed = new NameFacts();
        for (const step of steps) put(followed, step);
        for (const row of gone) followed.remove(row);
        const last = new Map(steps.map((step) => [step.row, step]));
        for (const row of gone) last.delete(row);
        const anew = new NameFacts();
        for (const step of [...last.values()].sort((a, b) => a.row - b.row)) put(anew, step);
        for (const form of ['ann lee', 'dr ann lee', 'atlas company', 'peru']) {
          assert.equal(followed.writtenAs(form), anew.writtenAs(form));
          assert.deepEqual(followed.typeOf([form]), anew.typeOf([form]));
        }
        assert.deepEqual(new Map([...followed.rows].sort()), new Map(anew.rows));
      },
    ),
    { numRuns: 100 },
  );
});
