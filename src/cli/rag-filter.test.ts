import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterOf, momentOf, propertyTest } from './rag-filter.ts';

test('tests of properties are read, and other forms refused with those there are', () => {
  assert.deepEqual(propertyTest('author=Ann Lee'), { property: 'author', is: '=', value: 'Ann Lee' });
  assert.deepEqual(propertyTest(' due <= 2025-06 '), { property: 'due', is: '<=', value: '2025-06' });
  assert.deepEqual(propertyTest('status != "a = b"'), { property: 'status', is: '!=', value: 'a = b' });
  assert.deepEqual(propertyTest('reading time>3'), { property: 'reading time', is: '>', value: '3' });
  assert.deepEqual(propertyTest('isbn'), { property: 'isbn', is: 'set' });
  assert.deepEqual(propertyTest('!isbn'), { property: 'isbn', is: 'unset' });
  for (const wrong of ['', '=x', 'a=', 'a==b', 'a=>b', 'a~b', '!', 'a!b', '<3'])
    assert.throws(() => propertyTest(wrong), /--where takes a property/, wrong);
});

test('dates are days, months and years of this machine, or spans back from now', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(momentOf('since', '30d', now), now - 30 * 86_400_000);
  assert.equal(momentOf('since', '2024-05', now), new Date(2024, 4, 1).getTime());
  assert.equal(momentOf('until', '2024-05', now), new Date(2024, 5, 1).getTime() - 1);
  assert.equal(momentOf('until', '2024-12-31', now), new Date(2025, 0, 1).getTime() - 1);
  assert.equal(momentOf('until', '2024', now), new Date(2025, 0, 1).getTime() - 1);
  for (const wrong of ['', 'soon', '2024-13', '2024-02-30', '1969', '24-05-01', '3 days'])
    assert.throws(() => momentOf('since', wrong, now), /--since is a date/, wrong);
});

test('options that are given make a filter, and none makes none', () => {
  assert.equal(filterOf({}), null);
  assert.deepEqual(filterOf({ path: ['a/'], glob: ['*.md'], where: ['n>1'], since: '1d' }, 86_400_001), {
    ...{ paths: ['a/'], globs: ['*.md'], modifiedFrom: 1 },
    where: [{ property: 'n', is: '>', value: '1' }],
  });
});
