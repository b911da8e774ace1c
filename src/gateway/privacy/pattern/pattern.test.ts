import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { TextView } from '../view.ts';
import { createPatternDetector, type PatternSource } from './index.ts';

function matches(pattern: string, text: string, more: Partial<PatternSource> = {}): string[] {
  const view = new TextView(text);
  const spans = createPatternDetector({ name: 'own', pattern, ...more }).detect(view);
  return spans.map(({ start, end }) => view.text.slice(start, end));
}

test('an owner’s pattern finds what it says', () => {
  assert.deepEqual(matches('\\bKD-\\d{6}\\b', 'KD-123456, KD-1234567, xKD-123456; KD-654321'), [
    'KD-123456',
    'KD-654321',
  ]);
  assert.deepEqual(
    matches('project (?:falcon|heron)s?', 'Project Herons and project falcon', { ignoreCase: true }),
    ['Project Herons', 'project falcon'],
  );
  assert.deepEqual(matches('^id: .+$', 'id: 7\nno id: 8\nid: nine'), ['id: 7', 'id: nine']);
  assert.deepEqual(matches('[A-F\\d]{2}(:[A-F\\d]{2}){2,3}', 'AA:BB:0C, AA:BB, 01:02:03:04'), [
    'AA:BB:0C',
    '01:02:03:04',
  ]);
  assert.deepEqual(matches('\\p{Lu}-\\u0041?\\x42', 'Ä-AB Ö-B'), ['Ä-AB', 'Ö-B']);
  assert.deepEqual(matches('a*', 'baab'), ['aa']);
});

test('what could take more than linear time, or is no pattern, is refused with its place', () => {
  for (const pattern of [
    ...[
      '(a)\\1',
      '(?=a)b',
      '(?<!a)b',
      '(?<n>a)\\k<n>',
      'a{201}',
      '(a{100}){100}',
      'a**',
      'a+{2}',
      '*a',
      '[a',
      '(a',
      'a)',
    ],
    ...['', 'x'.repeat(501), 'a{3,2}', '\\b+', '('.repeat(40) + ')'.repeat(40), '\\u12', '[z-a]'],
  ])
    assert.throws(
      () => createPatternDetector({ name: 'own', pattern }),
      { code: 'pattern_invalid', status: 400 },
      pattern,
    );
  assert.throws(() => createPatternDetector({ name: 'a b', pattern: 'x' }), { code: 'pattern_invalid' });
});

test('patterns that drive backtracking out of bounds take work in proportion to the text', () => {
  for (const pattern of ['(a+)+b', '(a|a)*b', '(a*)*c', '(.*,){12}P', 'a{0,60}a{60}b', '(x+x+)+y']) {
    const detector = createPatternDetector({ name: 'own', pattern });
    const work = (size: number) => {
      const view = new TextView('aax,'.repeat(size / 4));
      const before = view.steps;
      detector.detect(view);
      return view.steps - before;
    };
    const small = work(2_000);
    assert.ok(work(8_000) <= small * 4.5 + 1_000, pattern);
    assert.ok(small <= 2_000 * 1_000, `${pattern}: ${small}`);
  }
});

const letter = fc.constantFrom('a', 'b', 'c', '[ab]', '.', '\\w', '(?:ab)');
const atom = fc.tuple(letter, fc.constantFrom('', '', '?', '*', '+', '{2}', '{1,3}')).map(([a, b]) => a + b);
const sequence = fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => atoms.join(''));
const pattern = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((options) => options.join('|'));

test('every unit that a match of the language’s own engine covers is covered', () => {
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 14 }),
      (source, text) => {
        const spans = createPatternDetector({ name: 'own', pattern: source }).detect(new TextView(text));
        const covered = (at: number) => spans.some(({ start, end }) => start <= at && at < end);
        const whole = new RegExp(`^(?:${source})$`, 'u');
        const wanted = new Set<number>();
        for (let start = 0; start < text.length; start++)
          for (let end = start + 1; end <= text.length; end++)
            if (whole.test(text.slice(start, end))) for (let at = start; at < end; at++) wanted.add(at);
        for (let at = 0; at < text.length; at++)
          assert.equal(covered(at), wanted.has(at), `${source} on ${JSON.stringify(text)} at ${at}`);
      },
    ),
    { numRuns: 500 },
  );
});
