/**
 * The YAML library, loaded when the first document is read: the engine's processes and most commands read none, and
 * it takes a sixth of the time that the base room takes to load.
 *
 * @module base/yaml
 */
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

let loaded: typeof Yaml | null = null;

export function yaml(): typeof Yaml {
  loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml;
  return loaded;
}
