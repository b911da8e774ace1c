/**
 * One list of files for several readers.
 *
 * @module knowledge/ingest/listing
 */
import { oneAtATime } from '../../base/index.ts';
import type { SourceFile } from './types.ts';

/** Files that are listed ahead of the readers. */
const AHEAD = 256;

/** Gives each file to one caller, null at the end. `onListed` hears of each file's path before it is given, many at once. */
export function inTurn(
  files: Iterable<SourceFile> | AsyncIterable<SourceFile>,
  onListed: (paths: readonly string[]) => void,
): () => Promise<SourceFile | null> {
  const source = Symbol.asyncIterator in files ? files[Symbol.asyncIterator]() : files[Symbol.iterator]();
  let ahead: SourceFile[] = [];
  let at = 0;
  let ended = false;
  const oneReader = oneAtATime();
  const take = async (): Promise<SourceFile | null> => {
    if (at >= ahead.length && !ended) {
      ahead = [];
      at = 0;
      while (ahead.length < AHEAD) {
        const step = await source.next();
        if (step.done === true) {
          ended = true;
          break;
        }
        ahead.push(step.value);
      }
      onListed(ahead.map(({ path }) => path));
    }
    return ahead[at++] ?? null;
  };
  return () => oneReader(take);
}
