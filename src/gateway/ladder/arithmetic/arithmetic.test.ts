import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { readLocale } from '../locale.ts';
import { calculate, createArithmetic, MAX_QUESTION } from './index.ts';

const answer = (question: string, locale: string | null = null) => calculate(question, readLocale(locale));
/** What stands after the last `=` or `≈`. */
const resultOf = (text: string | null) => text?.split(/ [=≈] /).at(-1) ?? null;

test('calculations in words of seven languages are understood', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['what is 12.5% of 480?', '12.5% × 480 = 60'],
    ['What is the square root of 144?', '√144 = 12'],
    ['How much is 3 times 17, please?', '3 × 17 = 51'],
    ['calculate 7 to the power of 3', '7^3 = 343'],
    ['what is twenty plus three', '20 + 3 = 23'],
    ['what is the factorial of 5', '5! = 120'],
    ['wie viel ist 3 mal 17', '3 × 17 = 51'],
    ['Wie viel sind 12,5 % von 480?', '12,5% × 480 = 60'],
    ['Was ist die Wurzel aus 2,25?', '√2,25 = 1,5'],
    ['Bitte berechne 100 geteilt durch 8', '100 ÷ 8 = 12,5'],
    ['combien font 7 fois 8 ?', '7 × 8 = 56'],
    ['Combien font 12 000 + 5 ?', '12000 + 5 = 12005'],
    ['calcule 15 pour cent de 200', '15% × 200 = 30'],
    ['¿Cuánto es el 15 por ciento de 200?', '15% × 200 = 30'],
    ['¿Cuánto es 9 dividido entre 4?', '9 ÷ 4 = 2,25'],
    ['Quanto fa 7 per 8?', '7 × 8 = 56'],
    ['Quanto é 7 vezes 8?', '7 × 8 = 56'],
    ['hoeveel is 7 keer 8?', '7 × 8 = 56'],
  ];
  for (const [question, expected] of cases) assert.equal(answer(question), expected, question);
});

test('calculations in signs are exact, and show how they were read', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['2+2', '2 + 2 = 4'],
    ['0.1 + 0.2', '0.1 + 0.2 = 0.3'],
    ['2 + 3 * 4', '2 + 3 × 4 = 14'],
    ['(2 + 3) * 4', '(2 + 3) × 4 = 20'],
    ['10 - 4 - 3', '10 - 4 - 3 = 3'],
    ['10 - (4 - 3)', '10 - (4 - 3) = 9'],
    ['2^3^2', '2^(3^2) = 512'],
    ['2 ** 10 =', '2^10 = 1024'],
    ['2^-2', '2^(-2) = 0.25'],
    ['17 % 5', '17 mod 5 = 2'],
    ['50% * 3', '50% × 3 = 1.5'],
    ['10! / 8!', '10! ÷ 8! = 90'],
    ['5² + √16', '5^2 + √16 = 29'],
    ['3 x 4', '3 × 4 = 12'],
    ['9/11 =', '9 ÷ 11 = 9/11 ≈ 0.818181818182 (12 significant digits)'],
    ['2^100', '2^100 = 1267650600228229401496703205376'],
    ['1e-3 * 5', '0.001 × 5 = 0.005'],
    [
      '1/1e30 / 3',
      '1 ÷ 1000000000000000000000000000000 ÷ 3 = 1/3000000000000000000000000000000 ≈ 3.33333333333 × 10^-31 (12 significant digits)',
    ],
  ];
  for (const [question, expected] of cases) assert.equal(answer(question, 'en'), expected, question);
});

test('what is not understood whole, has two readings or no value is left unanswered', () => {
  const questions = [
    '',
    'hello',
    '42',
    'what is 1984?',
    '-5',
    '50%',
    'what is 9/11?',
    "what's 24/7",
    '50/50',
    '555-1234',
    '2024-01-15',
    '1-800-273-8255',
    'what is 1920x1080?',
    '10:30',
    '192.168.0.1 + 1',
    '1.2.3 + 4',
    '007 + 1',
    'what is 7 of 9',
    'twenty-one plus 3',
    'combien font vingt-deux plus 3',
    'two hundred plus 3',
    'square root of 16 plus 9',
    '200 + 10%',
    '-2^2',
    '7 mod 3 * 2',
    '5!!',
    'what is 3!',
    '6/2(1+2)',
    '2 3',
    '1 + 1 is 2?',
    '2 +',
    '(2 + 3',
    '2 + 3)',
    '1/0',
    '0^0',
    '2^0.5',
    '√(0 - 4)',
    '√2 + 1',
    '9^9^9^9',
    '1e301 * 2',
    '100000!',
    'what is 5 plus 5 in Roman numerals?',
    'import os; 2+2',
    'constructor + 1',
    '__proto__ + 1',
    'x + 1',
    '3 ------ 4',
    `${'1 + '.repeat(150)}1`,
    `${'('.repeat(120)}1 + 1${')'.repeat(120)}`,
    `${'9'.repeat(120)} + 1`,
  ];
  for (const question of questions) assert.equal(answer(question, 'en'), null, question);
});

