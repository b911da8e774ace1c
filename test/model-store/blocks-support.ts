/** A real model behind a real server, for tests of block ranges. @module test/model-store/blocks-support */
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BlockRange, CatalogueEntry } from '../../src/models/index.ts';
import { CATALOGUE, fileSource, readGguf, sliceModel } from '../../src/models/index.ts';

/** The catalogue's entry of a model, to be had from these sources only. */
export function entryFrom(id: string, ...sources: readonly (readonly string[])[]): CatalogueEntry {
  const { manifest } = CATALOGUE.find((entry) => entry.manifest.id === id)!;
  return { builtin: false, manifest: { ...manifest, sources: sources.map((parts) => ({ parts })) } };
}

/** Whether the tensors of a range and the header are the same in both files. */
export async function sameTensors(one: string, other: string, range: BlockRange): Promise<boolean> {
  await using a = await fileSource(one);
  await using b = await fileSource(other);
  const gguf = await readGguf(a);
  const places = [{ offset: 0, bytes: gguf.dataOffset }, ...sliceModel(gguf, range).tensors];
  for (const { offset, bytes } of places)
    if (!Buffer.from(await a.read(offset, bytes)).equals(await b.read(offset, bytes))) return false;
  return a.size === b.size;
}

export interface FileServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly path: string; readonly range: string | undefined }[];
  bytes: number;
}

/** Serves files of this disk with ranges, `/0` the first of them, without holding them in memory. */
export async function serveFiles(files: readonly string[]): Promise<FileServer> {
  const handles = await Promise.all(files.map((file) => open(file, 'r')));
  const sizes = await Promise.all(handles.map(async (handle) => (await handle.stat()).size));
  const server = createServer((request, response) => {
    result.requests.push({ path: request.url!, range: request.headers.range });
    const which = Number(request.url!.slice(1));
    const size = sizes[which]!;
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(first);
    const end = Math.min(size - 1, last === '' ? size - 1 : Number(last));
    if (start >= size) return void response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end}/${size}`,
      'content-length': end - start + 1,
      etag: `"${which}"`,
    });
    result.bytes += end - start + 1;
    handles[which]!.createReadStream({ start, end, autoClose: false }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const result: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    bytes: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      for (const handle of handles) await handle.close();
    },
  };
  return result;
}
