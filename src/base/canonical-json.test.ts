import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fc } from '../../test/property.ts';
import { CANONICAL_JSON_MAX_DEPTH, canonicalBytes, canonicalJson } from './canonical-json.ts';

const vectors = fileURLToPath(new URL('../../../shared/vectors/jcs/', import.meta.url));

test('the official vectors come out byte for byte', {
  skip: !existsSync(vectors) && `no vectors at ${vectors}`,
}, () => {
  const names = readdirSync(join(vectors, 'input'));
  assert.ok(names.length >= 6);
  for (const name of names) {
    const value: unknown = JSON.parse(readFileSync(join(vectors, 'input', name), 'utf8'));
    assert.equal(canonicalJson(value), readFileSync(join(vectors, 'output', name), 'utf8').trimEnd(), name);
    const hex = readFileSync(join(vectors, 'outhex', name.replace('.json', '.txt')), 'utf8').replace(
      /\s/g,
      '',
    );
    assert.equal(Buffer.from(canonicalBytes(value)).toString('hex'), hex, name);
  }
});

test('numbers are written as in appendix B of RFC 8785', () => {
  const rows: [bits: bigint, text: string][] = [
    [0x0000000000000000n, '0'],
    [0x8000000000000000n, '0'],
    [0x0000000000000001n, '5e-324'],
    [0x8000000000000001n, '-5e-324'],
    [0x7fefffffffffffffn, '1.7976931348623157e+308'],
    [0xffefffffffffffffn, '-1.7976931348623157e+308'],
    [0x4340000000000000n, '9007199254740992'],
    [0xc340000000000000n, '-9007199254740992'],
    [0x4430000000000000n, '295147905179352830000'],
    [0x44b52d02c7e14af5n, '9.999999999999997e+22'],
    [0x44b52d02c7e14af6n, '1e+23'],
    [0x44b52d02c7e14af7n, '1.0000000000000001e+23'],
    [0x444b1ae4d6e2ef4en, '999999999999999700000'],
    [0x444b1ae4d6e2ef4fn, '999999999999999900000'],
    [0x444b1ae4d6e2ef50n, '1e+21'],
    [0x3eb0c6f7a0b5ed8cn, '9.999999999999997e-7'],
    [0x3eb0c6f7a0b5ed8dn, '0.000001'],
    [0x41b3de4355555553n, '333333333.3333332'],
    [0x41b3de4355555554n, '333333333.33333325'],
    [0x41b3de4355555555n, '333333333.3333333'],
    [0x41b3de4355555556n, '333333333.3333334'],
    [0x41b3de4355555557n, '333333333.33333343'],
    [0xbecbf647612f3696n, '-0.0000033333333333333333'],
    [0x43143ff3c1cb0959n, '1424953923781206.2'],
  ];
  const view = new DataView(new ArrayBuffer(8));
  for (const [bits, text] of rows) {
    view.setBigUint64(0, bits);
    assert.equal(canonicalJson(view.getFloat64(0)), text);
  }
});

test('keys are sorted by UTF-16 code units, not by code points', () => {
  // U+1F600 starts with the unit D83D, which is below U+FB33.
  assert.equal(
    canonicalJson({ '\ufb33': 1, '\u{1f600}': 2, '\r': 3, '1': 4 }),
    '{"\\r":3,"1":4,"\u{1f600}":2,"\ufb33":1}',
  );
});

test('what has no canonical form is refused with its place', () => {
  const cases: [unknown, string][] = [
    [Number.NaN, ''],
    [{ a: [1, Number.POSITIVE_INFINITY] }, '/a/1'],
    [{ 'a/b~': '\ud800' }, '/a~1b~0'],
    [{ '\udc00': 1 }, '/\ufffd'],
    [{ a: undefined }, '/a'],
    [new Array(2), '/0'],
    [{ a: 1n }, '/a'],
    [{ a: new Date(0) }, '/a'],
    [new Map(), ''],
    [() => 1, ''],
    [Symbol('s'), ''],
  ];
  for (const [value, param] of cases) {
    assert.throws(() => canonicalJson(value), { code: 'canonical_json_invalid', param });
  }
});

test('depth is bounded, cycles included', () => {
  const nest = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;
  assert.equal(canonicalJson(nest(CANONICAL_JSON_MAX_DEPTH)).length, 2 * CANONICAL_JSON_MAX_DEPTH);
  assert.throws(() => canonicalJson(nest(CANONICAL_JSON_MAX_DEPTH + 1)), { code: 'canonical_json_invalid' });
  assert.throws(() => canonicalJson(nest(5000)), { code: 'canonical_json_invalid' });
  assert.throws(() => canonicalJson([[1]], { maxDepth: 1 }), { code: 'canonical_json_invalid' });
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  assert.throws(() => canonicalJson(cycle), { code: 'canonical_json_invalid' });
});

test('parsing gives the value back, a second pass the same text, and the order of keys counts nothing', () => {
  // -0 has no JSON form of its own: RFC 8785 writes it as 0.
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const reverse = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reverse);
    if (typeof value !== 'object' || value === null) return value;
    const out: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value).reverse()) {
      Object.defineProperty(out, key, { value: reverse(item), enumerable: true });
    }
    return out;
  };
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), value);
      assert.equal(canonicalJson(JSON.parse(text)), text);
      assert.equal(canonicalJson(reverse(value)), text);
    }),
    { numRuns: 500 },
  );
});

test('every double comes back bit for bit, but for the sign of zero', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(JSON.parse(canonicalJson(value)), value === 0 ? 0 : value));
    }),
    { numRuns: 1000 },
  );
});