test('a mark that could be of decimals or of thousands is read by the language, then by the locale, else not at all', () => {
  assert.equal(answer('1,234 * 2'), null);
  assert.equal(answer('1,234 * 2', 'en'), '1234 × 2 = 2468');
  assert.equal(answer('1,234 * 2', 'de'), '1,234 × 2 = 2,468');
  assert.equal(answer('1.234 * 2', 'fr'), null);
  assert.equal(answer('what is 1,234 * 2', 'en-GB'), '1234 × 2 = 2468');
  assert.equal(answer('Wie viel ist 1.500 mal 2?', 'en-US'), '1500 × 2 = 3000');
  assert.equal(answer('cuánto es 1,500 por 2', 'es-MX'), '1500 × 2 = 3000');
  assert.equal(answer('cuánto es 1,500 por 2', 'es-ES'), '1,5 × 2 = 3');
  assert.equal(answer("1'234.5 + 1", 'de-CH'), '1234.5 + 1 = 1235.5');
  assert.equal(answer('1.234.567,89 + 1', 'de'), '1234567,89 + 1 = 1234568,89');
});

/** An expression as text of signs, which JavaScript reads too, and the same over bigints. */
const whole: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.bigInt({ min: 0n, max: 99_999n }).map(String),
    fc
      .tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node'))
      .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node'))
      .map(([a, sign, b]) => `${a} ${sign} (${b})`),
    fc.tuple(tie('node'), fc.integer({ min: 0, max: 3 })).map(([a, n]) => `(${a}) ** ${n}`),
    tie('node').map((a) => `(-(${a}))`),
  ),
})).node;

test('whole numbers come out as JavaScript has them over bigints', () => {
  let answered = 0;
  fc.assert(
    fc.property(whole, (text) => {
      const question = `${text} =`;
      const got = answer(question, 'en');
      if (got === null) return;
      const expected = new Function(`return ${text.replace(/\d+/g, '$&n')}`)() as bigint;
      assert.equal(resultOf(got), String(expected), text);
      answered++;
    }),
    { numRuns: 400 },
  );
  // What is refused: too long, a lone number, 0 to the power of 0, a sign before a power.
  assert.ok(answered > 150, `${answered} of 400 were answered`);
});

type Pair = readonly [bigint, bigint];
type Fraction = { readonly text: string; readonly value: Pair | null };

