/**
 * The version of this package. It lies here and not behind a room's door, so that `--help` and `version` load no room.
 *
 * @module cli/version
 */
import { readFileSync } from 'node:fs';

/** From package.json, which lies two folders up in the source tree and in the built package alike. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
