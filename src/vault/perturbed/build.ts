/**
 * Makes what an Eve is to search by herself: blocks of perturbed vectors, and a table of sealed passages.
 *
 * @module vault/perturbed/build
 */
import { throwIfAborted, toHex } from '../../base/index.ts';
import { blockId } from '../block.ts';
import { type BuildOptions, type SplitSource, TEXT_ROW_BYTES } from '../split/build.ts';
import { createTableWriter } from '../split/rows.ts';
import { blockKey, checkPerturbedDimension, rowBytesOf, rowsOfBlock, writeRow } from './form.ts';
import type { PerturbedBlock, PerturbedIndex } from './index-file.ts';
import { createPerturber } from './sap.ts';

const NAME_BYTES = 16;

/** @throws KithError `perturbed_dimension` */
export async function buildPerturbed(
  { count, dimension, items }: SplitSource,
  { keys, random, put, textRowBytes = TEXT_ROW_BYTES, signal, told }: BuildOptions,
): Promise<PerturbedIndex> {
  checkPerturbedDimension(dimension);
  if (count === 0) return { dimension, blocks: [], texts: null, count };
  const rowKey = keys.key('rows');
  const perturber = createPerturber(keys.key('perturb'), dimension);
  const texts = createTableWriter(
    rowKey,
    { name: toHex(random.bytes(NAME_BYTES)), rowBytes: textRowBytes, heads: count },
    put,
    random,
  );
  const blocks: PerturbedBlock[] = [];
  const most = Math.min(count, rowsOfBlock(dimension));
  const begin = () => {
    const name = toHex(random.bytes(NAME_BYTES));
    return {
      name,
      key: blockKey(rowKey, name),
      bytes: new Uint8Array(most * rowBytesOf(dimension)),
      rows: 0,
    };
  };
  let open = begin();
  const close = async () => {
    const block = open.bytes.subarray(0, open.rows * rowBytesOf(dimension));
    const id = blockId(block);
    await put(id, block);
    blocks.push({ name: open.name, id, count: open.rows });
    open = begin();
  };
  let done = 0;
  for await (const { vector, text } of items()) {
    throwIfAborted(signal);
    if (done === count) throw new RangeError('There are more vectors than was said.');
    writeRow(open.bytes, open.rows++, { vector, perturbed: perturber.perturb(vector) }, open.key, random);
    if (open.rows === most) await close();
    await texts.add(text);
    done += 1;
    told?.(done, count);
  }
  if (open.rows > 0) await close();
  if (done !== count) throw new RangeError('There are fewer vectors than was said.');
  return { dimension, blocks, texts: await texts.finish(), count };
}
