/** A small real GGUF, servers that misbehave on demand, a clock that does not wait. @module test/model-store/fixtures */

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createManualClock, createSeededRandom } from '../../src/base/index.ts';
import {
  createModelStore,
  type ModelManifest,
  type ModelStore,
  type ModelStoreOptions,
  writeGguf,
} from '../../src/models/index.ts';

export interface TestModel {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** A one-block llama header with random weights: about `kib` KiB, other bytes for each seed. */
export async function makeModel(seed = 1, kib = 600): Promise<TestModel> {
  const rows = Math.ceil((kib * 1024) / 1024);
  const chunks: Uint8Array[] = [];
  const u32 = (value: number) => ({ type: 'uint32', value }) as const;
  const text = (value: string) => ({ type: 'string', value }) as const;
  const { sha256 } = await writeGguf(
    { write: async (piece) => void chunks.push(Uint8Array.from(piece)) },
    {
      metadata: [
        ['general.architecture', text('llama')],
        ['general.name', text(`Test ${seed}`)],
        ['general.license', text('MIT')],
        ['general.file_type', u32(0)],
        ['llama.context_length', u32(128)],
        ['llama.embedding_length', u32(256)],
        ['llama.block_count', u32(1)],
        ['llama.attention.head_count', u32(4)],
        ['llama.attention.head_count_kv', u32(2)],
        ['tokenizer.ggml.model', text('llama')],
        ['tokenizer.chat_template', text('{{ messages[0].content }}')],
      ],
      tensors: [
        {
          name: 'token_embd.weight',
          dims: [256, rows],
          type: 0,
          data: createSeededRandom(seed).bytes(rows * 1024),
        },
      ],
    },
  );
  return { bytes: Buffer.concat(chunks), sha256 };
}

/** The manifest of a test model with id `m`, one source per list of parts. */
export function manifestFor(model: TestModel, ...sources: string[][]): ModelManifest {
  return {
    schema: 1,
    id: 'm',
    name: 'Test',
    family: 'llama',
    task: 'chat',
    format: 'gguf',
    quantisation: 'F32',
    bytes: model.bytes.length,
    sha256: model.sha256,
    licence: null,
    context: 128,
    blocks: 1,
    embedding: 256,
    template: 'gguf',
    sources: sources.map((parts) => ({ parts })),
  };
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Requests in order; `range` is the offset asked for, 0 without a range. Probes (`bytes=0-0`) are left out. */
  readonly reads: {
    readonly path: string;
    readonly from: number;
    readonly headers: http.IncomingHttpHeaders;
  }[];
  handle: http.RequestListener;
}

export const PROBE = 'bytes=0-0';

export async function serve(handle: http.RequestListener): Promise<TestServer> {
  const reads: TestServer['reads'][number][] = [];
  const server = http.createServer((request, response) => {
    if (request.headers.range !== PROBE) {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      reads.push({ path: request.url ?? '', from, headers: request.headers });
    }
    response.on('error', () => {});
    result.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const result: TestServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reads,
    handle,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return result;
}

export interface FileBehaviour {
  readonly etag?: string | null;
  /** Answers every request with the whole file. */
  readonly ignoreRanges?: boolean;
  /** Breaks the connection after this many bytes of body; asked once per read. */
  readonly cutAfter?: (from: number) => number | null;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** Serves one file, with ranges, as a well-behaved server does unless told otherwise. */
export function fileHandler(bytes: Uint8Array, behaviour: FileBehaviour = {}): http.RequestListener {
  const etag = behaviour.etag === undefined ? `"${sha256Of(bytes).slice(0, 16)}"` : behaviour.etag;
  return (request, response) => {
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const ranged =
      match !== null && behaviour.ignoreRanges !== true && (condition === undefined || condition === etag);
    const from = ranged ? Number(match[1]) : 0;
    const to = ranged && match[2] !== '' ? Number(match[2]) : bytes.length - 1;
    const headers = { ...(etag === null ? {} : { etag }), ...behaviour.headers };
    if (ranged && from >= bytes.length) {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(from, to + 1);
    response.writeHead(ranged ? 206 : 200, {
      ...headers,
      'content-length': body.length,
      ...(ranged ? { 'content-range': `bytes ${from}-${to}/${bytes.length}` } : {}),
    });
    const cut = request.headers.range === PROBE ? null : (behaviour.cutAfter?.(from) ?? null);
    if (cut === null || cut >= body.length) response.end(body);
    else if (cut === 0) {
      response.flushHeaders();
      response.destroy();
    } else response.write(body.subarray(0, cut), () => response.destroy());
  };
}

/** A clock whose short sleeps (retries) end at once and are noted; long ones (timeouts) never end. */
export function createEagerClock(): Clock & { readonly slept: number[] } {
  const clock = createManualClock();
  const slept: number[] = [];
  return {
    slept,
    now: clock.now,
    monotonic: clock.monotonic,
    async sleep(ms, signal) {
      if (ms >= 25_000) return await clock.sleep(ms, signal);
      slept.push(ms);
      await clock.advance(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

export interface TestHome extends AsyncDisposable {
  readonly path: string;
  store(options?: Partial<ModelStoreOptions>): ModelStore;
}

/** An empty home. Stores in it know no catalogue and no installed packages unless told. */
export async function createHome(path?: string): Promise<TestHome> {
  const home = path ?? (await mkdtemp(join(tmpdir(), 'kith-models-')));
  const stores: ModelStore[] = [];
  return {
    path: home,
    store(options = {}) {
      const store = createModelStore({
        home,
        env: {},
        catalogue: [],
        packageRoots: [],
        clock: createEagerClock(),
        random: createSeededRandom(7),
        attempts: 4,
        ...options,
      });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store[Symbol.asyncDispose]();
      if (path === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

export { createManualClock };
