/**
 * The test command.
 *
 * - `node scripts/test.ts`: everything that `npm test` runs: src/, web/src/, scripts/ and test/ (but test/long/)
 * - `node scripts/test.ts unit`: the tests beside the sources only
 * - `node scripts/test.ts long`: test/long/ only
 * - further arguments: only files whose path contains one of them; `--test-...` options go to Node
 *
 * With npm: `npm test -- sampler --test-name-pattern=greedy`.
 *
 * @module scripts/test
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { provideBrowser } from './browser.ts';
import { groupTests, writeGroups } from './test-groups.ts';

const ROOT = join(import.meta.dirname, '..');
const MODES = ['all', 'unit', 'long'] as const;
type Mode = (typeof MODES)[number];
/** Of two cores: about half of the time of a file is waiting. More would make the engines of different files fight. */
const CONCURRENCY = 4;
/** A test that hangs would hang the whole run: each ends by itself after this. */
const TIMEOUT_MS = { all: 600_000, unit: 600_000, long: 3_600_000 } as const;

export interface TestArguments {
  readonly mode: Mode;
  readonly filters: readonly string[];
  readonly nodeOptions: readonly string[];
}

export function parseArguments(args: readonly string[]): TestArguments {
  const words = args.filter((arg) => arg !== '--');
  const first = MODES.find((mode) => mode === words[0]);
  const rest = first === undefined ? words : words.slice(1);
  const unknown = rest.find((arg) => arg.startsWith('-') && !arg.startsWith('--test-'));
  if (unknown !== undefined) {
    throw new Error(
      `Unknown option ${unknown}. Use: [unit|long] [part of a path ...] [--test-... for Node].`,
    );
  }
  return {
    mode: first ?? 'all',
    filters: rest.filter((arg) => !arg.startsWith('-')),
    nodeOptions: rest.filter((arg) => arg.startsWith('-')),
  };
}

/** Test files of a mode below `root`, relative, with forward slashes, sorted. */
export function testFiles(root: string, mode: Mode, filters: readonly string[]): string[] {
  const folders = {
    all: ['src', 'web/src', 'scripts', 'test'],
    unit: ['src', 'web/src'],
    long: ['test/long'],
  }[mode];
  return folders
    .flatMap((folder) => walk(join(root, folder)))
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter((path) => path.endsWith('.test.ts') && (mode === 'long' || !path.startsWith('test/long/')))
    .filter(
      (path) => filters.length === 0 || filters.some((filter) => path.includes(filter.replace(/^\.\//, ''))),
    )
    .sort();
}

function walk(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name === 'node_modules' || path.endsWith(join('models', 'cache'))) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** True when the packages below `folder` are not the ones its package-lock.json names. */
export function isInstallStale(folder: string): boolean {
  // npm writes what it installed into this file, in the shape of the lock file.
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'));
  const wanted = readPackages(join(folder, 'package-lock.json'));
  if (wanted === null) return false;
  return Object.entries(wanted).some(
    ([path, entry]) => path !== '' && entry.optional !== true && installed?.[path]?.version !== entry.version,
  );
}

type Packages = Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;

function readPackages(path: string): Packages | null {
  if (!existsSync(path)) return null;
  return (JSON.parse(readFileSync(path, 'utf8')) as { packages?: Packages }).packages ?? {};
}

/** Packages that only tests use, each folder with its own lock file, so that no user downloads them. */
export const TEST_PACKAGES = {
  'test/models': 'models',
  'test/clients': 'client packages of other makers',
  'test/engines': 'database engine',
  'test/browser': 'browser driver',
} as const;

/** Brings the test packages whose installed versions are not those of their lock files. */
export function installTestPackages(): void {
  for (const [folder, what] of Object.entries(TEST_PACKAGES)) installFolder(folder, what);
}

function installFolder(name: string, what: string): void {
  const folder = join(ROOT, name);
  if (!existsSync(join(folder, 'package.json')) || !isInstallStale(folder)) return;
  console.log(`Installing the ${what} that only the tests use (npm ci --prefix ${name}) ...`);
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  // Under `npm test` this is the very npm that runs; a bare `node` takes the one on the path.
  const script = process.env.npm_execpath;
  const result = script?.endsWith('.js')
    ? spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' })
    : spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    throw new Error(`npm ci in ${name} failed (${result.error?.message ?? `exit code ${result.status}`}).`);
  }
}

/**
 * The user's own node must not steer the tests: its settings are taken out of the environment. The many processes of
 * a run share compiled code, which saves a third of their work: each would strip and compile hundreds of files.
 */
function testEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('KITH_') || /^KITH_(TEST|BENCH|DEV)_/.test(name),
  );
  const compiled = join(ROOT, 'node_modules', '.cache', 'kith');
  return { NODE_COMPILE_CACHE: compiled, ...Object.fromEntries(kept) };
}

/** Fewer files than these are run before bundles would be made. */
const WORTH_BUNDLES = 20;

async function main(): Promise<void> {
  const { mode, filters, nodeOptions } = parseArguments(process.argv.slice(2));
  const files = testFiles(ROOT, mode, filters);
  if (files.length === 0) {
    throw new Error(`No test file matches ${filters.length === 0 ? `"${mode}"` : filters.join(', ')}.`);
  }
  installTestPackages();
  if (files.some((path) => path.startsWith('test/browser/') || path === 'test/long/looks.test.ts'))
    provideBrowser();
  const { alone, groups } = groupTests(files, (file) => {
    const path = join(ROOT, file);
    // An import that is not there is for the test that imports it to tell.
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  });
  const written = writeGroups(ROOT, groups);
  const args = [
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TIMEOUT_MS[mode]}`,
    `--test-reporter=${new URL('./test-reporter.ts', import.meta.url).href}`,
    '--test-reporter-destination=stdout',
    ...nodeOptions,
    ...written.files,
    ...alone,
  ];
  const env = testEnvironment();
  if (files.length > WORTH_BUNDLES) {
    const { bundleEntries } = await import('./test-bundles.ts');
    env.KITH_DEV_ENTRIES = await bundleEntries(ROOT);
  }
  // Long runs draw new cases each time; see test/property.ts.
  if (mode === 'long') {
    env.KITH_TEST_SEED ??= String(Date.now() % 2 ** 31);
    console.log(`Seed of the properties: KITH_TEST_SEED=${env.KITH_TEST_SEED}`);
  }
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    written[Symbol.dispose]();
    process.exitCode = code ?? 1;
  });
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
