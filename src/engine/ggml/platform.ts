/**
 * Finds the prebuilt ggml libraries: the platform package of node-llama-cpp that npm installed, and GPU packages
 * that the owner added with `kith calibrate --install`.
 *
 * Measured traps: the name of `libggml` carries the llama.cpp release (`libggml.v0.4.0.so`,
 * `libggml.metal.v0.4.0.dylib`, `ggml.v0.4.0.dll`), so it is found by pattern; backend modules on macOS end in `.so`;
 * packages at different releases must not be mixed, so the release is compared.
 *
 * @module engine/ggml/platform
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KithError } from '../../base/index.ts';

export interface LibrarySet {
  /** Folder of the CPU backends and of the core libraries. */
  readonly dir: string;
  /** Path of libggml-base. */
  readonly base: string;
  /** Path of libggml (registry of backends). */
  readonly ggml: string;
  /** Release in the file name, for example `v0.4.0`. */
  readonly release: string;
  /** GPU backend modules to try, best first. */
  readonly gpuModules: readonly { readonly kind: 'cuda' | 'vulkan' | 'metal'; readonly path: string }[];
}

const GGML_NAME = /^(?:lib)?ggml(?:\.[a-z]+)?\.(v\d+\.\d+\.\d+|b\d+)\.(?:so|dylib|dll)$/;
const BASE_NAME = /^(?:lib)?ggml-base\.(?:so|dylib|dll)$/;
const GPU_NAME = /^(?:lib)?ggml-(cuda|vulkan|metal)\.(?:so|dylib|dll)$/;
const GPU_ORDER = { cuda: 0, metal: 1, vulkan: 2 } as const;

/** npm package names that carry libraries for a platform; the first is the default (CPU, or Metal on Apple silicon). */
export function platformPackages(
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): readonly string[] {
  const key = `${platform}-${arch}`;
  const table: Record<string, readonly string[]> = {
    'linux-x64': ['linux-x64', 'linux-x64-cuda', 'linux-x64-cuda-ext', 'linux-x64-vulkan'],
    'linux-arm64': ['linux-arm64'],
    'linux-arm': ['linux-armv7l'],
    'linux-riscv64': ['linux-riscv64'],
    'darwin-arm64': ['mac-arm64-metal'],
    'darwin-x64': ['mac-x64'],
    'win32-x64': ['win-x64', 'win-x64-cuda', 'win-x64-cuda-ext', 'win-x64-vulkan'],
    'win32-arm64': ['win-arm64'],
  };
  return (table[key] ?? []).map((name) => `@node-llama-cpp/${name}`);
}

/** Folder `bins/<name>` of an installed package, or null when the package is not there (or is the empty stand-in). */
function binsFolder(packageName: string, roots: readonly string[]): string | null {
  const name = packageName.slice('@node-llama-cpp/'.length);
  for (const root of roots) {
    const folder = join(root, packageName, 'bins', name.replace(/-ext$/, ''));
    if (existsSync(folder)) return realpathSync(folder);
  }
  return null;
}

function moduleRoots(): string[] {
  const require = createRequire(import.meta.url);
  const found = new Set<string>();
  // node-llama-cpp is resolvable wherever npm hoisted it; its neighbours are the platform packages.
  for (const path of require.resolve.paths('node-llama-cpp') ?? []) if (existsSync(path)) found.add(path);
  return [...found];
}

/**
 * @param extraRoots folders laid out like node_modules that hold GPU packages added by the owner.
 * @throws KithError `platform_unsupported` when no prebuilt library exists for this platform.
 */
export function findLibraries(extraRoots: readonly string[] = []): LibrarySet {
  const roots = [...moduleRoots(), ...extraRoots];
  const packages = platformPackages();
  const main = packages[0] === undefined ? null : binsFolder(packages[0], roots);
  if (main === null) {
    throw new KithError(
      'platform_unsupported',
      `No prebuilt engine library for ${process.platform}-${process.arch} was found` +
        (packages[0] === undefined
          ? '. Kith runs on Linux (glibc), macOS and Windows, x64 and arm64.'
          : `: the package ${packages[0]} is missing. Run "npm ci" again without --omit=optional.`),
      { details: { platform: process.platform, arch: process.arch } },
    );
  }
  const names = readdirSync(main);
  const base = names.find((name) => BASE_NAME.test(name));
  const ggml = names.find((name) => GGML_NAME.test(name));
  if (base === undefined || ggml === undefined) {
    throw new KithError('platform_unsupported', `The folder ${main} does not hold libggml and libggml-base.`);
  }
  const release = GGML_NAME.exec(ggml)![1]!;
  const gpuModules: { kind: 'cuda' | 'vulkan' | 'metal'; path: string }[] = [];
  for (const name of packages) {
    const folder = binsFolder(name, roots);
    if (folder === null) continue;
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    // A GPU module is only usable with the core libraries of the same release.
    const own = files.map((file) => GGML_NAME.exec(file)?.[1]).find((value) => value !== undefined);
    if (own !== undefined && own !== release) continue;
    for (const file of files) {
      const kind = GPU_NAME.exec(file.split(/[\\/]/).at(-1)!)?.[1] as keyof typeof GPU_ORDER | undefined;
      if (kind !== undefined) gpuModules.push({ kind, path: join(folder, file) });
    }
  }
  gpuModules.sort((a, b) => GPU_ORDER[a.kind] - GPU_ORDER[b.kind]);
  return {
    dir: dirname(join(main, base)),
    base: join(main, base),
    ggml: join(main, ggml),
    release,
    gpuModules,
  };
}
