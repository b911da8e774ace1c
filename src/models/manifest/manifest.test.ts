import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError } from '../../base/index.ts';
import { CATALOGUE } from './catalogue.ts';
import { checkModelId, isModelId, MAX_MANIFEST_BYTES, parseManifest, serialiseManifest } from './manifest.ts';
import { matryoshkaOf } from './matryoshka.ts';

const sample = CATALOGUE[1]!.manifest;

test('every manifest of the catalogue survives being written and read', () => {
  for (const { manifest } of CATALOGUE) {
    assert.deepEqual(parseManifest(serialiseManifest(manifest)), manifest);
  }
});

test('a manifest says to how few numbers vectors may be cut, when the model was trained for it', () => {
  const trained = { ...sample, matryoshka: 64 };
  assert.deepEqual(parseManifest(serialiseManifest(trained)), trained);
  assert.throws(() => parseManifest({ ...sample, matryoshka: 0 }), /matryoshka/);
  const names: [string | null, number | null][] = [
    ['nomic-embed-text-v1.5', 64],
    ['Nomic Embed Text v1', null],
    ['Qwen3 Embedding 0.6B', 32],
    ['Embeddinggemma 300M', 128],
    ['snowflake-arctic-embed-l-v2.0', 256],
    ['all-MiniLM-L6-v2', null],
    [null, null],
  ];
  for (const [name, fewest] of names) assert.equal(matryoshkaOf(name), fewest, String(name));
});

test('a wrong field is named', () => {
  const cases: [object, RegExp][] = [
    [{ sha256: 'ABC' }, /sha256/],
    [{ bytes: -1 }, /bytes/],
    [{ bytes: 1.5 }, /bytes/],
    [{ schema: 2 }, /schema/],
    [{ id: '../x' }, /id/],
    [{ format: 'onnx' }, /format/],
    [{ sources: [{ parts: [] }] }, /sources\.0\.parts/],
    [{ extra: 1 }, /extra/],
  ];
  for (const [change, field] of cases) {
    assert.throws(() => parseManifest({ ...sample, ...change }, 'm.json'), {
      name: 'InputError',
      code: 'manifest_invalid',
      message: field,
    });
  }
});

test('an id that could leave its folder is refused', () => {
  for (const id of ['', '.', '..', 'a..b', 'a/b', 'A', '-a', 'a\\b', 'a\0', 'x'.repeat(97)]) {
    assert.equal(isModelId(id), false, id);
    assert.throws(() => checkModelId(id), { code: 'model_id_invalid' });
  }
  assert.equal(checkModelId('tinyllama-1.1b-chat'), 'tinyllama-1.1b-chat');
});

test('text that is too large is refused before it is parsed', () => {
  assert.throws(() => parseManifest('['.repeat(MAX_MANIFEST_BYTES + 1)), { code: 'manifest_invalid' });
});

test('any damage to a manifest gives the same manifest, another valid one, or a typed error', () => {
  const text = serialiseManifest(sample);
  const edit = fc.record({ at: fc.nat(text.length - 1), cut: fc.nat(20), put: fc.string({ maxLength: 8 }) });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let damaged = text;
      for (const { at, cut, put } of edits) damaged = damaged.slice(0, at) + put + damaged.slice(at + cut);
      try {
        const manifest = parseManifest(damaged);
        assert.deepEqual(parseManifest(serialiseManifest(manifest)), manifest);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('any JSON value is a manifest or a typed error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.throws(() => parseManifest(value), { code: 'manifest_invalid' });
    }),
  );
});
