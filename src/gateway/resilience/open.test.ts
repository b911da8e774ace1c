import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KithError } from '../../base/index.ts';
import { brokenOff } from './open.ts';

test('the reason of a broken answer stands in the sentence, with one full stop', () => {
  const cause = new KithError('upstream_cut', 'http://a broke off its answer (UND_ERR_SOCKET).');
  const { message, logged } = brokenOff('a', 12, cause);
  for (const text of [message, logged]) {
    assert.match(
      text,
      /after 12 characters \(http:\/\/a broke off its answer \(UND_ERR_SOCKET\)\)\. What came/,
    );
    assert.doesNotMatch(text, /\.\)\./);
  }
});
