/**
 * Official test vectors of the formats that Kith speaks. They are not part of the package: `KITH_TEST_VECTORS` names
 * their folder, `../shared/vectors` beside a clone is looked at by itself, and tests that need an absent one are skipped.
 *
 * @module test/vectors
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.KITH_TEST_VECTORS ?? join(import.meta.dirname, '..', '..', 'shared', 'vectors');

export interface Vector {
  /** Bytes of the file. Only where it is not skipped. */
  bytes(): Uint8Array;
  /** The file as JSON. Only where it is not skipped. */
  json<T>(): T;
  /** For a test's options: the reason, where the file is absent. */
  readonly skip: string | false;
}

export function vector(file: string): Vector {
  const path = join(folder, file);
  return {
    bytes: () => readFileSync(path),
    json: <T>() => JSON.parse(readFileSync(path, 'utf8')) as T,
    skip: existsSync(path) ? false : `the vectors ${file} are not on this machine (KITH_TEST_VECTORS)`,
  };
}
