/**
 * Patterns of paths: `*` and `?` within a name, `**` for any folders. A pattern without `/` is held against the name alone, and one
 * that ends in `/` means all that is in such a folder, as in ignore files.
 *
 * Each star is tried again only from the last one on, so that no pattern takes more than pattern times path.
 *
 * @module knowledge/store/glob
 */

export function matchesGlob(pattern: string, path: string): boolean {
  const wanted = pattern.normalize('NFC');
  if (!wanted.includes('/')) return matchesName(wanted, path.slice(path.lastIndexOf('/') + 1));
  const parts = wanted.split('/');
  if (parts.at(-1) === '') parts[parts.length - 1] = '**';
  // What is in a folder is not the folder itself.
  if (parts.at(-1) === '**') parts.push('*');
  return walk(parts, path.split('/'), (part) => part === '**', matchesName);
}

function matchesName(pattern: string, name: string): boolean {
  const same = (wanted: string, found: string) => wanted === '?' || wanted === found;
  return walk([...pattern], [...name], (part) => part === '*', same);
}

/** Wildcards of any length, by going back to the last one that was passed. */
function walk(
  wanted: readonly string[],
  found: readonly string[],
  isAny: (part: string) => boolean,
  matches: (wanted: string, found: string) => boolean,
): boolean {
  let at = 0;
  let star = -1;
  let from = 0;
  for (let i = 0; i < found.length; ) {
    const part = wanted[at];
    if (part !== undefined && isAny(part)) {
      star = at++;
      from = i;
    } else if (part !== undefined && matches(part, found[i]!)) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++from;
    } else return false;
  }
  while (at < wanted.length && isAny(wanted[at]!)) at++;
  return at === wanted.length;
}
