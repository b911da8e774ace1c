/**
 * Builds the page when what it is made of has changed: its sources, or the locked versions of the packages it uses.
 *
 * - `node scripts/web-build.ts`: builds when needed. Without the development packages it says so and goes on: the node
 *   runs without its page.
 * - `node scripts/web-build.ts --force`: builds in any case, and fails when it cannot.
 *
 * @module scripts/web-build
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const WEB = join(ROOT, 'web');
const DIST = join(WEB, 'dist');
/** Stands in the build and names what it was made of. */
const STAMP = 'build.json';
/** Packages that make the build. */
const TOOLS = ['vite', 'rolldown', 'vite-plugin-solid'];
/** Packages whose code or fonts are in it: their licences go with it. */
const PARTS = [
  'solid-js',
  '@solidjs/router',
  '@solid-primitives/i18n',
  'marked',
  'lowlight',
  'highlight.js',
  'lucide-solid',
  'unpdf',
  '@fontsource-variable/hanken-grotesk',
  '@fontsource-variable/geist-mono',
];

/** Files that the build is made of, relative to `web`, with forward slashes, sorted. */
export function sourceFiles(web: string): string[] {
  return readdirSync(web, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(web, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/^(dist|\.dist-\d+|node_modules)\//.test(path) && !path.endsWith('.test.ts'))
    .sort();
}

/** Changes when a build of the same sources would differ. */
export function fingerprint(web: string, lock: string): string {
  const hash = createHash('sha256');
  for (const path of sourceFiles(web)) {
    const bytes = readFileSync(join(web, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  for (const name of [...TOOLS, ...PARTS])
    hash.update(`${name}@${packages[`node_modules/${name}`]?.version}\0`);
  return hash.digest('hex');
}

function builtFrom(): string | null {
  try {
    return (JSON.parse(readFileSync(join(DIST, STAMP), 'utf8')) as { from: string }).from;
  } catch {
    return null;
  }
}

function hasPackages(): boolean {
  const require = createRequire(import.meta.url);
  return ['vite', 'vite-plugin-solid', 'solid-js'].every((name) => {
    try {
      return require.resolve(`${name}/package.json`) !== '';
    } catch {
      return existsSync(join(ROOT, 'node_modules', name, 'package.json'));
    }
  });
}

/** Licence texts of what is compiled into the page, which ask to be passed on with it. */
function licences(): string {
  const parts = PARTS.map((name) => {
    const folder = join(ROOT, 'node_modules', name);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    if (file === undefined) throw new Error(`The package ${name} has no licence file.`);
    return `${name}\n${'='.repeat(name.length)}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return `The page of Kith is made of these works, among its own.\n\n${parts.join('\n\n')}`;
}

/** Brings web/dist up to date. Returns false when it cannot be built here. */
export async function buildWeb(force = false): Promise<boolean> {
  if (!existsSync(join(WEB, 'index.html'))) return false;
  const from = fingerprint(WEB, join(ROOT, 'package-lock.json'));
  if (!force && builtFrom() === from) return true;
  if (!hasPackages()) return false;
  const began = performance.now();
  const { build } = await import('vite');
  // Beside the old build until it is whole: a node that starts meanwhile must not read half of one.
  const fresh = join(WEB, `.dist-${process.pid}`);
  const old = `${fresh}0`;
  try {
    await build({
      configFile: join(WEB, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: fresh, emptyOutDir: true },
    });
    writeFileSync(join(fresh, 'licences.txt'), licences());
    writeFileSync(join(fresh, STAMP), `${JSON.stringify({ from })}\n`);
    try {
      // Moved away, then deleted: a node that starts meanwhile finds the one build or the other.
      if (existsSync(DIST)) renameSync(DIST, old);
      renameSync(fresh, DIST);
    } catch (error) {
      // Another build of the same sources may have been a moment faster.
      if (builtFrom() !== from) throw error;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
  console.log(`Built the page in ${((performance.now() - began) / 1000).toFixed(1)} s (web/dist).`);
  return true;
}

if (import.meta.main) {
  const force = process.argv.includes('--force');
  const note =
    'The page cannot be built here: the development packages are not installed (npm ci brings them).';
  const built = await buildWeb(force);
  if (!built && force) throw new Error(note);
  if (!built && builtFrom() === null) console.log(`${note} The node runs without it.`);
}
