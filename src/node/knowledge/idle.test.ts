import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, KithError, silentLogger } from '../../base/index.ts';
import {
  type Extractor,
  followGraph,
  idleTokens,
  mentionsOf,
  openKnowledgeStore,
} from '../../knowledge/index.ts';
import { type IdleParts, onMains, startIdleReading } from './idle.ts';
import type { OpenKb } from './kbs.ts';

function notes(clock: IdleParts['clock']) {
  const store = openKnowledgeStore({ path: ':memory:', create: { name: 'notes', clock } });
  ['Ada Lovelace', 'Charles Babbage', 'Mary Somerville'].forEach((title, i) => {
    const text = `${title} wrote to Luigi Menabrea.`;
    const chunks = [{ id: String(i).padStart(32, '0'), position: 0, title, text, tokens: 8, place: {} }];
    const document = {
      ...{ title, sections: [], links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] },
    };
    store.put(
      {
        ...{ path: `${title}.md`, ...document, titled: true, type: 'md', hash: new Uint8Array(32).fill(i) },
        ...{ recipe: 'test', bytes: 1, modified: 0 },
      },
      chunks,
      null,
      mentionsOf({ title, document, chunks }),
    );
  });
  return store;
}

/** Turns of the event loop: what waits for them goes on, whatever it costs. */
async function until(
  is: () => boolean,
  clock: ReturnType<typeof createManualClock>,
  step = 0,
): Promise<void> {
  for (let i = 0; i < 5000 && !is(); i++) {
    await new Promise(setImmediate);
    if (step > 0) await clock.advance(step);
  }
  assert.ok(is());
}

test('passages are read when no request came for a while, a request ends the one under way, and the rest of a day is left', async () => {
  const clock = createManualClock(86_400_000);
  using store = notes(clock);
  let requests = 0;
  let jobs = false;
  let mains = true;
  const asked: { signal: AbortSignal; answer: (text: string) => void }[] = [];
  const extractor: Extractor = {
    ...{ id: 'scripted', context: 2048 },
    extract: (_messages, _schema, { signal }) =>
      new Promise((answer, fail) => {
        asked.push({ signal, answer });
        signal.addEventListener('abort', () => fail(signal.reason), { once: true });
      }),
  };
  const kb = { store, graph: followGraph(store) } as unknown as OpenKb;
  const entry = { name: 'notes' } as ReturnType<IdleParts['entries']>[number];
  await using idle = startIdleReading({
    ...{ clock, log: silentLogger, afterMs: 600_000, tokensPerDay: 10_000 },
    ...{ activity: () => requests, busy: () => jobs, onMains: async () => mains },
    ...{ entries: () => [entry], use: (_entry, work) => work(kb) },
    ...{ extractor: async () => extractor, admit: async () => {} },
  });
  const said = '{"types":[],"relations":[]}';
  await until(() => clock.sleeping === 1, clock);
  await clock.advance(500_000);
  await until(() => clock.sleeping === 1, clock);
  assert.equal(asked.length, 0, 'it has not rested for long enough');
  mains = false;
  await clock.advance(200_000);
  await until(() => clock.sleeping === 1, clock);
  assert.equal(asked.length, 0, 'it runs on its battery');
  mains = true;
  await until(() => asked.length === 1, clock, 1000);
  assert.equal(idle.phaseOf('notes').phase, 'reading');

  requests++;
  await until(() => asked[0]!.signal.aborted, clock, 200);
  assert.equal(store.runs()[0]!.ended, null);
  assert.equal(store.readingsOf(store.runs()[0]!.id).length, 0);
  await until(() => idle.phaseOf('notes').phase === 'waiting', clock);
  jobs = true;
  await clock.advance(700_000);
  await until(() => clock.sleeping === 1, clock);
  assert.equal(asked.length, 1, 'a job comes first');
  jobs = false;
  await until(() => asked.length === 2, clock, 15_000);
  asked[1]!.answer(said);
  await until(() => asked.length === 3, clock);
  asked[2]!.answer(said);
  for (let at = 3; idle.phaseOf('notes').phase === 'reading'; ) {
    await new Promise(setImmediate);
    if (asked.length > at) asked[at++]!.answer(said);
  }
  assert.equal(idle.phaseOf('notes').phase, 'nothing_left');
  assert.ok(idleTokens(store, clock.now()) > 0);
  assert.equal(store.runs().length, 1, 'all of it is one run');
});

test('a model that is not fit is left alone for a while, and says why', async () => {
  const clock = createManualClock(86_400_000);
  using store = notes(clock);
  let checks = 0;
  await using idle = startIdleReading({
    ...{ clock, log: silentLogger, afterMs: 10_000, tokensPerDay: 10_000 },
    ...{ activity: () => 0, busy: () => false, onMains: async () => true },
    entries: () => [{ name: 'notes' } as ReturnType<IdleParts['entries']>[number]],
    use: (_entry, work) => work({ store, graph: followGraph(store) } as unknown as OpenKb),
    extractor: async () => ({ id: 'tiny', context: 512, extract: async () => '{}' }),
    admit: async () => {
      checks++;
      throw new KithError('model_unfit', 'tiny is too weak to read passages.', { status: 422 });
    },
  });
  await until(() => idle.phaseOf('notes').phase === 'unfit', clock, 1000);
  assert.match(idle.phaseOf('notes').note ?? '', /too weak/);
  await until(() => clock.sleeping === 1, clock);
  await clock.advance(60_000);
  await until(() => clock.sleeping === 1, clock);
  assert.equal(checks, 1);
});

test('a battery that is discharging is no mains, and a machine without either is on mains', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-power-'));
  try {
    assert.equal(await onMains(join(folder, 'none')), true);
    const tell = async (name: string, files: Readonly<Record<string, string>>): Promise<void> => {
      await mkdir(join(folder, name), { recursive: true });
      for (const [file, text] of Object.entries(files))
        await writeFile(join(folder, name, file), `${text}\n`);
    };
    await tell('BAT0', { type: 'Battery', status: 'Charging' });
    await tell('AC', { type: 'Mains', online: '1' });
    assert.equal(await onMains(folder), true);
    await tell('AC', { type: 'Mains', online: '0' });
    assert.equal(await onMains(folder), false);
    await tell('AC', { type: 'Mains', online: '1' });
    await tell('BAT0', { type: 'Battery', status: 'Discharging' });
    assert.equal(await onMains(folder), false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
