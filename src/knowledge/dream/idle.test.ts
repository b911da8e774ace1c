import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { followGraph } from '../graph/index.ts';
import type { Extractor } from '../types.ts';
import { idleOf, idleRun, idleStep, idleTokens } from './idle.ts';
import { createFitness, selfCheck } from './self-check.ts';
import { FILMS, openNotes } from './testing/kb.ts';

const DAY = 86_400_000;
const never = new AbortController().signal;

/** Says of the first two names that they know each other. */
function scripted(asked: string[] = []): Extractor {
  return {
    ...{ id: 'scripted', context: 2048 },
    async extract(messages) {
      const text = messages[1]!.content;
      asked.push(/^About: (.*)$/m.exec(text)![1]!);
      const [first, second] = /^Names: (.*)$/m.exec(text)![1]!.split('; ');
      return JSON.stringify({
        types: [],
        relations: [{ sentence: 1, subject: first, relation: 'knows', object: second }],
      });
    },
  };
}

test('one passage is read at a time, all of a day in one run, until none is left, and undone with it', async () => {
  using store = openNotes(FILMS);
  const clock = createManualClock(10 * DAY);
  const asked: string[] = [];
  const parts = { store, graph: followGraph(store), clock, extractor: scripted(asked), signal: never };
  assert.equal(await idleStep(parts, { tokensPerDay: 1e6 }), 'read');
  assert.equal(asked.length, 1);
  const run = idleRun(store, clock.now())!;
  assert.equal(idleOf(run)?.day, '1970-01-11');
  let steps = 1;
  while ((await idleStep(parts, { tokensPerDay: 1e6 })) === 'read') steps++;
  assert.equal(asked.length, steps);
  assert.ok(steps > 2);
  assert.equal(idleRun(store, clock.now())?.id, run.id);
  assert.equal(store.readingsOf(run.id).filter(({ kept, refused }) => kept + refused > 0).length, steps);
  const tokens = idleTokens(store, clock.now());
  assert.ok(store.undoRun(run.id, clock.now()));
  assert.equal(idleTokens(store, clock.now()), tokens, 'what was spent stays spent');
  assert.equal(store.allAssertions().length, 0);
  // It would only read the same again; another model may try, in a run of its own.
  await clock.advance(DAY);
  assert.equal(await idleStep(parts, { tokensPerDay: 1e6 }), 'undone');
  const other = { ...parts, extractor: { ...parts.extractor, id: 'other' } };
  assert.equal(await idleStep(other, { tokensPerDay: 1e6 }), 'read');
  assert.notEqual(idleRun(store, clock.now())?.id, run.id);
});

test('no call goes beyond the tokens of the day, and what was asked for before a kill counts', async () => {
  using store = openNotes(FILMS);
  const clock = createManualClock(10 * DAY);
  const parts = { store, graph: followGraph(store), clock, signal: never };
  assert.equal(await idleStep({ ...parts, extractor: scripted() }, { tokensPerDay: 10 }), 'spent');
  assert.equal(idleTokens(store, clock.now()), 0);
  const killed: Extractor = {
    ...{ id: 'scripted', context: 2048 },
    extract: () => Promise.reject(new Error('the process is gone')),
  };
  await assert.rejects(idleStep({ ...parts, extractor: killed }, { tokensPerDay: 1e6 }), /gone/);
  const spent = idleTokens(store, clock.now());
  assert.ok(spent > 600);
  const [run] = store.runs();
  assert.equal(store.readingsOf(run!.id).length, 0);
  // Another process goes on in the same run, with what is left.
  assert.equal(await idleStep({ ...parts, extractor: scripted() }, { tokensPerDay: spent }), 'spent');
  assert.equal(await idleStep({ ...parts, extractor: scripted() }, { tokensPerDay: 1e6 }), 'read');
  assert.equal(store.runs().length, 1);
  await clock.advance(DAY);
  assert.equal(idleTokens(store, clock.now()), 0);
  await idleStep({ ...parts, extractor: scripted() }, { tokensPerDay: 1e6 });
  assert.notEqual(store.run(run!.id)?.ended, null, 'the run of the day before is over');
});

test('a model that reads what is known is fit, one that says whatever fits the form is not, and is asked once', async () => {
  const good: Extractor = {
    ...{ id: 'good', context: 2048 },
    async extract(messages) {
      const about = /^About: (.*)$/m.exec(messages[1]!.content)![1]!;
      const facts: Record<string, readonly [string, string, number, string]> = {
        'Mara Lindqvist': ['Person', 'birthPlace', 2, 'Odense'],
        'Red Harbour': ['Movie', 'director', 1, 'Tomas Ferrin'],
        'Northlight Company': ['Organization', 'founder', 2, 'Ida Brandt'],
      };
      const [type, relation, sentence, object] = facts[about]!;
      return JSON.stringify({
        types: [{ sentence: 1, name: about, type }],
        relations: [{ sentence, subject: about, relation, object }],
      });
    },
  };
  assert.deepEqual(await selfCheck(good, never), { fit: true, right: 6, wrong: 0, of: 9 });
  const asked: string[] = [];
  const admit = createFitness();
  await admit(good, never);
  await assert.rejects(admit(scripted(asked), never), { code: 'model_unfit' });
  await assert.rejects(admit(scripted(asked), never), /too weak/);
  assert.equal(asked.length, 3);
  const silent: Extractor = { ...good, id: 'silent', extract: async () => '{"types":[],"relations":[]}' };
  assert.equal((await selfCheck(silent, never)).fit, false);
});
