import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import type { Grammar } from '../types.ts';
import { createGrammars } from './cache.ts';
import { parseGrammar } from './grammar.ts';
import { reads } from './testing/bytes.ts';

const NEXT = '(x)';
const free = (until: readonly string[], at?: 'start'): Grammar => ({
  kind: 'text',
  until,
  next: { kind: 'literal', text: NEXT },
  ...(at === undefined ? {} : { at }),
});

/** Read the slow way: the text as far as the first of the texts is complete, then what must follow it. */
function expected(text: string, until: readonly string[], at?: 'start'): 'no' | 'begun' | 'whole' {
  for (let end = 1; end <= text.length; end++) {
    const head = text.slice(0, end);
    const found = until.some((each) => (at === 'start' ? head === each : head.endsWith(each)));
    if (!found) continue;
    const rest = text.slice(end);
    if (rest === NEXT) return 'whole';
    return NEXT.startsWith(rest) ? 'begun' : 'no';
  }
  return 'whole';
}

test('free text goes on until one of the texts is written, whatever else is in it', () => {
  const sign = fc.constantFrom('a', 'b', 'a', 'b', '(', 'x', ')', 'é');
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 5 });
  let ended = 0;
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 3 }),
      fc.array(sign, { maxLength: 14 }).map((signs) => signs.join('')),
      fc.constantFrom(undefined, 'start' as const),
      (until, text, at) => {
        const wanted = expected(text, until, at);
        if (wanted !== 'whole') ended++;
        assert.equal(reads(free(until, at), text), wanted, `${JSON.stringify(text)} until ${until.join()}`);
        assert.equal(reads(free(until, at), `${text}${NEXT}`), expected(`${text}${NEXT}`, until, at));
      },
    ),
    { numRuns: 1500, seed: 1 },
  );
  assert.ok(ended > 100, `${ended}`);
});

test('a part is repeated with what stands between two', () => {
  const list: Grammar = {
    kind: 'repeat',
    part: { kind: 'regex', pattern: '\\d' },
    between: { kind: 'literal', text: ', ' },
  };
  assert.equal(reads(list, '1'), 'whole');
  assert.equal(reads(list, '1, 2, 3'), 'whole');
  assert.equal(reads(list, '1, '), 'begun');
  assert.equal(reads(list, '12'), 'no');
  assert.equal(reads(list, ''), 'begun');
});

const END = 256;
const CALL = 257;
const OTHER = 258;
const special: Readonly<Record<number, string>> = { [CALL]: '<call>', [OTHER]: '<other>' };
const tokenizer = {
  size: 259,
  eog: new Set([END]),
  bytes: (token: number, shown = false): Uint8Array =>
    token < END ? Uint8Array.of(token) : Buffer.from(shown ? (special[token] ?? '') : ''),
};

test('a control token is text where it is shown, and cannot come where it is not', () => {
  const grammars = createGrammars(tokenizer, 259);
  const grammar = free(['<call>']);
  const allowed = (shown: ReadonlySet<number>, before: readonly number[]): number[] => {
    const matcher = grammars.matcher(grammar, shown);
    for (const token of before) matcher.accept(token);
    const logits = new Float32Array(259);
    matcher.mask(logits);
    return [CALL, OTHER, END].filter((token) => logits[token] === 0);
  };
  const shown = new Set([CALL]);
  assert.deepEqual(allowed(shown, []), [CALL, END]);
  assert.deepEqual(allowed(new Set(), []), [END]);
  // Within a call that was begun by the token, and within one that was spelled out.
  assert.deepEqual(allowed(shown, [CALL]), []);
  assert.deepEqual(allowed(shown, [...Buffer.from('ab<call>')]), []);
  const matcher = grammars.matcher(grammar, shown);
  for (const token of [CALL, ...Buffer.from(NEXT)]) matcher.accept(token);
  assert.ok(matcher.ended);
});

test('almost every token may come in free text', () => {
  const matcher = createGrammars(tokenizer, 259).matcher(free(['<call>']));
  const logits = new Float32Array(259);
  for (const byte of Buffer.from('see <cal')) matcher.accept(byte);
  matcher.mask(logits);
  const refused = [...logits.keys()].filter((token) => logits[token] !== 0);
  assert.deepEqual(refused, [CALL, OTHER]);
});

test('what is no such grammar is refused', () => {
  const bad = [
    { kind: 'text', until: 'x', next: { kind: 'literal', text: '' } },
    { kind: 'text', until: [''], next: { kind: 'literal', text: '' } },
    { kind: 'text', until: ['x'] },
    { kind: 'text', until: ['x'], next: { kind: 'literal', text: '' }, at: 'end' },
    { kind: 'repeat', part: { kind: 'literal', text: 'x' } },
  ];
  for (const grammar of bad)
    assert.throws(
      () => parseGrammar(grammar),
      (error) => isKithError(error) && error.code === 'grammar_invalid',
    );
});
