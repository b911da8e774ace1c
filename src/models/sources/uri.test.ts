import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError } from '../../base/index.ts';
import { createSourceRegistry } from './source.ts';
import { baseName, parseFileUri, parseHubUri, parseNpmUri, parseWebUri, splitUri } from './uri.ts';

const invalid = { name: 'InputError', code: 'source_uri_invalid' };

test('npm URIs name a package, an exact version and a path', () => {
  assert.deepEqual(parseNpmUri('npm:@lat.md/embed@0.1.0/model/a.json'), {
    name: '@lat.md/embed',
    version: '0.1.0',
    path: 'model/a.json',
  });
  assert.deepEqual(parseNpmUri('npm:pkg@1.0.0-rc.1/'), { name: 'pkg', version: '1.0.0-rc.1', path: '' });
  for (const uri of [
    'npm:pkg/file',
    'npm:pkg@^1.0.0/file',
    'npm:pkg@latest/file',
    'npm:pkg@1.0.0/../x',
    'npm:pkg@1.0.0/a//b',
    'npm:pkg@1.0.0/a\\b',
    'npm:../pkg@1.0.0/a',
    'npm:@a/../b@1.0.0/a',
    'npm:.hidden@1.0.0/a',
  ]) {
    assert.throws(() => parseNpmUri(uri), invalid, uri);
  }
});

test('hub URIs default to the main branch and keep slashes in revisions', () => {
  assert.deepEqual(parseHubUri('hf:o/r/dir/m.gguf'), {
    owner: 'o',
    repo: 'r',
    path: 'dir/m.gguf',
    revision: 'main',
  });
  assert.equal(parseHubUri('hf:o/r/m.gguf@refs/pr/1').revision, 'refs/pr/1');
  assert.equal(parseHubUri('hf:o/r').path, '');
  for (const uri of ['hf:o', 'hf:o/../m', 'hf:o/r/../x', 'hf:o/r/m@', 'hf:o/r/m@a..b', 'hf:o/r//m']) {
    assert.throws(() => parseHubUri(uri), invalid, uri);
  }
});

test('web URIs with credentials are refused and the message does not repeat them', () => {
  assert.throws(
    () => parseWebUri('https://user:secret@host/m.gguf'),
    (error: Error) => error instanceof InputError && !error.message.includes('secret'),
  );
});

test('file URIs are taken literally after one slash and decoded after three', () => {
  assert.equal(parseFileUri('file:/a b%20c'), '/a b%20c');
  assert.equal(parseFileUri('file:///a%20b'), '/a b');
  assert.throws(() => parseFileUri('file:relative'), invalid);
  assert.throws(() => parseFileUri('file://host/share'), invalid);
});

test('an unknown scheme is refused with the schemes that are supported', () => {
  const source = { schemes: ['hf'], capabilities: { local: false, resumable: true, list: false } };
  const registry = createSourceRegistry([
    { ...source, check: () => {}, isLocal: async () => false, resolve: async () => assert.fail() },
  ]);
  assert.throws(() => registry.for('ipfs:Qm'), { code: 'source_unsupported', message: /"ipfs:".*hf:/ });
  registry.add({
    ...source,
    schemes: ['ipfs'],
    check: () => {},
    isLocal: async () => false,
    resolve: async () => assert.fail(),
  });
  assert.ok(registry.for('ipfs:Qm'));
});

test('any text is a URI or a typed error, and its base name is a plain file name', () => {
  const scheme = fc.constantFrom('npm:', 'hf:', 'https:', 'http:', 'file:', 'x:', '');
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '@',
      '..',
      '1.0.0',
      '%2e%2e',
      '\\',
      '%',
      'a',
      'pkg@1.0.0/',
      'o/r/',
      ':',
      '?',
      '#',
      '\0',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  fc.assert(
    fc.property(scheme, fc.array(piece, { maxLength: 12 }), (prefix, pieces) => {
      const uri = prefix + pieces.join('');
      for (const parse of [splitUri, parseNpmUri, parseHubUri, parseWebUri, parseFileUri, baseName]) {
        try {
          const result = parse(uri);
          if (parse === baseName) assert.match(result as string, /^(?!\.\.?$)[A-Za-z0-9._ -]{1,128}$/);
        } catch (error) {
          assert.ok(error instanceof InputError, `${uri}: ${error}`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
