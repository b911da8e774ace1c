import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellingOf } from './communities.ts';
import { NameFacts } from './name-facts.ts';
import type { Network } from './network.ts';
import { normalForm } from './normal.ts';
import { cleanName, isGeneric, isQuestionHeading } from './structure.ts';

test('names lose emoji, anchors and what markup leaves around them', () => {
  for (const [written, clean] of [
    ['What is it? 🔗', 'What is it?'],
    ['# Usage ¶', 'Usage'],
    [':rocket: Ardle Bridge', 'Ardle Bridge'],
    ['History [edit]', 'History'],
    ['**Ada Lovelace**:', 'Ada Lovelace'],
    ['C++', 'C++'],
    ['🎉', '🎉'],
  ] as const)
    assert.equal(cleanName(written), clean);
});

test('headings of all documents are known in four languages, and names like them are not taken for such', () => {
  for (const name of [
    'Usage',
    'LICENSE',
    'Getting Started',
    'Siehe auch',
    'Einführung',
    'Table des matières',
    'Índice',
    'Chapter 4',
  ])
    assert.ok(isGeneric(normalForm(name)), name);
  for (const name of [
    'Usage of opium',
    'MIT License',
    'Ada Lovelace',
    'Installation art',
    'Part of the pride',
  ])
    assert.ok(!isGeneric(normalForm(name)), name);
  assert.ok(isQuestionHeading('what is it', 'What is it?'));
  assert.ok(!isQuestionHeading('who', 'WHO'));
});

test('a heading of many documents is structure, a name in texts or titles is none, and none is any more when documents go', () => {
  const facts = new NameFacts();
  const put = (row: number, document: number, heading: string, inText: boolean): void =>
    facts.put({
      chunk: { row, document, position: 1, text: '' },
      mentions: [
        { surface: heading, extractor: 'heading' },
        ...(inText ? ([{ surface: heading, extractor: 'name' }] as const) : []),
      ],
      document: null,
    });
  for (let i = 0; i < 5; i++) {
    put(2 * i, i, 'Sprint goals', false);
    put(2 * i + 1, i, 'Ann Lee', true);
  }
  assert.ok(facts.isStructure('sprint goals', 5, false));
  assert.ok(!facts.isStructure('sprint goals', 5, true));
  assert.ok(!facts.isStructure('sprint goals', 50, false));
  assert.ok(!facts.isStructure('ann lee', 5, false));
  facts.remove(0);
  facts.remove(2);
  assert.ok(!facts.isStructure('sprint goals', 3, false));
});

test('a region is named by names that are not everywhere, and none of them says what another says', () => {
  const names = ['everywhere', 'ardle bridge', 'ardle bridge opening', 'eilidh stewart', 'dundee'];
  const network = {
    rows: new Float64Array(1000),
    frequency: Uint32Array.of(900, 12, 9, 8, 30),
    nameOf: (entity: number) => names[entity]!,
  } as unknown as Network;
  const chosen = tellingOf(network, [0, 1, 2, 3, 4], 3).map((entity) => names[entity]);
  assert.equal(chosen[0], 'ardle bridge');
  assert.ok(!chosen.includes('ardle bridge opening'));
  assert.ok(chosen.includes('eilidh stewart'));
  assert.equal(tellingOf(network, [3], 3).length, 1);
});
