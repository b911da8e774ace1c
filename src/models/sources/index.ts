/** The sources that come with Kith, wired from settings. @module models/sources */

import type { Clock, Random, requireDiskSpace } from '../../base/index.ts';
import { createFileSource } from './file.ts';
import { createHttpClient } from './http.ts';
import { createHubSource } from './hub.ts';
import { createNpmSource } from './npm.ts';
import { createSourceRegistry, type SourceRegistry } from './source.ts';
import { createWebSource } from './web.ts';

export interface SourceSettings {
  /** npm registry. @default `npm_config_registry`, else https://registry.npmjs.org */
  readonly registry?: string | null | undefined;
  /** Hub for `hf:` URIs. @default https://huggingface.co */
  readonly hubUrl?: string | undefined;
  /** Folders from which installed packages are looked for. @default where this code lies */
  readonly packageRoots?: readonly string[] | undefined;
  /** ms until response headers must have arrived. @default 30000 */
  readonly connectTimeoutMs?: number | undefined;
  /** ms a download may stand still. @default 60000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Tries in a row that bring no byte before giving up. @default 6 */
  readonly attempts?: number | undefined;
}

export interface DefaultSourceOptions extends SourceSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where archives are kept while they are needed. */
  readonly workDir: string;
  readonly requireSpace: typeof requireDiskSpace;
}

export function createDefaultSources(options: DefaultSourceOptions): SourceRegistry {
  const { env, workDir, requireSpace } = options;
  const client = createHttpClient(options);
  const registry = options.registry ?? env.npm_config_registry ?? env.NPM_CONFIG_REGISTRY;
  const web = createWebSource(client);
  return createSourceRegistry([
    createNpmSource({
      client,
      workDir,
      requireSpace,
      roots: options.packageRoots,
      ...(registry ? { registry } : {}),
    }),
    createHubSource({ client, hubUrl: options.hubUrl ?? 'https://huggingface.co', token: env.HF_TOKEN }),
    { ...web, close: async () => client.close() },
    createFileSource(),
  ]);
}
