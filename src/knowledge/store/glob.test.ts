import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { matchesGlob } from './glob.ts';

/** The same by a regular expression, which may take long. */
function reference(glob: string): RegExp {
  const parts = (glob.endsWith('/') ? `${glob}**` : glob).split('/');
  const source = parts.map((part, i) => {
    const isLast = i === parts.length - 1;
    if (part === '**') return isLast ? '(?:[^/]*/)*[^/]*' : '(?:[^/]*/)*';
    return part.replaceAll('?', '[^/]').replaceAll(/\*+/g, '[^/]*') + (isLast ? '' : '/');
  });
  return new RegExp(`^${source.join('')}$`);
}

test('a pattern of paths fits exactly what its stars stand for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', '*', '**', '?', '/'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, path) => {
      const whole = glob.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1);
      assert.equal(matchesGlob(glob, path), reference(glob).test(whole), `${glob} ${path}`);
    }),
    { numRuns: 2000 },
  );
});

test('no pattern takes longer than pattern times path', () => {
  assert.equal(matchesGlob('*a'.repeat(200), 'a'.repeat(4000)), true);
  assert.equal(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(4000)), false);
  assert.equal(matchesGlob(`${'**/a/'.repeat(100)}b`, 'a/'.repeat(2000)), false);
});
