/** The client matrix as a whole. Its calls are in the files beside this one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scripted } from './support.ts';

test('other makers’ clients make at least 80 scripted calls', () => {
  assert.ok(Object.values(scripted).reduce((sum, calls) => sum + calls, 0) >= 80);
});
