import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type CallParserOptions, createCallParser, type Piece } from './call-parser.ts';
import { formatOf } from './formats.ts';

/** Pieces of one kind in a row joined. */
function joined(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (last === undefined || piece.type === 'call' || last.type !== piece.type) out.push(piece);
    else out[out.length - 1] = { type: piece.type, text: (last as { text: string }).text + piece.text };
  }
  return out;
}

function parse(options: CallParserOptions, parts: readonly string[]): Piece[] {
  const parser = createCallParser(options);
  const pieces = [...parts.flatMap((part) => parser.push(part)), ...parser.finish()];
  for (const piece of pieces) if (piece.type !== 'call') assert.notEqual(piece.text, '');
  return joined(pieces);
}

const options = (style: 'hermes' | 'mistral' | 'llama3', anchored = false): CallParserOptions => {
  const { openings, atStart, argumentsKey } = formatOf(style);
  return { openings, atStart: atStart || anchored, argumentsKey };
};

interface Call {
  readonly name: string;
  readonly text: string;
}

const callOf: fc.Arbitrary<Call> = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/),
  text: fc
    .dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.constantFrom('}', '"', '<tool_call>', '\\')))
    .map((value) => JSON.stringify(value).replaceAll('":', '": ')),
});
const body = ({ name, text }: Call, key = 'arguments') => `{"name": "${name}", "${key}": ${text}}`;

const writers = {
  hermes: (calls: readonly Call[]) =>
    calls.map((each) => `<tool_call>\n${body(each)}\n</tool_call>`).join('\n'),
  mistral: (calls: readonly Call[]) => `[TOOL_CALLS] [${calls.map((each) => body(each)).join(', ')}]`,
  llama3: ([call]: readonly Call[]) => body(call!, 'parameters'),
};

function split(text: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map((each) => each % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((place, index) => text.slice(place, places[index] ?? text.length));
}

test('however an answer is split, its text and calls are the same', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('hermes', 'mistral', 'llama3'),
      fc.string({
        unit: fc.constantFrom('<', 'tool', '_call', '[', 'TOOL_CALL', '{', ' ', 'é', '😀', '"name"'),
      }),
      fc.array(callOf, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      (style, written, several, at) => {
        const { openings } = formatOf(style);
        const text = style === 'llama3' ? '' : written;
        const calls = style === 'llama3' ? several.slice(0, 1) : several;
        fc.pre(!openings.some((opening) => `${text}${opening.slice(0, -1)}`.includes(opening)));
        const parts = split(text + writers[style](calls), at);
        const pieces = parse(options(style), parts);
        const expected: Piece[] = text === '' ? [] : [{ type: 'text', text }];
        for (const each of calls)
          expected.push({ type: 'call', name: each.name }, { type: 'arguments', text: each.text });
        assert.deepEqual(pieces, expected);
      },
    ),
    { numRuns: 1500 },
  );
});

test('an answer without calls comes out as it is, also when it ends like the beginning of one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('hermes', 'mistral', 'llama3'),
      fc.string({ unit: fc.constantFrom('<', 'tool_call', '[TOOL_CALLS', '{"name', '"', ': ', 'x') }),
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 20 }),
      (style, text, anchored, at) => {
        const chosen = options(style, anchored);
        const opens = (opening: string) =>
          chosen.atStart ? text.startsWith(opening) : text.includes(opening);
        fc.pre(text !== '' && !chosen.openings.some(opens));
        assert.deepEqual(parse(chosen, split(text, at)), [{ type: 'text', text }]);
      },
    ),
  );
});

test('text is held back only as long as it may begin a call', () => {
  const parser = createCallParser(options('hermes'));
  assert.deepEqual(parser.push('a <too'), [{ type: 'text', text: 'a ' }]);
  assert.deepEqual(parser.push('ls> b'), [{ type: 'text', text: '<tools> b' }]);
  assert.deepEqual(parser.push('<tool_call>{"name": "f'), []);
  assert.deepEqual(parser.push('", "arg'), [{ type: 'call', name: 'f' }]);
  assert.deepEqual(parser.push('uments": {"a":'), [{ type: 'arguments', text: '{"a":' }]);
  assert.deepEqual(parser.push('1}}'), [{ type: 'arguments', text: '1}' }]);
  assert.deepEqual(parser.push('</tool_call>'), []);
  assert.deepEqual([parser.calls, parser.whole], [1, true]);
});

test('an answer that is cut within a call is not whole', () => {
  const parser = createCallParser(options('hermes'));
  parser.push('<tool_call>{"name": "f", "arguments": {"a": "}');
  assert.deepEqual([parser.calls, parser.whole], [1, false]);
  assert.deepEqual(parser.finish(), []);
});

test('calls that can only begin an answer do not begin within it', () => {
  const text = '{"answer": "<tool_call>{}"}';
  assert.deepEqual(parse(options('hermes', true), [text]), [{ type: 'text', text }]);
  assert.deepEqual(
    parse(options('llama3'), [`So: ${writers.llama3([{ name: 'f', text: '{}' }])}`]).length,
    1,
  );
});
