import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { askedFor, defines, fitness, hasWanted } from './asked-for.ts';
import { stem } from './claims/words.ts';
import { extractAnswer } from './extract.ts';
import { piecesOf } from './pieces.ts';
import { sourceOf } from './testing/chunks.ts';

const kinds = (text: string) => piecesOf(text).map(({ kind, text: given }) => [kind, given]);

test('prose is taken sentence by sentence, also where one begins with a small letter', () => {
  assert.deepEqual(kinds('It is read every 30 s. server.tlsKey is its key. The rest, e.g. names, stays.'), [
    ['prose', 'It is read every 30 s.'],
    ['prose', 'server.tlsKey is its key.'],
    ['prose', 'The rest, e.g. names, stays.'],
  ]);
});

test('rows come with the heads of their columns, and a bar of links is nothing', () => {
  const table = 'Type | Bytes | One cell\nf16 | 2 | 22,528 B\nq8_0 | 1.06 | 11,968 B';
  assert.deepEqual(kinds(`Home | Next | Up\n\n${table}`), [
    ['row', 'Type: f16; Bytes: 2; One cell: 22,528 B'],
    ['row', 'Type: q8_0; Bytes: 1.06; One cell: 11,968 B'],
  ]);
  assert.deepEqual(kinds('Port | Meaning\n4001 | where peers connect'), [
    ['row', '4001: where peers connect'],
  ]);
});

test('an item is one with the lines that go on with it, and links alone are scraps', () => {
  assert.deepEqual(
    kinds(
      '- Q4_0 for CPUs: computed in a layout that is faster\n  on CPUs that have one\n- Usage\n- License',
    ),
    [
      ['item', 'Q4_0 for CPUs: computed in a layout that is faster\n  on CPUs that have one'],
      ['scrap', 'Usage'],
      ['scrap', 'License'],
    ],
  );
});

test('code is told from prose that speaks of programs', () => {
  assert.deepEqual(
    kinds("npm install --save duck\n\nconst a = require('duck');\nif (a) {\n  a.quack();\n}"),
    [
      ['code', '`npm install --save duck`'],
      ['code', "`const a = require('duck');` `if (a) {` `a.quack();` `}`"],
    ],
  );
  assert.deepEqual(kinds('git is a program that keeps versions.'), [
    ['prose', 'git is a program that keeps versions.'],
  ]);
});

test('what stands in a piece stands in its text, whatever that is', () => {
  const line = fc.constantFrom(
    '- one: two. Three',
    'a | b | c',
    'x = {',
    'A sentence. b.c goes on.',
    '',
    '1. It is (so).',
    '中文。日本語。',
    '`q` ... |',
    '    deep',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.join('\n');
      for (const { sentence } of piecesOf(text)) assert.ok(text.includes(sentence), sentence);
    }),
  );
});

test('questions say what they want defined, and sentences what they define', () => {
  assert.deepEqual(askedFor('What is a relay?').subject, [stem('relay')]);
  assert.deepEqual(askedFor('Was ist der Präfixspeicher?').subject?.length, 1);
  assert.equal(askedFor('What is the default size of it?').subject, null);
  assert.equal(askedFor('What is the difference between a relay and a lane?').subject, null);
  const relay = [stem('relay')];
  const is = defines('A relay is a node that passes bytes on.', relay);
  assert.ok(is > defines('A relay passes bytes on.', relay));
  assert.ok(defines('A relay passes bytes on.', relay) > defines('Others reach it through a relay.', relay));
  assert.ok(defines('Nodes that know each other form a swarm.', ['swarm']) > 0);
  assert.ok(hasWanted('The policy is trust/policy.yaml in the home.', 'place'));
});

test('code and rows answer those who ask for them', () => {
  const [code] = piecesOf('npm install duck');
  const fit = (question: string) => fitness(code!, question, askedFor(question), false);
  assert.ok(fit('How do I install duck?') > fit('What is duck?'));
});

test('what points back comes with the sentence before it, and the definition before what merely names it', async () => {
  const ask = async (question: string, text: string, title?: string) =>
    (
      await extractAnswer(
        question,
        { degraded: { code: 'no_embedder', message: '' } },
        [sourceOf(1, text, title)],
        null,
      )
    ).extracts.map(({ text: given }) => given);
  const hosts = 'Any other name must stand in the list of hosts. This is what stops DNS rebinding.';
  assert.deepEqual(await ask('What stops DNS rebinding?', hosts), [
    'Any other name must stand in the list of hosts.',
    'This is what stops DNS rebinding.',
  ]);
  const relays =
    'over a relay only | others reach it through a relay\n\nA relay has to be reachable.\n\nA relay is a node that passes on bytes.';
  assert.equal(
    (await ask('What is a relay?', relays)).includes('A relay is a node that passes on bytes.'),
    true,
  );
  const kept =
    'In this browser, and nowhere else: the node keeps none of them.\n\nConversations can be saved as files.';
  assert.match(
    (await ask('Where are conversations kept?', kept, 'Page › Where conversations are kept'))[0]!,
    /In this browser/,
  );
});
