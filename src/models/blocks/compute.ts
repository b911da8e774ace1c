/** Makes the tensor list of a whole GGUF file. @module models/blocks/compute */
import { digestRegions, type RegionsOptions } from '../disk/regions.ts';
import { fileSource, readGguf } from '../gguf/index.ts';
import { corruptWhile } from './errors.ts';
import { HEADER, type TensorList, tensorList } from './list.ts';

/** @param model sha256 that the file at `path` is known to have */
export async function listOfFile(
  path: string,
  model: string,
  options: RegionsOptions = {},
): Promise<TensorList> {
  await using source = await fileSource(path);
  const { signal } = options;
  const gguf = await readGguf(source, signal === undefined ? {} : { signal });
  const places = [
    { name: HEADER, offset: 0, bytes: gguf.dataOffset },
    ...[...gguf.tensors.values()]
      .map(({ name, offset, bytes }) => ({ name, offset, bytes }))
      .sort((a, b) => a.offset - b.offset),
  ];
  const digests = await digestRegions(path, places, options);
  return tensorList(
    model,
    gguf.fileBytes,
    places.map((place, i) => {
      const sha256 = digests[i];
      if (sha256 === null || sha256 === undefined) throw corruptWhile(path, place.name);
      return { ...place, sha256 };
    }),
  );
}
