import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { detect } from './detect.ts';

const SIZE = 1_000_000;
/** Work for each unit of a text, whatever it holds. Ordinary text needs about 20 to 30. */
const BUDGET = 200;

const repeated = (part: string, size = SIZE) => part.repeat(Math.ceil(size / part.length)).slice(0, size);

/** Parts that make naive scanners start again at every place. */
const PARTS = [
  ...['a', 'A', '1', ' ', '@', '.', '-', ':', '/', '\n', '\u200b', '\u0301', '(', '[', '"', '\\', '='],
  ...[
    'a@',
    'a.',
    '@a.a',
    'a@a.',
    'a-',
    'at ',
    'a at a dot ',
    '(at) ',
    '1 ',
    '1-',
    '1.',
    '+1',
    '(1',
    '12 ',
    '1111 ',
  ],
  ...[
    'password ',
    'password:',
    'password: "',
    'pin=',
    'key ',
    'my name is ',
    'my name ',
    'Mr ',
    'Mr. ',
    'Dear ',
    'Anna ',
    'A. ',
  ],
  ...[
    '12 Main ',
    '12 Main Street ',
    'Calle ',
    'rue de la ',
    'Hauptstraße ',
    '12345 Berlin, ',
    'address: ',
    'SW1A ',
    'Box 1',
  ],
  ...[
    '-----BEGIN ',
    '?token=',
    '?token=a;',
    '1_',
    '1|',
    '1\n',
    '1[.]',
    '1.1.1[',
    '\u{e0061}',
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    '://',
    '://a:b',
    'eyJa.',
    'sk-a',
    'bearer ',
  ],
  ...[
    'DE89 ',
    'DE',
    'AB12',
    'X1',
    'A1-',
    'passport ',
    'passport A',
    'plate ',
    'call ',
    'born ',
    'name;',
    'name|\n',
    'name,a\nB,',
  ],
  ...[
    '::',
    'a:',
    '1:',
    'f-',
    '1.1.1.',
    'fe80::',
    'xn--',
    '＠',
    '４',
    '𝐣',
    'é',
    'Thanks\n',
    'Regards,\n\n',
    "O'",
    'von der ',
  ],
];

test('steps grow with the length of a text and no faster, and stay within the budget', () => {
  for (const part of PARTS) {
    const small = detect(repeated(part, 4_000)).steps;
    const large = detect(repeated(part, 16_000)).steps;
    assert.ok(large <= small * 4.6 + 4_000, `${JSON.stringify(part)}: ${small} then ${large}`);
    assert.ok(
      large <= BUDGET * 16_000,
      `${JSON.stringify(part)}: ${(large / 16_000).toFixed(0)} steps per unit`,
    );
  }
});

test('a megabyte of hostile parts mixed is read within the budget, and its spans are bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PARTS), { minLength: 2, maxLength: 6 }), (parts) => {
      const { steps, spans } = detect(repeated(parts.join('')));
      assert.ok(
        steps <= BUDGET * SIZE,
        `${JSON.stringify(parts)}: ${(steps / SIZE).toFixed(0)} steps per unit`,
      );
      // Invisible characters within a value belong to it: 32 for each unit at most.
      for (const { start, end } of spans) assert.ok(end - start <= 16_384 * 33);
    }),
    { numRuns: 2 },
  );
});
