import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalForm } from '../graph/index.ts';
import { clausesIn } from './clauses.ts';
import { definitionIn } from './define.ts';
import { fieldLines, fieldsOf } from './fields.ts';
import { Harvest } from './harvest.ts';
import { isKindOf, typeOfNoun } from './kinds.ts';
import { relationsIn } from './relate.ts';

const relations = (title: string, text: string) =>
  clausesIn(text, { title, position: 0 })
    .flatMap(relationsIn)
    .map(({ subject, relation, object }) => `${subject} ${relation} ${object}`);
const types = (title: string, text: string) =>
  clausesIn(text, { title, position: 0 }).map((clause) => definitionIn(clause)?.type ?? null);

test('a sentence that says what something is gives its type by the noun, whatever stands in brackets', () => {
  assert.deepEqual(
    types('Red Dust (1932 film)', 'Red Dust (also Dust) is a 1932 silent drama film directed by Ann Lee.'),
    ['Movie'],
  );
  assert.deepEqual(
    types('Ann Lee', 'Ann Marie Lee (born 5 May 1950) is an American jazz pianist and a composer.'),
    ['Person'],
  );
  assert.deepEqual(
    types('Anduin', 'Anduin, a river in the north, is one of the largest rivers of the land.'),
    ['BodyOfWater'],
  );
  assert.deepEqual(types('KXYZ', 'KXYZ is a radio station licensed to Dallas.'), ['Organization']);
  // Neither what it has nor what somebody thinks of it.
  assert.deepEqual(types('Ann Lee', "Ann Lee's mother is a teacher. Ann Lee was a delight."), [null, null]);
  assert.deepEqual(types('Zoo', 'In 1950 it was a park.'), [null]);
  assert.equal(typeOfNoun('cities'), 'City');
  assert.equal(isKindOf('City', 'Place'), true);
  assert.equal(isKindOf('Person', 'Place'), false);
});

test('relations are told by the words before the second name, over lists, fillers and pronouns', () => {
  assert.deepEqual(
    relations(
      'Red Dust (1932 film)',
      'Red Dust is a 1932 film directed by American filmmaker Victor Fleming and starring Clark Gable, Jean Harlow and Mary Astor. It was produced by Hunt Stromberg.',
    ),
    [
      'red dust 1932 film director victor fleming',
      'red dust 1932 film actor clark gable',
      'red dust 1932 film actor jean harlow',
      'red dust 1932 film actor mary astor',
      'red dust 1932 film producer hunt stromberg',
    ],
  );
  assert.deepEqual(
    relations(
      'Ann Lee',
      'Ann Lee was born on 5 May 1950 in Paris, the daughter of Bob Lee. Lee graduated from Yale University.',
    ),
    ['ann lee birthPlace paris', 'ann lee parent bob lee', 'ann lee alumniOf yale university'],
  );
  assert.deepEqual(relations('WJYA', 'WJYA is owned and operated by Baker Stations.'), [
    'baker stations owns wjya',
  ]);
});

test('where it is not clear of whom a sentence speaks nothing is said', () => {
  assert.deepEqual(relations('Red Dust', 'Red Dust stars Clark Gable, who was born in Cadiz.'), [
    'red dust actor clark gable',
    'clark gable birthPlace cadiz',
  ]);
  assert.deepEqual(relations('Zoo', 'Born in Paris, she was the daughter of Bob Lee.'), []);
  assert.deepEqual(relations('Zoo', 'His father was born in Paris. Ann, Bob and Cy were born in Rome.'), []);
  assert.deepEqual(relations('Zoo', 'The Zoo was founded by the English in North America.'), []);
});

test('fields of a head and lines of a text are relations where they have the name of one', () => {
  const isName = (form: string) => ['ann lee', 'bob'].includes(form);
  assert.deepEqual(
    fieldsOf(
      { author: 'Ann Lee', year: 1950, friend: ['[[people/Bob|Bobby]]', 'Bob'], title: 'Bob' },
      isName,
    ).map(({ relation, object, sentence }) => [relation, object, sentence]),
    [
      ['author', 'ann lee', 'author: Ann Lee'],
      ['relatedTo', 'bob', 'friend: [[people/Bob|Bobby]]'],
    ],
  );
  assert.deepEqual(
    fieldLines('Author:: [[Ann Lee]], [[Nobody]]\nNote: Bob\n- spouse: Bob', isName).map(
      ({ relation, object }) => [relation, object],
    ),
    [
      ['author', 'ann lee'],
      ['spouse', 'bob'],
    ],
  );
});

test('of what passages say the surest is taken, in whatever order they are read, and a person is in no place', () => {
  const passages = [
    {
      id: 'a'.repeat(32),
      position: 0,
      title: 'Ann Lee',
      text: 'Ann Lee is an American singer. She is based in Paris.',
    },
    {
      id: 'b'.repeat(32),
      position: 3,
      title: 'Bob',
      text: 'Ann Lee is a village in Paris. Ann Lee was born in Rome.',
    },
  ].map((passage) => ({ ...passage, properties: null }));
  const harvested = (order: typeof passages) => {
    const harvest = new Harvest((form) => ['ann lee', 'paris', 'rome', 'bob'].includes(form));
    for (const passage of order) harvest.read(passage);
    return harvest.of(normalForm('Ann Lee'));
  };
  const found = harvested(passages);
  assert.deepEqual(harvested([...passages].reverse()), found);
  assert.deepEqual(
    found.map(({ property, relation, object, value }) => [property, relation ?? value, object]),
    [
      ['type', 'Person', undefined],
      ['summary', 'Ann Lee is an American singer.', undefined],
      ['relation', 'birthPlace', 'rome'],
    ],
  );
});
