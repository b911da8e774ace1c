/**
 * Writes the tensor lists of the catalogue's models to src/models/blocks/pinned/: `node scripts/pin-tensors.ts`. They have
 * to be written anew when a model of the catalogue or its converter changes; a test compares them with the models.
 *
 * @module scripts/pin-tensors
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { listOfFile, type TensorList } from '../src/models/index.ts';
import { type TestModelName, testModel } from '../test/models/index.ts';

const FOLDER = join(import.meta.dirname, '..', 'src', 'models', 'blocks', 'pinned');

export const PINNED_MODELS: Readonly<Record<string, TestModelName>> = {
  'tinyllama-1.1b-chat': 'tinyllama',
  'minimind2-small': 'minimind2-q8_0',
  stories15m: 'stories15m-f16',
};

/** The file's text for a list. */
export function pinnedFile(id: string, { model, bytes, sections }: TensorList): string {
  const rows = sections.map(
    ({ name, offset, bytes: length, sha256 }) =>
      `${name} ${offset} ${length} ${Buffer.from(sha256, 'hex').toString('base64url')}`,
  );
  return `/** Tensors of ${id}. Written by \`scripts/pin-tensors.ts\`. @module models/blocks/pinned/${id} */
export const model = '${model}';
export const bytes = ${bytes};
export const rows = \`
${rows.join('\n')}
\`;
`;
}

if (import.meta.main)
  for (const [id, name] of Object.entries(PINNED_MODELS)) {
    const path = await testModel(name);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    const list = await listOfFile(path, hash.digest('hex'));
    await writeFile(join(FOLDER, `${id}.ts`), pinnedFile(id, list));
  }
