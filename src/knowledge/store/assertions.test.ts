import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { canonicalJson } from '../../base/index.ts';
import { factsOf, type KnowledgeStore, type NewAssertion, openKnowledgeStore, relationOf } from './index.ts';

const idOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
const ADA = 'Ada Lovelace was an English mathematician.';
const BABBAGE = 'Ada Lovelace worked with Charles Babbage.';

function open(): KnowledgeStore {
  return openKnowledgeStore({ path: ':memory:', create: { name: 'Names', clock: { now: () => 1 } } });
}

function put(store: KnowledgeStore, path: string, ...texts: string[]): void {
  store.put(
    {
      ...{ path, title: path, titled: false, type: 'md', hash: new Uint8Array(32), recipe: 'r', bytes: 1 },
      ...{ modified: 1, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
    },
    texts.map((text, position) => ({
      ...{ id: idOf(text), position, title: path, text, tokens: 3, place: {} },
    })),
    null,
    [],
  );
}

const said = (more: Partial<NewAssertion>, sentence = ADA): NewAssertion => ({
  ...{ subject: 'ada lovelace', property: 'type', by: 'rule', made: 5 },
  ...(more.by === 'owner' ? {} : { evidence: { chunk: idOf(sentence), sentence } }),
  ...more,
});
const factsIn = (store: KnowledgeStore) => factsOf(store.assertionsOf(['ada lovelace']));

test("of what contradicts itself the owner's word holds before a rule's and a rule's before a model's, and the newest of equals", () => {
  using store = open();
  put(store, 'ada', ADA, BABBAGE);
  const type = () => factsIn(store).type?.value;
  store.assert([said({ value: 'Event' })]);
  assert.equal(type(), 'Event');
  store.assert([said({ value: 'City', by: 'model', model: 'tiny' })]);
  assert.equal(type(), 'Event');
  const [newer] = store.assert([said({ value: 'Place' })]);
  assert.equal(type(), 'Place');
  store.undoAssertions([newer!], 6);
  assert.equal(type(), 'Event');
  const [owners] = store.assert([said({ value: 'Person', by: 'owner' })]);
  store.assert([said({ value: 'Organization', by: 'model', model: 'tiny' }), said({ value: 'Product' })]);
  assert.equal(type(), 'Person');
  assert.equal(store.undoAssertions([owners!, owners!], 7), 1);
  assert.equal(type(), 'Product');
  assert.equal(store.assertion(owners!)?.undone, 7);
});

test('what is denied does not hold until something as good says it again', () => {
  using store = open();
  put(store, 'ada', ADA, BABBAGE);
  const relation = { property: 'relation', relation: 'colleague', object: 'charles babbage' } as const;
  const objects = () => factsIn(store).relations.map(({ object, by }) => [object, by]);
  store.assert([said(relation, BABBAGE)]);
  assert.deepEqual(objects(), [['charles babbage', 'rule']]);
  store.assert([said({ ...relation, by: 'owner', denies: true })]);
  store.assert([said({ ...relation, by: 'model', model: 'tiny' }, BABBAGE)]);
  assert.deepEqual(objects(), []);
  store.assert([said({ ...relation, by: 'owner' })]);
  store.assert([said({ ...relation, by: 'owner', denies: true })]);
  const [again] = store.assert([said({ ...relation, by: 'owner' })]);
  assert.deepEqual(objects(), [['charles babbage', 'owner']]);
  // The same once more is no news.
  const version = store.version();
  assert.deepEqual(store.assert([said({ ...relation, by: 'owner' })]), [again]);
  assert.ok(store.version() > version);
  assert.deepEqual(
    store.assertionsAbout(['charles babbage']).map(({ id }) => id),
    store.assertionsOf(['ada lovelace']).map(({ id }) => id),
  );
});

test('what a rule says holds while its chunk is there, and again when the chunk comes back', () => {
  using store = open();
  put(store, 'ada', ADA);
  store.assert([
    said({ value: 'Person' }),
    said({ property: 'alias', value: 'Countess of Lovelace', by: 'owner' }),
  ]);
  const before = canonicalJson(store.assertionsOf(['ada lovelace']) as never);
  store.remove('ada');
  assert.equal(factsIn(store).type, null);
  assert.deepEqual(
    store.assertionsOf(['ada lovelace']).map(({ supported }) => supported),
    [false, true],
  );
  assert.equal(factsIn(store).aliases.length, 1);
  put(store, 'elsewhere', BABBAGE, ADA);
  assert.equal(factsIn(store).type?.value, 'Person');
  assert.equal(canonicalJson(store.assertionsOf(['ada lovelace']) as never), before);
});

test('a run is undone as a whole: its assertions, merges and readings, and nothing else', () => {
  using store = open();
  put(store, 'ada', ADA, BABBAGE);
  store.assert([said({ value: 'Event', by: 'model', model: 'other' })]);
  const view = () => canonicalJson([store.assertionsOf(['ada lovelace']), factsIn(store)] as never);
  const before = view();
  const run = store.beginRun('dream', { calls: 3 }, 10);
  assert.deepEqual(store.run(run), {
    ...{ id: run, kind: 'dream', state: { calls: 3 }, began: 10, ended: null, undone: null },
  });
  const reading = { chunk: idOf(ADA), by: 'tiny', run, kept: 1, refused: 2, at: 11 };
  store.noteReading(reading, [said({ value: 'Person', by: 'model', model: 'tiny', run })]);
  store.merge({ alias: 'a lovelace', entity: 'ada lovelace', reason: 'initials', made: 11, run });
  store.noteRun(run, { calls: 2 }, 12);
  assert.deepEqual(store.readBy([idOf(ADA), idOf(BABBAGE)], 'tiny'), new Set([idOf(ADA)]));
  assert.deepEqual(store.readingsOf(run), [reading]);
  assert.equal(store.assertionsOfRun(run).length, 1);
  assert.equal(factsIn(store).type?.value, 'Person');

  assert.equal(store.undoRun(run, 20), true);
  assert.equal(store.undoRun(run, 21), false);
  assert.equal(view(), before);
  assert.deepEqual(
    store.merges().map(({ undone }) => undone),
    [20],
  );
  assert.equal(store.readBy([idOf(ADA)], 'tiny').size, 0);
  assert.deepEqual(
    store.assertionsOfRun(run).map(({ undone }) => undone),
    [20],
  );
  assert.deepEqual(
    store.runs().map(({ ended, undone }) => [ended, undone]),
    [[12, 20]],
  );
});

test('what cannot be kept is refused with its reason, and nothing of a list of which one is', () => {
  using store = open();
  put(store, 'ada', ADA);
  const bad: Partial<NewAssertion>[] = [
    { value: 'a person' },
    { subject: ' ', value: 'Person' },
    { property: 'birth date', value: '1815' },
    { property: 'relation', relation: 'nemesis' as never, object: 'x' },
    { property: 'relation', relation: 'knows' },
    { property: 'summary' },
    { property: 'summary', value: 'x'.repeat(4001) },
    { property: 'summary', value: 'x', object: 'y' },
    { property: 'weight', value: '1.5' },
    { value: 'Person', confidence: Number.NaN },
    { value: 'Person', evidence: { chunk: 'nowhere', sentence: 'x' } },
  ];
  for (const more of bad)
    assert.throws(
      () => store.assert([said({ value: 'Person' }), said({ value: undefined as never, ...more })]),
      {
        code: 'assertion_invalid',
      },
    );
  const { evidence, ...without } = said({ value: 'Person' });
  assert.ok(evidence);
  assert.throws(() => store.assert([without]), { code: 'assertion_invalid', message: /the sentence/ });
  assert.deepEqual(store.assertionsOf(['ada lovelace']), []);
  assert.equal(relationOf('birth_place'), 'birthPlace');
  assert.equal(relationOf('nemesis'), 'relatedTo');
});

test('names are paged in their order, and how often they were asked for adds up', () => {
  using store = open();
  for (const subject of ['b', 'a', 'c'])
    store.assert([{ subject, property: 'summary', value: subject, by: 'owner', made: 1 }]);
  assert.deepEqual(store.assertedNames('', 2), ['a', 'b']);
  assert.deepEqual(store.assertedNames('b'), ['c']);
  const [first] = store.allAssertions({ limit: 1 });
  assert.deepEqual(
    store.allAssertions({ after: first!.id, property: 'summary' }).map(({ subject }) => subject),
    ['a', 'c'],
  );
  store.noteAsked(new Map([['a', 2]]));
  store.noteAsked(
    new Map([
      ['a', 1],
      ['b', 1],
    ]),
  );
  assert.deepEqual(
    store.asked(['a', 'b', 'c']),
    new Map([
      ['a', 3],
      ['b', 1],
    ]),
  );
});

test('whatever was said in a run, undoing it leaves the facts as they were', () => {
  const one = fc.record({
    by: fc.constantFrom('rule', 'model', 'owner'),
    property: fc.constantFrom('type', 'summary', 'relation', 'alias'),
    value: fc.constantFrom('One', 'Two'),
    denies: fc.boolean(),
    sentence: fc.constantFrom(ADA, BABBAGE),
  });
  const list = fc.array(one, { maxLength: 6 });
  fc.assert(
    fc.property(list, list, (first, second) => {
      using store = open();
      put(store, 'ada', ADA, BABBAGE);
      const add = (all: typeof first, run?: number) =>
        store.assert(
          all.map(({ by, property, value, denies, sentence }) =>
            said(
              {
                ...{ by, property, denies, ...(run === undefined ? {} : { run }) },
                ...(property === 'relation' ? { relation: 'knows', object: value } : { value }),
              } as Partial<NewAssertion>,
              sentence,
            ),
          ),
        );
      add(first);
      const before = canonicalJson([store.assertionsOf(['ada lovelace']), factsIn(store)] as never);
      const run = store.beginRun('dream', {}, 1);
      add(second, run);
      store.undoRun(run, 2);
      assert.equal(canonicalJson([store.assertionsOf(['ada lovelace']), factsIn(store)] as never), before);
    }),
    { numRuns: 40 },
  );
});
