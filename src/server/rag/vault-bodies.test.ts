import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBody } from '../http/schema.ts';
import { changeBody, checkBody, placeBody, placedSearchBody, restoreFromBody } from './vault-bodies.ts';

const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

test('what is wrong with a body is said with the field, its value and what may stand there', () => {
  for (const [schema, body, message] of [
    [placeBody, { eves: ['Ada'] }, /^eves\[0\]: "Ada" is not allowed; allowed: a PeerId such as 12D3KooW/],
    [placeBody, { eves: [] }, /^eves: \[\] is not allowed; allowed: a list of 1 to 64 peers/],
    [placeBody, {}, /^eves: nothing is not allowed; allowed: a list/],
    [
      placeBody,
      { eves: [PEER], mode: 'open' },
      /^mode: "open" is not allowed; allowed: sealed, split, perturbed/,
    ],
    [
      placeBody,
      { eves: [PEER], quotaBytes: 5 },
      /^quotaBytes: 5 is not allowed; allowed: bytes from 33554432 to /,
    ],
    [
      placeBody,
      { eves: [PEER], replicas: 0.5 },
      /^replicas: 0.5 is not allowed; allowed: a whole number from 1 to 8/,
    ],
    [placeBody, { eves: [PEER], days: 99_999 }, /^days: 99999 is not allowed; .* from 1 to 3660/],
    [changeBody, { drop: 'x'.repeat(100) }, /^drop: "x{59}… is not allowed; allowed: a list of at most 64/],
    [checkBody, { questions: 0 }, /^questions: 0 is not allowed; allowed: a whole number from 1 to 1000/],
    [
      placedSearchBody,
      { query: '' },
      /^query: "" is not allowed; allowed: a question, 1 to 20000 characters/,
    ],
    [
      restoreFromBody,
      { source: 'notes', folder: 'rel' },
      /^folder: "rel" is not allowed; allowed: an absolute path/,
    ],
  ] as const)
    assert.throws(() => parseBody(schema, body), { message });
});