/** Fractions that are never reduced: another way to the same value. */
const fractions: fc.Arbitrary<Fraction> = fc.letrec<{ node: Fraction }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(fc.nat(9999), fc.integer({ min: 0, max: 3 })).map(([n, decimals]): Fraction => {
      const digits = String(n).padStart(decimals + 1, '0');
      const at = digits.length - decimals;
      return {
        text: decimals === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`,
        value: [BigInt(n), 10n ** BigInt(decimals)],
      };
    }),
    fc.tuple(tie('node'), fc.constantFrom('+', '-', '*', '/'), tie('node')).map(
      ([a, sign, b]): Fraction => ({
        text: `(${a.text} ${sign} ${b.text})`,
        value: both(a.value, sign, b.value),
      }),
    ),
    tie('node').map(
      ({ text, value }): Fraction => ({
        text: `(${text} * 25%)`,
        value: value && [value[0] * 25n, value[1] * 100n],
      }),
    ),
  ),
})).node;

function both(a: Pair | null, sign: string, b: Pair | null): Pair | null {
  if (a === null || b === null || (sign === '/' && b[0] === 0n)) return null;
  if (sign === '*') return [a[0] * b[0], a[1] * b[1]];
  if (sign === '/') return [a[0] * b[1], a[1] * b[0]];
  return [sign === '+' ? a[0] * b[1] + b[0] * a[1] : a[0] * b[1] - b[0] * a[1], a[1] * b[1]];
}

test('fractions are exact where they are said to be, and right to twelve digits where not', () => {
  let exact = 0;
  let about = 0;
  fc.assert(
    fc.property(fractions, ({ text, value }) => {
      const got = answer(text, 'en');
      if (got === null) return;
      assert.notEqual(value, null, text);
      const [n, d] = value!;
      const written = /≈ (-?[\d.]+)(?: × 10\^(-?\d+))? \(12/.exec(got);
      const shown = got.split(' = ')[1]?.split(' ')[0] ?? '';
      if (written === null) {
        const [a = '', b = ''] = shown.split('.');
        assert.equal(BigInt(a + b) * d, n * 10n ** BigInt(b.length), `${text} -> ${got}`);
        exact++;
      } else {
        if (shown.includes('/')) {
          const [p = '', q = ''] = shown.split('/');
          assert.equal(BigInt(p) * d, n * BigInt(q), `${text} -> ${got}`);
        }
        const [a = '', b = ''] = written[1]!.split('.');
        assert.equal((a + b).replace(/^-?0*/, '').length, 12, got);
        // |written - n/d| <= half a unit of its last digit, multiplied out.
        const shift = BigInt(b.length - Number(written[2] ?? 0));
        const up = shift >= 0n ? 10n ** shift : 1n;
        const down = shift >= 0n ? 1n : 10n ** -shift;
        const off = BigInt(a + b) * down * d - n * up;
        const size = (x: bigint) => (x < 0n ? -x : x);
        assert.ok(2n * size(off) <= size(d) * down, `${text} -> ${got}`);
        about++;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(exact > 50 && about > 50, `${exact} exact, ${about} to twelve digits`);
});

test('roots are exact, or right to twelve digits', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      fc.integer({ min: 0, max: 12 }),
      (root, decimals) => {
        const square = `${root * root}e-${2 * decimals}`;
        const got = resultOf(answer(`√${square}`, 'en')) ?? '';
        const [a = '', b = ''] = got.split('.');
        assert.equal(BigInt(a + b) * 10n ** BigInt(decimals - b.length), root, square);
      },
    ),
  );
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1_000_000 }), (n) => {
      const got = answer(`√${n}`, 'en') ?? '';
      if (got.includes('=')) return;
      const digits = /≈ (\S+) /.exec(got)![1]!;
      const [a = '', b = ''] = digits.split('.');
      // (2m - 1)² <= 4n × 100^k <= (2m + 1)²: m is the nearest whole number.
      const m = BigInt(a + b);
      const scaled = 4n * BigInt(n) * 100n ** BigInt(b.length);
      assert.ok((2n * m - 1n) ** 2n <= scaled && scaled <= (2n * m + 1n) ** 2n, got);
    }),
  );
});

test('no text makes it fail, hang or answer at length', () => {
  const pieces = fc.constantFrom(
    ...'0 1 9 12 3.5 1,000 1e9 1e300 ( ) + - * / ^ ** % ! ² √ = ? x mod of plus mal hoch fois por wurzel aus sqrt what is wie viel ist \u0000 \u202e 𝟛 ９ é ß'.split(
      ' ',
    ),
    ' ',
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 80 }).map((parts) => parts.join('')),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(' ')),
    fc.string({ unit: 'binary', maxLength: MAX_QUESTION }),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(null, 'en', 'de-CH', 'fr', 'xx', '\u0000'), (text, locale) => {
      const got = answer(text, locale);
      if (got !== null) assert.ok(got.length < 2600 && / [=≈] /.test(got), got);
    }),
    { numRuns: 2000 },
  );
  assert.equal(answer('9'.repeat(100_000)), null);
});

test('the adapter answers on this machine', async () => {
  const adapter = createArithmetic();
  assert.deepEqual(adapter.destination, { kind: 'this_machine' });
  const options = { locale: 'de', signal: new AbortController().signal };
  assert.deepEqual(await adapter.search('wie viel ist 3 mal 17', options), {
    text: '3 × 17 = 51',
    sources: [],
  });
  assert.equal(await adapter.search('wie geht es dir', options), null);
});
