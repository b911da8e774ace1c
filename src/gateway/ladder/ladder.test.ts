import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortedError, createManualClock, InputError, KithError, silentLogger } from '../../base/index.ts';
import type { PrivacyLevel } from '../privacy/index.ts';
import type { ChatRequest } from '../types.ts';
import {
  createArithmetic,
  createKnowledgeAdapter,
  createLadder,
  type Distress,
  type SearchAdapter,
  type SearchFinding,
  type SearchOptions,
  type SearchPlace,
} from './index.ts';

const PROVIDER: SearchPlace = { kind: 'provider', link: 'encrypted' };

function request(content: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: null,
    n: 1,
    sampler: {},
    maxTokens: null,
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal: new AbortController().signal,
    messages: [{ role: 'user', content }],
    ...more,
  };
}

const distress = (more: Partial<Distress> = {}): Distress => ({
  error: new KithError('backends_unavailable', 'None.', { status: 503 }),
  privacy: 'minimum',
  locale: 'en',
  signal: new AbortController().signal,
  ...more,
});

type Adapter = SearchAdapter & { readonly asked: string[] };

/** Answers as told, and keeps what it was asked. */
function adapter(
  name: string,
  answer: (question: string, options: SearchOptions) => Promise<SearchFinding | null> | SearchFinding | null,
  destination: SearchPlace = { kind: 'this_machine' },
): Adapter {
  const asked: string[] = [];
  return {
    name,
    destination,
    asked,
    async search(question, options) {
      asked.push(question);
      return answer(question, options);
    },
  };
}

const found = (text: string): SearchFinding => ({ text, sources: [] });
const ladderOf = (...adapters: SearchAdapter[]) =>
  createLadder({ adapters, clock: createManualClock(), log: silentLogger });

test('adapters are asked in the owner’s order until one finds something, and the answer says who found it', async () => {
  const nothing = adapter('nothing', () => null);
  const second = adapter('second', () => found('It is so.'));
  const third = adapter('third', () => found('No.'));
  await using ladder = ladderOf(nothing, second, third);
  const standIn = await ladder.search(request(' Is it so? '), distress());
  assert.deepEqual(standIn, {
    step: 'search',
    source: 'second',
    text: "Kith: this is not an answer of a model. No model could answer; the search adapter 'second' found this:\n\nIt is so.",
    notes: ["No model answered (backends_unavailable); this is what the search adapter 'second' found."],
    destination: { kind: 'this_machine' },
    replaced: null,
  });
  assert.deepEqual([nothing.asked, second.asked, third.asked], [['Is it so?'], ['Is it so?'], []]);
});

test('an adapter that throws, or returns what is no finding, is passed over, and no word of its error is told', async () => {
  const lines: string[] = [];
  const log = { ...silentLogger, warn: (...args: unknown[]) => void lines.push(JSON.stringify(args)) };
  const bad = [
    adapter('throws', () => {
      throw new Error('secret question');
    }),
    adapter('coded', () => {
      throw new KithError('upstream_auth', 'secret question');
    }),
    adapter('odd', () => ({ sources: 'secret question' }) as unknown as SearchFinding),
    adapter('trap', () => {
      throw {
        get message() {
          throw new Error('trap');
        },
      };
    }),
  ];
  await using ladder = createLadder({
    adapters: [...bad, adapter('good', () => found('Found.'))],
    clock: createManualClock(),
    log,
  });
  const standIn = await ladder.search(request('secret question'), distress());
  assert.equal(standIn?.source, 'good');
  assert.deepEqual(standIn.notes.slice(0, 3), [
    "Search adapter 'throws' failed: Error.",
    "Search adapter 'coded' failed: upstream_auth.",
    "Search adapter 'trap' failed: it threw what is no error.",
  ]);
  assert.equal(lines.length, 3);
  assert.ok(!lines.join().includes('secret question'));
});

