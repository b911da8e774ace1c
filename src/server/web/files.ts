/**
 * The built page, read into memory once: no request ever touches the disk, so no path can leave the folder.
 *
 * @module server/web/files
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { KithError } from '../../base/index.ts';

/** Built by `npm run build:web`. The same place from `src/server/web/` and from the published `dist/server/web/`. */
export const builtPage = fileURLToPath(new URL('../../../web/dist/', import.meta.url));

/** A build is far below both; what is above them is not a build of the page. */
const maxBytes = 16 * 1024 * 1024;
const maxFiles = 1_000;

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

const compressed = new Set(['.css', '.html', '.js', '.svg', '.txt']);

export interface WebFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Weak, because the bytes may go out under gzip: a hash of them. */
  readonly etag: string;
  /** True for names that carry a hash of the content: they never change. */
  readonly immutable: boolean;
  /** The bytes under gzip, made at the first call; null where that would not be smaller. */
  gzipped(): Promise<Buffer | null>;
}

/**
 * Files by their path in the build, with forward slashes (`assets/index-x1y2.js`). Null when there is no build. A build
 * that is replaced meanwhile is read once more.
 */
export function readBuild(
  folder: string = builtPage,
  read: (path: string) => Buffer = (path) => readFileSync(path),
): ReadonlyMap<string, WebFile> | null {
  try {
    return readOnce(folder, read);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return readOnce(folder, read);
  }
}

function readOnce(folder: string, read: (path: string) => Buffer): ReadonlyMap<string, WebFile> | null {
  const listed = list(folder);
  if (!listed.includes('index.html')) return null;
  // The document first: when a newer build takes the folder after it, the files that this one names are missing, which
  // is noticed. A newer document would name files that were never listed.
  const paths = ['index.html', ...listed.filter((path) => path !== 'index.html')];
  const files = new Map<string, WebFile>();
  let total = 0;
  for (const path of paths) {
    const type = types[extname(path)];
    if (type === undefined) continue;
    const full = join(folder, path);
    total += statSync(full).size;
    if (total > maxBytes || files.size >= maxFiles) {
      throw new KithError(
        'page_too_large',
        `The built page in ${folder} is larger than ${maxBytes} bytes or ${maxFiles} files. Build it again with \`npm run build:web\`.`,
      );
    }
    files.set(path, webFile(path, type, read(full)));
  }
  return files;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function webFile(path: string, type: string, bytes: Buffer): WebFile {
  let small: Promise<Buffer | null> | null = null;
  return {
    type,
    bytes,
    etag: `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    immutable: path.startsWith('assets/'),
    gzipped: () => {
      small ??= compressed.has(extname(path)) ? squeeze(bytes) : Promise.resolve(null);
      return small;
    },
  };
}

async function squeeze(bytes: Buffer): Promise<Buffer | null> {
  const packed = await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION });
  return packed.length < bytes.length ? packed : null;
}
