/**
 * Builds the peer programs, where the machine has what that takes. Builds are kept beside the sources, ignored by git.
 *
 * @module interop/toolchain
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = import.meta.dirname;

export type Language = 'go' | 'rust';

export type Built =
  | { readonly program: string; readonly compiler: string }
  /** Why there is none, and what to install. */
  | { readonly skip: string };

interface Toolchain {
  readonly command: string;
  readonly version: readonly string[];
  readonly install: string;
  readonly build: readonly string[];
  readonly folder: string;
  readonly program: string;
}

const suffix = process.platform === 'win32' ? '.exe' : '';

const TOOLCHAINS: Readonly<Record<Language, Toolchain>> = {
  go: {
    command: 'go',
    version: ['version'],
    install: 'install Go 1.26 or newer (https://go.dev/dl/)',
    build: ['build', '-o', join(ROOT, 'build', `go-peer${suffix}`), '.'],
    folder: join(ROOT, 'go'),
    program: join(ROOT, 'build', `go-peer${suffix}`),
  },
  rust: {
    command: 'cargo',
    version: ['--version'],
    install: 'install Rust 1.88 or newer (https://rustup.rs/)',
    build: ['build', '--locked', '--quiet', '--target-dir', join(ROOT, 'rust', 'target')],
    folder: join(ROOT, 'rust'),
    program: join(ROOT, 'rust', 'target', 'debug', `peer${suffix}`),
  },
};

/** The first build fetches libraries and takes minutes; later ones seconds. @throws when the sources do not build */
export function build(language: Language): Built {
  const { command, version, install, build, folder, program } = TOOLCHAINS[language];
  const found = spawnSync(command, version, { encoding: 'utf8' });
  if (found.error !== undefined || found.status !== 0)
    return { skip: `no ${command} on this machine: ${install}, then run this again` };
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const built = spawnSync(command, build, { cwd: folder, encoding: 'utf8' });
  if (built.status !== 0)
    throw new Error(`${command} ${build.join(' ')} in ${folder} failed:\n${built.stderr}`);
  return { program, compiler: found.stdout.trim() };
}
