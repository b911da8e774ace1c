import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { disposition, originalId, partOf } from './originals.ts';

test('one range of bytes is understood as RFC 9110 says it, and what is none means the whole', () => {
  assert.deepEqual(partOf('bytes=0-0', 10), { from: 0, to: 1 });
  assert.deepEqual(partOf('bytes=3-', 10), { from: 3, to: 10 });
  assert.deepEqual(partOf('bytes=3-99', 10), { from: 3, to: 10 });
  assert.deepEqual(partOf('bytes=-4', 10), { from: 6, to: 10 });
  assert.deepEqual(partOf('bytes=-40', 10), { from: 0, to: 10 });
  assert.equal(partOf('bytes=10-', 10), 'outside');
  assert.equal(partOf('bytes=-0', 10), 'outside');
  assert.equal(partOf('bytes=0-', 0), 'outside');
  for (const none of [
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-3',
    'bytes=0-1,4-5',
    'lines=0-1',
    'bytes=a-b',
  ])
    assert.equal(partOf(none, 10), null, none);
});

test('no header asks for bytes that a file does not have', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
      ),
      fc.nat(2_000),
      (header, bytes) => {
        const part = partOf(header, bytes);
        if (part === null || part === 'outside') return;
        assert.ok(part.from >= 0 && part.from < part.to && part.to <= bytes);
      },
    ),
  );
});

test('no name of a file breaks out of the header that tells it', () => {
  assert.equal(
    disposition('attachment', 'Brüder "x"\r\nset-cookie: a=b.pdf'),
    `attachment; filename="Br_der _x___set-cookie: a=b.pdf"; filename*=UTF-8''Br%C3%BCder%20%22x%22%0D%0Aset-cookie%3A%20a%3Db.pdf`,
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const told = disposition('inline', name);
      assert.match(told, /^inline; filename="[ !#-[\]-~]*"; filename\*=UTF-8''[\w!#$&+.^`|~%-]*$/);
      assert.equal(decodeURIComponent(told.slice(told.indexOf("''") + 2)), name.toWellFormed());
    }),
  );
});

test('a file is asked for by its SHA-256 and nothing else', () => {
  assert.equal(originalId('0f'.repeat(32)), '0f'.repeat(32));
  for (const other of ['', '../../etc/passwd', 'F'.repeat(64), '0f'.repeat(31)])
    assert.throws(() => originalId(other), { code: 'original_invalid' });
});
