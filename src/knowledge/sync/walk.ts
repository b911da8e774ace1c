/**
 * The files of a folder that its owner wants in a knowledge base.
 *
 * Links are not followed: they may lead round in circles, or out of the folder.
 *
 * @module knowledge/sync/walk
 */
import { lstat, opendir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import createIgnore from 'ignore';
import { isErrno, KithError, LimitError, messageOf, throwIfAborted } from '../../base/index.ts';

/** Files whose lines say what is left out, as git reads them, each for its folder and those below it. */
export const IGNORE_FILES = ['.kithignore', '.gitignore'] as const;

/** Left out without being asked: what programs keep for themselves. `!name` in an ignore file brings it back. */
const ALWAYS = [
  '.*',
  'node_modules/',
  '__pycache__/',
  '~$*',
  '*~',
  '*.tmp',
  '*.swp',
  'Thumbs.db',
  'desktop.ini',
];

export const WALK_LIMITS = {
  files: 1_000_000,
  depth: 64,
  /** Bytes of an ignore file; the rest is not read. */
  ignoreBytes: 256 * 1024,
} as const;

export interface FoundFile {
  /** From the folder on, parts joined by `/`, in Unicode's composed form. */
  readonly path: string;
  /** On the disk. */
  readonly full: string;
  readonly bytes: number;
  /** ms since 1970. */
  readonly modified: number;
  /** The same as long as the file system notes no change of it. */
  readonly stamp: string;
}

/** A part of the folder that could not be read: what is known of it stays. */
export interface Unread {
  readonly unread: string;
  readonly message: string;
}

/** What is left out, and why. */
export interface Ignored {
  /** A folder, with all that is in it, ends in `/`. */
  readonly path: string;
  /** Line of an ignore file; null for links and what is no file. */
  readonly rule: string | null;
  /** The ignore file, by its path in the folder; null for what is always left out. */
  readonly by: string | null;
}

interface Rules {
  /** Folder that they are for, ending in `/`, or empty. */
  readonly base: string;
  /** Path of the ignore file; null for those that always hold. */
  readonly by: string | null;
  readonly matcher: ReturnType<typeof createIgnore>;
}

/**
 * In the order of names.
 *
 * @param onIgnored hears of what is left out
 * @throws KithError `folder_missing`; LimitError `knowledge.files`
 */
export async function* walk(
  root: string,
  signal?: AbortSignal,
  onIgnored: (ignored: Ignored) => void = () => {},
): AsyncGenerator<FoundFile | Unread> {
  // The folder itself may be a link: that is what its owner named.
  const facts = await stat(root).catch(() => null);
  if (facts === null || !facts.isDirectory())
    throw new KithError(
      'folder_missing',
      `There is no folder ${root}. If it is on an external drive, connect it; nothing was changed.`,
      { status: 404, details: { path: root } },
    );
  let files = 0;
  const open: {
    readonly path: string;
    readonly full: string;
    readonly rules: readonly Rules[];
    readonly depth: number;
  }[] = [
    { path: '', full: root, rules: [{ base: '', by: null, matcher: createIgnore().add(ALWAYS) }], depth: 0 },
  ];
  while (open.length > 0) {
    throwIfAborted(signal);
    const folder = open.pop()!;
    let names: { name: string; isFolder: boolean; isFile: boolean }[];
    try {
      names = [];
      for await (const entry of await opendir(folder.full))
        names.push({ name: entry.name, isFolder: entry.isDirectory(), isFile: entry.isFile() });
    } catch (error) {
      if (folder.path === '') throw unreadable(root, error);
      const mangled = isErrno(error, 'ENOENT') && isMangled(folder.path);
      yield { unread: folder.path, message: mangled ? MANGLED : messageOf(error) };
      continue;
    }
    names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const rules = [...folder.rules, ...(await rulesIn(folder, names))];
    const below: typeof open = [];
    const seen = new Set<string>();
    for (const { name, isFolder, isFile } of names) {
      const path = `${folder.path}${name}`.normalize('NFC');
      const full = join(folder.full, name);
      if (!isFolder && !isFile) {
        onIgnored({ path, rule: null, by: null });
        continue;
      }
      const ignored = ruleFor(rules, isFolder ? `${path}/` : path);
      if (ignored !== null) {
        onIgnored({ path: isFolder ? `${path}/` : path, ...ignored });
        continue;
      }
      if (seen.has(path)) {
        // Two names that look the same: the knowledge base has room for one.
        yield {
          unread: isFolder ? `${path}/` : path,
          message: 'another here has the same name but for how its accents are written; rename one of them',
        };
        continue;
      }
      seen.add(path);
      if (isFolder) {
        if (folder.depth + 1 > WALK_LIMITS.depth)
          yield { unread: `${path}/`, message: `more than ${WALK_LIMITS.depth} folders in each other` };
        else below.push({ path: `${path}/`, full, rules, depth: folder.depth + 1 });
        continue;
      }
      if (++files > WALK_LIMITS.files)
        throw new LimitError(
          'knowledge.files',
          WALK_LIMITS.files,
          `${root} has more than ${WALK_LIMITS.files} files (limit knowledge.files): take a folder below it, or leave some out with a .kithignore.`,
          { status: 413 },
        );
      try {
        const { size, mtimeMs, mtimeNs, ctimeNs, ino } = await lstat(full, { bigint: true });
        yield {
          ...{ path, full, bytes: Number(size), modified: Number(mtimeMs) },
          stamp: `${size} ${mtimeNs} ${ctimeNs} ${ino}`,
        };
      } catch (error) {
        // Gone since the folder was read, or not to be looked at.
        if (!isErrno(error, 'ENOENT')) yield { unread: path, message: messageOf(error) };
        else if (isMangled(name)) yield { unread: path, message: MANGLED };
      }
    }
    open.push(...below.reverse());
  }
}

async function rulesIn(
  { path, full }: { path: string; full: string },
  names: readonly { name: string; isFile: boolean }[],
): Promise<Rules[]> {
  const rules: Rules[] = [];
  for (const name of IGNORE_FILES) {
    if (!names.some((entry) => entry.isFile && entry.name === name)) continue;
    const facts = await lstat(join(full, name)).catch(() => null);
    if (facts === null || facts.size > WALK_LIMITS.ignoreBytes) continue;
    const text = await readFile(join(full, name), 'utf8').catch(() => '');
    rules.push({ base: path, by: `${path}${name}`, matcher: createIgnore().add(text) });
  }
  return rules;
}

/** The last rule that says anything of a path holds, and folders further in come last. Null: it is not left out. */
function ruleFor(rules: readonly Rules[], path: string): Omit<Ignored, 'path'> | null {
  let found: Omit<Ignored, 'path'> | null = null;
  for (const { base, by, matcher } of rules) {
    const result = matcher.test(path.slice(base.length));
    if (result.ignored) found = { rule: result.rule?.pattern ?? null, by };
    else if (result.unignored) found = null;
  }
  return found;
}

/** Bytes of a name that are no UTF-8 are given as this sign, and by it nothing is found. */
const isMangled = (name: string): boolean => name.includes('\uFFFD');
const MANGLED = 'its name is not valid UTF-8; rename it';

function unreadable(root: string, error: unknown): KithError {
  return new KithError('folder_unreadable', `The folder ${root} cannot be read: ${messageOf(error)}.`, {
    status: 403,
    details: { path: root },
    cause: error,
  });
}
