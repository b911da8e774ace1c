import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testModel } from '../../../test/models/index.ts';
import { describeModel, fileSource, listOfFile, readGguf } from '../../models/index.ts';
import { roughShape, shapeOfHeader, shapeOfList } from './shape.ts';

test('header, list and manifest tell the same model, each with what it knows', async () => {
  const path = await testModel('stories15m-q8_0');
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  const { blocks, embedding } = describeModel(gguf);
  const exact = shapeOfHeader(gguf, blocks, 'f16')!;
  const inBlocks = [...gguf.tensors.values()].filter(({ name }) => name.startsWith('blk.'));
  assert.equal(exact.blockBytes.length, 6);
  assert.equal(
    exact.blockBytes.reduce((sum, bytes) => sum + bytes, 0),
    inBlocks.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  // 6 heads of 48 values, keys and values, 2 bytes each.
  assert.equal(exact.kvBytesPerCell, 2 * 288 * 2);
  assert.equal(shapeOfHeader(gguf, blocks, 'f32')!.kvBytesPerCell, 2 * 288 * 4);
  const manifest = { blocks, embedding, bytes: source.size } as never;
  const list = await listOfFile(path, 'ab'.repeat(32));
  assert.deepEqual(shapeOfList(list, manifest, 'f16'), exact);
  const rough = roughShape(manifest, 'f16');
  assert.ok(rough.blockBytes.every((bytes, block) => bytes >= exact.blockBytes[block]!));
});