test('an adapter that does not end is left after its time, its signal fires, and the next one is asked', async () => {
  const clock = createManualClock();
  const signals: AbortSignal[] = [];
  const stuck = adapter('stuck', (_, { signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  await using ladder = createLadder({
    adapters: [stuck, adapter('good', () => found('Found.'))],
    timeLimitMs: 500,
    clock,
    log: silentLogger,
  });
  const pending = ladder.search(request('Who?'), distress());
  await clock.advance(499);
  assert.equal(signals[0]?.aborted, false);
  await clock.advance(1);
  const standIn = await pending;
  assert.equal(standIn?.source, 'good');
  assert.equal(signals[0]?.aborted, true);
  assert.equal(standIn.notes[0], "Search adapter 'stuck' failed: it took longer than 500 ms.");
  assert.equal(clock.sleeping, 0);
});

test('when the caller leaves, the search ends at once with the caller’s abort', async () => {
  const leaving = new AbortController();
  const later = adapter('later', () => found('Found.'));
  const stuck = adapter('stuck', () => new Promise(() => {}));
  const clock = createManualClock();
  await using ladder = createLadder({ adapters: [stuck, later], clock, log: silentLogger });
  const pending = ladder.search(request('Who?'), distress({ signal: leaving.signal }));
  leaving.abort();
  await assert.rejects(pending, AbortedError);
  await assert.rejects(ladder.search(request('Who?'), distress({ signal: leaving.signal })), AbortedError);
  assert.deepEqual(later.asked, []);
  assert.equal(clock.sleeping, 0);
});

test('an abort that comes while the adapter fails is the caller’s, not the adapter’s', async () => {
  const leaving = new AbortController();
  const failing = adapter('failing', () => {
    leaving.abort();
    throw new Error('closed');
  });
  await using ladder = ladderOf(failing);
  await assert.rejects(ladder.search(request('Who?'), distress({ signal: leaving.signal })), AbortedError);
});

test('at maximum privacy only adapters on the owner’s machines are asked; a link in the clear is never used', async () => {
  const places: Readonly<Record<string, SearchPlace>> = {
    web: PROVIDER,
    clear: { kind: 'provider', link: 'open' },
    'owned-clear': { kind: 'owned', link: 'open' },
    owned: { kind: 'owned', link: 'owned_network' },
    here: { kind: 'this_machine' },
  };
  const expected: Readonly<Record<PrivacyLevel, readonly string[]>> = {
    minimum: ['web', 'owned', 'here'],
    medium: ['web', 'owned', 'here'],
    maximum: ['owned', 'here'],
  };
  for (const [level, names] of Object.entries(expected) as [PrivacyLevel, readonly string[]][]) {
    const adapters = Object.entries(places).map(([name, place]) => adapter(name, () => null, place));
    await using ladder = ladderOf(
      ...adapters,
      adapter('last', () => found('Found.')),
    );
    const standIn = await ladder.search(request('Who was Ada?'), distress({ privacy: level }));
    assert.deepEqual(
      adapters.filter(({ asked }) => asked.length > 0).map(({ name }) => name),
      names,
      level,
    );
    assert.equal(standIn?.notes.filter((note) => note.includes('was not asked')).length, 5 - names.length);
  }
});

test('at medium privacy a remote adapter gets placeholders, its answer gets the values back, and the receipt their count', async () => {
  const email = 'anna.berg@example.org';
  const messages = [
    { role: 'user', content: 'My name is Annegret Lindqvist.' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'user', content: `Who is Annegret Lindqvist, ${email}?` },
  ];
  const web = adapter(
    'web',
    (question) => ({
      text: null,
      sources: [
        {
          title: `About ${question}`,
          url: 'https://example.org/',
          text: '[EMAIL_1] and https://evil.example/?q=[EMAIL_1]',
        },
      ],
    }),
    PROVIDER,
  );
  const own = adapter('own', () => null);
  await using ladder = ladderOf(own, web);
  const standIn = await ladder.search(request('', { messages }), distress({ privacy: 'medium' }));
  assert.deepEqual(own.asked, [`Who is Annegret Lindqvist, ${email}?`]);
  assert.ok(!/Annegret|Lindqvist|anna|example/.test(web.asked[0]!), web.asked[0]);
  assert.match(standIn!.text, /1\. About Who is Annegret Lindqvist, anna\.berg@example\.org\?/);
  assert.match(standIn!.text, /anna\.berg@example\.org and https:\/\/evil\.example\/\?q=\(EMAIL_1\)/);
  assert.deepEqual(
    standIn!.replaced?.map((one) => [one.class, one.count]),
    [
      ['email', 1],
      ['name', 1],
    ],
  );
  assert.ok(!JSON.stringify([standIn!.notes, standIn!.replaced]).includes('anna'));

  const plain = adapter('web', () => found('Found.'), PROVIDER);
  await using open = ladderOf(plain);
  assert.equal((await open.search(request('', { messages }), distress()))?.replaced, null);
  assert.ok(plain.asked[0]?.includes(email));
});

test('nothing is searched for without a question, for a long text, or where the answer is held to a form', async () => {
  const any = adapter('any', () => found('Found.'));
  await using ladder = ladderOf(any);
  const none: readonly ChatRequest[] = [
    request(''),
    request('x'.repeat(2001)),
    request('Who?', { messages: [{ role: 'system', content: 'Who?' }] }),
    request('Who?', { messages: [{ role: 'user', content: null }] }),
    request('Who?', { grammar: { kind: 'json_object' } }),
    request('Who?', { toolChoice: 'required' }),
    request('Who?', { toolChoice: { name: 'find' } }),
    request('Who?', { prefill: 'It is' }),
  ];
  for (const one of none) assert.equal(await ladder.search(one, distress()), null);
  assert.deepEqual(any.asked, []);
  assert.equal((await ladder.search(request('Who?', { toolChoice: 'auto' }), distress()))?.source, 'any');
});

test('the newest message of the user is the question, also after answers of tools', async () => {
  const any = adapter('any', () => found('Found.'));
  await using ladder = ladderOf(any);
  const messages = [
    { role: 'user', content: 'First?' },
    { role: 'user', content: 'Second?' },
    { role: 'tool', content: 'Third?', tool_call_id: 'a' },
  ];
  await ladder.search(request('', { messages }), distress());
  assert.deepEqual(any.asked, ['Second?']);
});

test('somebody in danger gets numbers to call, and nothing is searched for', async () => {
  const any = adapter('any', () => found('Found.'));
  await using ladder = ladderOf(any);
  const asked = request('Ich will nicht mehr leben');
  assert.equal(ladder.inDanger(asked), true);
  assert.equal(await ladder.search(asked, distress({ locale: null })), null);
  assert.deepEqual(any.asked, []);
  const standIn = ladder.explain(asked, distress({ locale: 'de-AT' }));
  assert.equal(standIn.step, 'crisis');
  assert.match(standIn.text, /^Kith: Dies ist keine Antwort eines Modells\.\n/);
  assert.match(standIn.text, /TelefonSeelsorge: 142/);
  assert.match(standIn.notes[0]!, /numbers to call/);
  assert.ok(!standIn.notes.join().includes('leben'));
  assert.equal(ladder.inDanger(request('How do I kill a process?')), false);
});

test('all others get an explanation in their language, English where it is unknown', async () => {
  await using ladder = ladderOf();
  assert.equal(await ladder.search(request('1 + 1'), distress()), null);
  const french = ladder.explain(request('Pourquoi ?'), distress({ locale: 'fr-CA' }));
  assert.deepEqual([french.step, french.source, french.destination], ['explanation', 'kith', null]);
  assert.match(french.text, /^Kith : ceci n'est pas la réponse d'un modèle\./);
  assert.match(
    ladder.explain(request('なぜ'), distress({ locale: 'ja' })).text,
    /^Kith: this is not an answer of a model\./,
  );
  assert.deepEqual(french.notes, [
    'No model answered (backends_unavailable); this is an explanation of Kith.',
  ]);
});

test('arithmetic and the owner’s knowledge answer through the same ladder', async () => {
  const source = {
    find: async (question: string, { limit }: { limit: number }) =>
      question.includes('Ada')
        ? Array.from({ length: limit + 3 }, (_, index) => ({
            title: `Note ${index}`,
            text: 'Ada wrote programs.',
            url: null,
          }))
        : [],
  };
  await using ladder = ladderOf(createArithmetic(), createKnowledgeAdapter(source));
  const maximum = distress({ privacy: 'maximum', locale: 'de' });
  const sum = await ladder.search(request('Wie viel ist 12,5 % von 480?'), maximum);
  assert.match(sum!.text, /Suchadapter „arithmetic“ hat dies gefunden:\n\n12,5% × 480 = 60$/);
  const note = await ladder.search(request('Who was Ada?'), maximum);
  assert.match(note!.text, /1\. Note 0\n {3}Ada wrote programs\./);
  assert.equal(note!.text.match(/Ada wrote/g)?.length, 5);
  assert.equal(await ladder.search(request('Who was Grace?'), maximum), null);
});

test('names of adapters are checked, and closing one that fails closes the others', async () => {
  const named =
    (...names: string[]) =>
    () =>
      ladderOf(...names.map((name) => adapter(name, () => null)));
  for (const wrong of [
    named('a', 'a'),
    named(''),
    named('a b'),
    named(...Array.from({ length: 17 }, (_, index) => `a${index}`)),
  ])
    assert.throws(wrong, (error) => error instanceof InputError && error.code === 'search_adapters_invalid');
  const closed: string[] = [];
  const closing = (name: string, fails: boolean): SearchAdapter => ({
    ...adapter(name, () => null),
    async [Symbol.asyncDispose]() {
      closed.push(name);
      if (fails) throw new Error('no');
    },
  });
  await ladderOf(
    closing('a', true),
    closing('b', false),
    adapter('c', () => null),
  )[Symbol.asyncDispose]();
  assert.deepEqual(closed, ['a', 'b']);
});
