/** @module gateway/backends/tool-calls.test */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import type { ChatEvent, FinishReason } from '../types.ts';
import { UpstreamError } from '../upstream/index.ts';
import { type CallPiece, ToolCalls } from './tool-calls.ts';

const piece = (more: Partial<CallPiece>): CallPiece => ({
  index: null,
  id: null,
  name: null,
  args: '',
  ...more,
});

/** What a client puts together from the events: it must hold the promises of `ChatEvent`. */
function collect(pieces: readonly CallPiece[], reason: FinishReason = 'tool_calls') {
  const calls = new ToolCalls(0, createSeededRandom(1), 'mock');
  const events: ChatEvent[] = [...pieces.flatMap((each) => calls.add(each)), ...calls.finish(reason)];
  const list: { id: string; name: string; args: string }[] = [];
  for (const event of events) {
    if (event.type === 'tool_call') {
      assert.equal(event.index, list.length, 'calls begin in order');
      list.push({ id: event.id, name: event.name, args: '' });
    } else if (event.type === 'tool_arguments') {
      assert.equal(event.index, list.length - 1, 'arguments belong to the call that is open');
      list.at(-1)!.args += event.text;
    } else assert.fail(event.type);
  }
  return list;
}

test('pieces of several calls come together by index', () => {
  const list = collect([
    piece({ index: 0, id: 'a', name: 'f' }),
    piece({ index: 0, args: '{"x":' }),
    piece({ index: 0, args: '1}' }),
    piece({ index: 1, id: 'b', name: 'g', args: '{}' }),
  ]);
  assert.deepEqual(list, [
    { id: 'a', name: 'f', args: '{"x":1}' },
    { id: 'b', name: 'g', args: '{}' },
  ]);
});

test('whole calls without index, or all with index 0, are told apart by id or by name', () => {
  for (const index of [null, 0]) {
    const list = collect([
      piece({ index, id: 'a', name: 'f', args: '{"x":1}' }),
      piece({ index, id: 'b', name: 'f', args: '{"x":2}' }),
    ]);
    assert.deepEqual(
      list.map(({ args }) => args),
      ['{"x":1}', '{"x":2}'],
    );
  }
  const nameless = collect([piece({ name: 'f', args: '{"x":1}' }), piece({ name: 'f', args: '{"x":2}' })]);
  assert.equal(nameless.length, 2);
  assert.match(nameless[0]!.id, /^call_[A-Za-z0-9]{24}$/);
  assert.notEqual(nameless[0]!.id, nameless[1]!.id);
});

test('an id or a name that every piece repeats begins no new call', () => {
  const list = collect([
    piece({ index: 0, id: 'a', name: 'f', args: '{"x"' }),
    piece({ index: 0, id: 'a', name: 'f', args: ':1}' }),
  ]);
  assert.deepEqual(list, [{ id: 'a', name: 'f', args: '{"x":1}' }]);
  const unnumbered = collect([piece({ name: 'f', args: '{"x"' }), piece({ name: 'f', args: ':1}' })]);
  assert.equal(unnumbered.length, 1);
  const headed = collect([
    piece({ name: 'f' }),
    piece({ name: 'f', args: '{}' }),
    piece({ name: 'g' }),
    piece({ name: 'h' }),
  ]);
  assert.deepEqual(
    headed.map(({ name }) => name),
    ['f', 'g', 'h'],
  );
});

test('a call without arguments has an empty object', () => {
  assert.equal(collect([piece({ index: 0, id: 'a', name: 'f' })])[0]!.args, '{}');
});

test('arguments that are no object, and a call without a name, are bad answers, unless the answer was cut by length', () => {
  for (const each of [
    piece({ id: 'a', name: 'f', args: '{"x":' }),
    piece({ id: 'a', name: 'f', args: '[1]' }),
    piece({ id: 'a', args: '{}' }),
  ]) {
    assert.throws(
      () => collect([each]),
      (error) => error instanceof UpstreamError && error.failure === 'bad_response',
    );
    assert.doesNotThrow(() => collect([each], 'length'));
  }
});

test('calls written in turns, however their pieces are mixed, come out one after the other and whole', () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(objects, fc.infiniteStream(fc.nat()), (list, numbers) => {
      const next = () => numbers.next().value as number;
      const texts = list.map((each) => JSON.stringify(each));
      const left = texts.map((text, index) => ({ index, text, begun: false }));
      const pieces: CallPiece[] = [];
      // Heads come in order, as they do from every server; after that any call may go on.
      for (let begun = 0; left.some(({ text, begun }) => text !== '' || !begun); ) {
        const open = left.filter((each) => each.begun && each.text !== '');
        const choice = next() % (open.length + 1);
        if (begun < left.length && choice === open.length) {
          const each = left[begun++]!;
          each.begun = true;
          pieces.push(piece({ index: each.index, id: `id${each.index}`, name: 'f' }));
        } else if (open.length > 0) {
          const each = open[choice % open.length]!;
          const size = 1 + (next() % each.text.length);
          pieces.push(piece({ index: each.index, args: each.text.slice(0, size) }));
          each.text = each.text.slice(size);
        }
      }
      assert.deepEqual(
        collect(pieces).map(({ args }) => args),
        texts,
      );
    }),
  );
});
