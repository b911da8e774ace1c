import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageFor } from './language.ts';

test('what the caller says counts before what the browser says, and that before the question', () => {
  const german = { 'accept-language': 'fr;q=0.9, de-CH;q=0.8, en;q=0.7' };
  assert.equal(languageFor('en', german, 'Wie hoch ist die Miete?'), 'en');
  assert.equal(languageFor(undefined, german, 'How high is the rent?'), 'de');
  assert.equal(
    languageFor(undefined, { 'accept-language': 'en-GB,de;q=0.1' }, 'Wie hoch ist die Miete?'),
    'en',
  );
  assert.equal(languageFor(undefined, {}, 'Wie hoch ist die Miete?'), 'de');
  for (const accepted of ['*', 'fr', 'de;q=0', ',,;;', 'x'.repeat(100_000)])
    assert.equal(
      languageFor(undefined, { 'accept-language': accepted }, 'How high is the rent?'),
      'en',
      accepted.slice(0, 9),
    );
});
