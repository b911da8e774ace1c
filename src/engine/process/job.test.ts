import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { AbortedError, InputError, KithError, LimitError } from '../../base/index.ts';
import type { ForwardPart } from '../runner/types.ts';
import { fitWindow, groupRows } from './embedding.ts';
import { decodeFailure, encodeFailure } from './failure.ts';
import { encodeFrame, type Frame, FrameDecoder, type FrameMeta, type FrameTypeName } from './frames.ts';
import {
  decodeConversation,
  decodeForward,
  decodeGenerate,
  decodeLoad,
  decodeOptions,
  decodeRows,
  encodeForward,
  encodeGenerate,
  encodeLoad,
  encodeRows,
  type GenerateJob,
} from './job.ts';
import { resolveOptions } from './options.ts';
import { childEnvironment } from './spawn.ts';

const over = (type: FrameTypeName, body: { meta?: FrameMeta; payload?: Uint8Array }): Frame =>
  new FrameDecoder('requests').push(Buffer.concat(encodeFrame({ type, id: 1, ...body })))[0]!;

const job: GenerateJob = {
  model: 'm',
  tokens: Int32Array.of(1, 2, 3),
  sampler: { temperature: 0.5, seed: 7, logitBias: [[4, -1.5]], topLogprobs: null },
  maxTokens: null,
  stop: ['\n'],
  grammar: { kind: 'json_schema', schema: { type: 'integer' } },
  shown: ['<tool_call>'],
  overflow: 'slide',
  keepTokens: 2,
  echo: true,
  cachePrompt: false,
  priority: -1,
  timeoutMs: 500,
  promptParam: 'messages',
};

test('requests are the same on the other side', () => {
  assert.deepEqual(decodeGenerate(over('generate', encodeGenerate(job))), job);
  const load = { id: 'a', path: '/x', range: { from: 1, to: 2, embed: false, head: true } };
  assert.deepEqual(decodeLoad(over('load', { meta: encodeLoad(load) }).meta), load);
  const rows = [Int32Array.of(1), Int32Array.of(2, 3)];
  assert.deepEqual(decodeRows(over('embed', encodeRows('m', rows))), { model: 'm', rows });
  const parts: ForwardPart[] = [
    {
      cells: Int32Array.of(4, 5),
      start: 1,
      count: 1,
      tokens: Int32Array.of(9),
      hidden: null,
      outputs: 'last',
    },
    {
      cells: Int32Array.of(6),
      start: 0,
      count: 1,
      tokens: null,
      hidden: Float32Array.of(0.5, -1),
      outputs: 'none',
    },
  ];
  assert.deepEqual(decodeForward(over('forward', encodeForward('m', parts))), { model: 'm', parts });
  const options = { ...resolveOptions({ threads: 2 }), libraryRoots: ['/r'] };
  assert.deepEqual(decodeOptions(over('hello', { meta: { options } }).meta), options);
});

test('any JSON in place of a request is refused with a typed error', () => {
  const decoders: [FrameTypeName, (frame: Frame) => unknown][] = [
    ['generate', decodeGenerate],
    ['load', (frame) => decodeLoad(frame.meta)],
    ['embed', decodeRows],
    ['forward', decodeForward],
    ['prepare', decodeConversation],
    ['hello', (frame) => decodeOptions(frame.meta)],
  ];
  const good: FrameMeta[] = [
    encodeGenerate(job).meta,
    { model: 'm', lengths: [1] },
    { model: 'm', parts: [{ cells: 1, start: 0, count: 1, tokens: 1, hidden: null, outputs: 'all' }] },
    { id: 'a', path: '/x', range: { from: 0, to: 1, embed: true, head: true } },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...decoders),
      fc.constantFrom(...good),
      fc.dictionary(
        fc.constantFrom(
          'model',
          'lengths',
          'parts',
          'sampler',
          'stop',
          'grammar',
          'id',
          'path',
          'range',
          'options',
        ),
        fc.jsonValue(),
      ),
      fc.uint8Array({ maxLength: 16 }),
      ([type, decode], base, changes, bytes) => {
        const meta = { ...base, ...changes };
        const payload = type === 'load' || type === 'hello' ? new Uint8Array(0) : bytes;
        try {
          decode({ type, id: 1, end: true, meta, payload });
        } catch (error) {
          assert.ok(error instanceof KithError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('errors keep their class, code, status and facts', () => {
  const errors = [
    new KithError('a_code', 'what', {
      status: 503,
      retryAfter: 2,
      param: 'p',
      details: { n: 1, s: 'x', z: null },
    }),
    new InputError('bad', 'input', { param: 'stop' }),
    new LimitError('engine.maxQueue', 64, 'full', { retryAfter: 1 }),
    new AbortedError(),
  ];
  for (const error of errors) {
    const back = decodeFailure(JSON.parse(JSON.stringify(encodeFailure(error))));
    assert.equal(back.constructor, error.constructor);
    for (const key of ['code', 'message', 'status', 'param', 'retryAfter', 'details'] as const)
      assert.deepEqual(back[key], error[key]);
  }
  assert.equal(decodeFailure(encodeFailure(new TypeError('oops'))).code, 'engine_internal');
  assert.equal(decodeFailure({}).code, 'engine_internal');
});

test('inputs are cut to the window with their last special token kept, or refused by name', () => {
  const row = Int32Array.of(101, 1, 2, 3, 4, 102);
  const fit = (truncate: boolean, tail: number | null) => [
    ...fitWindow(row, 3, { context: 4, truncate, tail }),
  ];
  assert.deepEqual(fit(true, 102), [101, 1, 2, 102]);
  assert.deepEqual(fit(true, null), [101, 1, 2, 3]);
  assert.throws(() => fit(false, 102), /Input 3 has 6 tokens.*at most 4/);
  assert.throws(
    () => fitWindow(new Int32Array(0), 0, { context: 4, truncate: true, tail: null }),
    /Input 0 has no tokens/,
  );
});

test('groups keep the order and stay within their bounds', () => {
  const rows = Array.from({ length: 600 }, (_, i) => new Int32Array(i % 300 === 0 ? 20_000 : 40));
  const groups = groupRows(rows);
  assert.deepEqual(groups.flat(), rows);
  for (const group of groups) {
    const tokens = group.reduce((sum, row) => sum + row.length, 0);
    assert.ok(
      group.length <= 256 && (tokens <= 16_384 || group.length === 1),
      `${group.length} rows, ${tokens} tokens`,
    );
  }
});

test('the engine process gets no secrets and no debugger flags', () => {
  const env = childEnvironment({
    PATH: '/bin',
    HF_TOKEN: 'x',
    OPENAI_API_KEY: 'y',
    NODE_OPTIONS: '--inspect',
    CUDA_VISIBLE_DEVICES: '0',
  });
  // Where this process keeps compiled code its children do, too.
  const { NODE_COMPILE_CACHE: _, ...rest } = env;
  assert.deepEqual(rest, { PATH: '/bin', CUDA_VISIBLE_DEVICES: '0', UV_THREADPOOL_SIZE: '8' });
});
