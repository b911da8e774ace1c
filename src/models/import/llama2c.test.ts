import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import { bufferSource } from '../gguf/index.ts';
import { planLlama2c, readLlama2cHeader } from './llama2c.ts';
import type { ConversionPlan } from './plan.ts';

const DIM = 8;
const HIDDEN = 12;
const BLOCKS = 2;
const HEADS = 2;
const KV_HEADS = 1;
const CONTEXT = 4;
const KV_DIM = 4;

/** A checkpoint whose float32 values count up from 0. */
function checkpoint(vocab: number, tied: boolean): Uint8Array {
  const values =
    vocab * DIM +
    BLOCKS * (2 * DIM + 2 * DIM * DIM + 2 * KV_DIM * DIM + 3 * DIM * HIDDEN) +
    DIM +
    CONTEXT * (DIM / HEADS) +
    (tied ? 0 : vocab * DIM);
  const header = Int32Array.of(DIM, HIDDEN, BLOCKS, HEADS, KV_HEADS, tied ? vocab : -vocab, CONTEXT);
  const weights = Float32Array.from({ length: values }, (_, i) => i);
  return Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(weights.buffer)]);
}

function tokenizer(count: number): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(9, 0, 0, 0)];
  for (let id = 0; id < count; id++) {
    const text = Buffer.from(id < 259 ? `<${id}>` : ` t${id}`);
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat32(0, -id, true);
    head.setInt32(4, text.length, true);
    parts.push(new Uint8Array(head.buffer), text);
  }
  return Buffer.concat(parts);
}

const options = { quantisation: 'F16' as const, name: 'tiny' };
const value = (plan: ConversionPlan, key: string) => plan.metadata.find(([name]) => name === key)?.[1].value;
async function first(plan: ConversionPlan, name: string): Promise<number> {
  const tensor = plan.tensors.find((one) => one.name === name);
  assert.ok(tensor, name);
  return (await tensor.rows(0, 1))[0] as number;
}

test('checkpoint and tokenizer in one file are told apart by the header', async () => {
  const model = checkpoint(300, true);
  const both = bufferSource(Buffer.concat([model, tokenizer(300)]));
  const plan = await planLlama2c(both, null, options);
  const apart = await planLlama2c(bufferSource(model), bufferSource(tokenizer(300)), options);
  assert.deepEqual(plan.metadata, apart.metadata);
  assert.equal((await readLlama2cHeader(both)).bytes, model.length);
});

test('every tensor lies where the format puts it', async () => {
  const plan = await planLlama2c(bufferSource(checkpoint(300, false)), bufferSource(tokenizer(300)), options);
  let at = 0;
  const expect = async (name: string, index: number, size: number) =>
    assert.equal(await first(plan, name), at + index * size, name);
  assert.equal(await first(plan, 'token_embd.weight'), 0);
  at += 300 * DIM;
  for (const [name, size] of [
    ['attn_norm', DIM],
    ['attn_q', DIM * DIM],
    ['attn_k', DIM * KV_DIM],
    ['attn_v', DIM * KV_DIM],
    ['attn_output', DIM * DIM],
    ['ffn_norm', DIM],
    ['ffn_gate', DIM * HIDDEN],
    ['ffn_down', DIM * HIDDEN],
    ['ffn_up', DIM * HIDDEN],
  ] as const) {
    for (let block = 0; block < BLOCKS; block++) await expect(`blk.${block}.${name}.weight`, block, size);
    at += BLOCKS * size;
  }
  await expect('output_norm.weight', 0, 0);
  at += DIM + CONTEXT * (DIM / HEADS);
  await expect('output.weight', 0, 0);
});

test('a positive vocabulary size means a tied head, so there is no output tensor', async () => {
  const plan = await planLlama2c(bufferSource(checkpoint(300, true)), bufferSource(tokenizer(300)), options);
  assert.equal(
    plan.tensors.some((tensor) => tensor.name === 'output.weight'),
    false,
  );
});

test('tokens get the names, types and spaces of a SentencePiece vocabulary', async () => {
  const plan = await planLlama2c(bufferSource(checkpoint(300, true)), bufferSource(tokenizer(300)), options);
  const tokens = (value(plan, 'tokenizer.ggml.tokens') as unknown as { values: string[] }).values;
  const types = (value(plan, 'tokenizer.ggml.token_type') as unknown as { values: Int32Array }).values;
  assert.deepEqual(tokens.slice(0, 4), ['<unk>', '<s>', '</s>', '<0x00>']);
  assert.deepEqual([tokens[258], tokens[259], tokens.length], ['<0xFF>', '\u2581t259', 300]);
  assert.deepEqual([...types.slice(0, 4), types[258], types[259]], [2, 3, 3, 6, 6, 1]);
});

test('a missing, short or overlong tokenizer is refused', async () => {
  const model = bufferSource(checkpoint(300, true));
  await assert.rejects(planLlama2c(model, null, options), { code: 'llama2c_tokenizer' });
  const whole = tokenizer(300);
  for (const cut of [0, 3, 100, whole.length - 1]) {
    await assert.rejects(planLlama2c(model, bufferSource(whole.subarray(0, cut)), options), {
      code: 'llama2c_tokenizer',
    });
  }
  await assert.rejects(planLlama2c(model, bufferSource(new Uint8Array(4 + 300 * 4104 + 1)), options), {
    code: 'llama2c_tokenizer',
  });
});

test('headers that describe no model, or more than the file holds, are refused', async () => {
  const good = checkpoint(300, true);
  for (let field = 0; field < 7; field++) {
    for (const bad of [0, -1, 2 ** 31 - 1]) {
      if (field === 5 && bad === -1) continue; // A negative vocabulary is a separate head.
      const copy = new Uint8Array(good);
      new DataView(copy.buffer).setInt32(field * 4, bad, true);
      await assert.rejects(readLlama2cHeader(bufferSource(copy)), { code: /^llama2c_(header|short)$/ });
    }
  }
  await assert.rejects(readLlama2cHeader(bufferSource(good.subarray(0, 27))), { code: 'llama2c_short' });
  await assert.rejects(readLlama2cHeader(bufferSource(good.subarray(0, -1))), { code: 'llama2c_short' });
});

test('arbitrary bytes are a typed error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const error = await planLlama2c(bufferSource(bytes), null, options).catch((thrown: unknown) => thrown);
      assert.ok(isKithError(error) && error.code.startsWith('llama2c_'), String(error));
    }),
    { numRuns: 2000 },
  );
});
