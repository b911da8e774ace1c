/**
 * The room rule: a room imports rooms below it only, and only through their doors (`src/<room>/index.ts`).
 *
 * Tests (`*.test.ts`) may look behind the doors of rooms below theirs, never above. The order is the table here; it
 * must be the one that ARCHITECTURE.md draws. `node scripts/rooms.ts` prints each violation as `file:line` and ends
 * with exit code 1 when there is one.
 *
 * @module scripts/rooms
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';

/** From the top down. A room may import those after it. */
export const ROOMS = [
  'cli',
  'node',
  'server',
  'knowledge',
  'gateway',
  'shards',
  'vault',
  'swarm',
  'engine',
  'models',
  'trust',
  'identity',
  'base',
  'client',
] as const;

export interface SourceFile {
  /** Relative to the repository, with forward slashes: `src/engine/index.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Every breach of the rule in `files`. `order` lists the rooms from the top down. */
export function checkRooms(files: readonly SourceFile[], order: readonly string[] = ROOMS): Violation[] {
  const violations: Violation[] = [];
  const edges = new Map<string, Map<string, Violation>>();
  for (const { path, text } of files) {
    const from = roomOf(path);
    if (from === null) continue;
    const isTest = path.endsWith('.test.ts') || path.includes('/testing/');
    if (!order.includes(from)) {
      violations.push({
        path,
        line: 1,
        message: `the room ${from}/ has no place in the order (scripts/rooms.ts)`,
      });
      continue;
    }
    for (const { specifier, line } of importsOf(text)) {
      const target = normalize(join(dirname(path), specifier));
      const add = (message: string) => violations.push({ path, line, message: `${message} (${specifier})` });
      if (!target.startsWith('src/')) {
        if (!isTest) add('product code imports from outside src/');
        continue;
      }
      const to = roomOf(target);
      if (to === null || to === from) continue;
      if (!isTest) {
        const known = edges.get(from) ?? new Map<string, Violation>();
        if (!known.has(to)) known.set(to, { path, line, message: specifier });
        edges.set(from, known);
      }
      if (!order.includes(to)) add(`the room ${to}/ has no place in the order (scripts/rooms.ts)`);
      else if (order.indexOf(to) < order.indexOf(from))
        add(`${from}/ may not import ${to}/, which stands above it`);
      else if (!isTest && target !== `src/${to}/index.ts`)
        add(`${to}/ is entered by its door only, src/${to}/index.ts`);
    }
  }
  return [...violations, ...cycles(edges)].sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
}

/** `src/engine/kv/cells.ts` -> `engine`; null for what lies in no room. */
function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/**
 * Relative imports of a source text: static, re-exported, dynamic, types, and files named by
 * `new URL('./x.ts', import.meta.url)`, which is how threads and processes are started.
 */
export function importsOf(text: string): Import[] {
  // Block comments are blanked, their line breaks kept; statements are looked for at the start of a line only.
  const code = text.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' '));
  const patterns = [
    /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"](\.[^'"]*)['"]/gm,
    /^[ \t]*import\s*['"](\.[^'"]*)['"]/gm,
    /^(?![ \t]*\/\/).*?\bimport\(\s*['"](\.[^'"]*)['"]/gm,
    /^(?![ \t]*\/\/).*?\bnew URL\(\s*['"](\.[^'"]*\.[cm]?[jt]s)['"]\s*,\s*import\.meta\.url/gm,
  ];
  const found = patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({
      specifier: match[1]!,
      line: code.slice(0, match.index + match[0].length).split('\n').length,
    })),
  );
  return found.sort((a, b) => a.line - b.line);
}

/** Rooms that import each other, directly or around a corner: one violation per cycle, at one of its imports. */
function cycles(edges: ReadonlyMap<string, ReadonlyMap<string, Violation>>): Violation[] {
  const violations: Violation[] = [];
  const seen = new Set<string>();
  const visit = (room: string, trail: readonly string[]) => {
    const start = trail.indexOf(room);
    if (start >= 0) {
      const cycle = trail.slice(start);
      const name = [...cycle].sort().join(' ');
      if (seen.has(name)) return;
      seen.add(name);
      const { path, line } = edges.get(cycle.at(-1)!)!.get(room)!;
      violations.push({
        path,
        line,
        message: `rooms import each other in a circle: ${[...cycle, room].join(' -> ')}`,
      });
      return;
    }
    for (const next of edges.get(room)?.keys() ?? []) visit(next, [...trail, room]);
  };
  for (const room of edges.keys()) visit(room, []);
  return violations;
}

/** Rooms in the first drawing of ARCHITECTURE.md, from the top down. */
export function documentedRooms(architecture: string): string[] {
  const drawing = /```\n([\s\S]*?)```/.exec(architecture)?.[1] ?? '';
  return [...drawing.matchAll(/^([a-z]+)\/\s/gm)].map((match) => match[1]!);
}

function main(): void {
  const root = join(import.meta.dirname.replaceAll('\\', '/'), '..');
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('src', path.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const violations = checkRooms(files);
  const documented = documentedRooms(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'));
  if (documented.join() !== ROOMS.join()) {
    const message = `draws the rooms as ${documented.join(', ')}; scripts/rooms.ts has ${ROOMS.join(', ')}`;
    violations.push({ path: 'ARCHITECTURE.md', line: 1, message });
  }
  for (const { path, line, message } of violations) console.error(`${path}:${line} ${message}`);
  if (violations.length > 0) process.exitCode = 1;
  else console.log(`Rooms: ${files.length} files keep the order ${ROOMS.join(' > ')}.`);
}

if (import.meta.main) main();
