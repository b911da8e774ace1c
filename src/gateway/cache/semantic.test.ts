import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { intentOf } from './intent.ts';
import { createSemanticIndex } from './semantic.ts';
import { keyNamed } from './testing/examples.ts';

const thresholds = { fact: 0.9, howto: 0.8, talk: 0.9, work: Number.POSITIVE_INFINITY };
const indexOf = (maxEntries = 100) => createSemanticIndex({ dimension: 2, maxEntries, thresholds });
/** The unit vector with this cosine to (1, 0). */
const at = (cosine: number) => Float32Array.of(cosine, Math.sqrt(1 - cosine * cosine));
const question = (text: string, vector = at(1), topic = 't') => ({ topic, text, vector });

test('the nearest question of the same topic is found, if it is near enough for what it asks', () => {
  const index = indexOf();
  index.add(question('who wrote hamlet', at(0.91)), keyNamed('a'));
  index.add(question('so who wrote hamlet then', at(0.99)), keyNamed('b'));
  assert.equal(index.find(question('Who wrote hamlet?'))?.key.id, keyNamed('b').id);
  assert.equal(index.find(question('Who wrote hamlet?', at(1), 'other')), null);
  index.remove(keyNamed('b'));
  assert.equal(index.find(question('Who wrote hamlet?'))?.key.id, keyNamed('a').id);
  assert.equal(index.find(question('Who wrote hamlet?', at(0.5))), null);
  index.add(question('how do I boil rice', at(0.85)), keyNamed('c'));
  assert.equal(index.find(question('How do I boil rice?'))?.key.id, keyNamed('c').id);
});

test('no nearness makes up for another number, name or negation', () => {
  const index = indexOf();
  index.add(question('Who was born in 1884?'), keyNamed('a'));
  assert.ok(index.find(question('Who was born in 1884?')));
  assert.equal(index.find(question('Who was born in 1914?')), null);
  assert.equal(index.find(question('Who was not born in 1884?')), null);
});

test('work on a given text, code and long texts are never looked up', () => {
  const index = indexOf();
  for (const text of ['Translate: the dog', 'x = 1; what is x?', 'line\nline', `${'why '.repeat(200)}?`]) {
    assert.equal(intentOf(text), 'work');
    index.add(question(text), keyNamed(text));
    assert.equal(index.find(question(text)), null);
  }
  assert.equal(index.size, 0);
});

test('questions are sorted by what they ask for', () => {
  assert.equal(intentOf('How many moons has Mars?'), 'fact');
  assert.equal(intentOf('Who was she?'), 'fact');
  assert.equal(intentOf('How do I boil rice?'), 'howto');
  assert.equal(intentOf('Please tell me, why is it so?'), 'howto');
  assert.equal(intentOf('I feel sad'), 'talk');
});

test('the index agrees with a plain list, whatever is added, removed and cleared, and never outgrows its bound', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(7), topic: fc.nat(2), cosine: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ remove: fc.nat(7) }),
    fc.record({ find: fc.nat(2) }),
    fc.constant({ clear: true } as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = indexOf(4);
      let list: ({ key: string; topic: string; vector: Float32Array } | null)[] = [null, null, null, null];
      let next = 0;
      for (const action of steps) {
        if ('add' in action) {
          const [topic, vector] = [`t${action.topic}`, at(action.cosine)];
          const key = keyNamed(String(action.add));
          list = list.map((entry) => (entry?.key === key.id ? null : entry));
          list[next++ % 4] = { key: key.id, topic, vector };
          index.add(question('hello there', vector, topic), key);
        } else if ('remove' in action) {
          const { id } = keyNamed(String(action.remove));
          list = list.map((entry) => (entry?.key === id ? null : entry));
          index.remove(keyNamed(String(action.remove)));
        } else if ('clear' in action) {
          list = [null, null, null, null];
          index.clear();
        } else {
          const near = list
            .filter((entry) => entry?.topic === `t${action.find}` && entry.vector[0]! >= 0.9)
            .map((entry) => entry!.vector[0]!);
          const found = index.find(question('hello there', at(1), `t${action.find}`));
          assert.equal(found?.similarity, near.length === 0 ? undefined : Math.max(...near));
        }
        assert.equal(index.size, list.filter((entry) => entry !== null).length);
      }
    }),
    { numRuns: 300 },
  );
});
