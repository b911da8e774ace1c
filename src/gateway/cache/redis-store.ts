/**
 * Answers in Redis or Valkey, shared by several nodes. The server ends answers by its own clock and bounds its memory
 * by its own policy (`maxmemory`, `allkeys-lru`).
 *
 * A request waits at most `limitMs` for the server. One that is away, hangs or refuses counts as an empty cache: one
 * line in the log per minute, and it is used again as soon as it answers.
 *
 * @module gateway/cache/redis-store
 */
import { createHash } from 'node:crypto';
import { type Clock, KithError, type Logger, messageOf } from '../../base/index.ts';
import { decodeAnswer, decodeTimes, encodeAnswer, HEADER_BYTES } from './codec.ts';
import type { AnswerKey, AnswerStore } from './types.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. */
  readonly url: string;
  /** First part of every key. @default 'kith' */
  readonly namespace?: string;
  /** Longest wait of a request for the server, ms. @default 50 */
  readonly limitMs?: number;
  /** Longest answer, encoded. @default 1 MiB */
  readonly maxAnswerBytes?: number;
  /** How long an answer is kept beyond its time, for when nothing better can be had, ms. @default 7 days */
  readonly keepStaleMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const MINUTE = 60_000;
/** After a wait in vain the server is left alone for so long, ms. */
const PAUSE_MS = 1000;
/** Clearing walks over all keys of the server: it may take longer than a request may wait. */
const CLEAR_LIMIT_MS = 30_000;

/** The client's part that is used here. */
interface Connection {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  sendCommand(
    args: readonly (string | Buffer)[],
    options?: { readonly typeMapping: object },
  ): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  destroy(): void;
}

/** Loads the client and begins to connect. Does not wait for the server; throws `redis_url_invalid` (400). */
export async function createRedisStore(options: RedisStoreOptions): Promise<AnswerStore> {
  const { clock, log } = options;
  const namespace = options.namespace ?? 'kith';
  const limitMs = options.limitMs ?? 50;
  const maxAnswerBytes = options.maxAnswerBytes ?? 1024 * 1024;
  const keepStaleMs = options.keepStaleMs ?? 7 * 24 * 60 * MINUTE;
  // Only who configures a server loads its client.
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const bytesMapping = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const connection = connect();

  let lastLine = Number.NEGATIVE_INFINITY;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let closed = false;
  const complain = (error: unknown) => {
    if (closed || clock.monotonic() - lastLine < MINUTE) return;
    lastLine = clock.monotonic();
    log.warn('The server of the answer cache cannot be used; requests go on without it.', {
      reason: messageOf(error),
    });
  };
  connection.on('error', complain);
  const connecting = connection.connect().catch(complain);

  /** `work`'s result, or `otherwise` when the server is away or too slow. Never throws. */
  const asked = async <R>(otherwise: R, work: () => Promise<R>): Promise<R> => {
    if (closed || clock.monotonic() < pausedUntil) return otherwise;
    const late = Symbol('late');
    let timer: NodeJS.Timeout | undefined;
    try {
      const limit = new Promise<typeof late>((resolve) => {
        timer = setTimeout(resolve, limitMs, late);
      });
      const answer = await Promise.race([ready().then(work), limit]);
      if (answer !== late) return answer as R;
      pausedUntil = clock.monotonic() + PAUSE_MS;
      complain(new Error(`no answer within ${limitMs} ms`));
    } catch (error) {
      complain(error);
    } finally {
      clearTimeout(timer);
    }
    return otherwise;
  };
  let begun = false;
  /** The first request may wait for the first connection; later ones never wait for one. */
  const ready = async () => {
    if (!begun && !connection.isReady) await connecting;
    begun = true;
    if (!connection.isReady) throw new Error('not connected');
  };

  const nameOf = (key: AnswerKey) => `${prefixOf(key.model)}:${key.id}`;
  const prefixOf = (model: string) =>
    `${namespace}:answer:1:${createHash('sha256').update(model).digest('hex').slice(0, 16)}`;

  const close = async () => {
    closed = true;
    connection.destroy();
  };

  return {
    name: 'redis',
    get: (key) =>
      asked(null, async () => {
        // A range, so that a value someone else put there cannot be larger than an answer may be.
        const args = ['GETRANGE', nameOf(key), '0', String(maxAnswerBytes)];
        const bytes = await connection.sendCommand(args, bytesMapping);
        return Buffer.isBuffer(bytes) && bytes.byteLength <= maxAnswerBytes ? decodeAnswer(bytes) : null;
      }),
    async put(key, stored) {
      const bytes = encodeAnswer(stored);
      const keepMs = Math.ceil(Math.max(0, stored.freshUntil - clock.now()) + keepStaleMs);
      if (bytes.byteLength > maxAnswerBytes || keepMs <= 0) return 0;
      return asked(0, async () => {
        await connection.sendCommand(['SET', nameOf(key), bytes, 'PX', String(keepMs)]);
        return bytes.byteLength;
      });
    },
    async remove(key) {
      await asked(null, () => connection.sendCommand(['UNLINK', nameOf(key)]));
    },
    async clear({ model, olderThanMs }) {
      const pattern = `${escaped(model === undefined ? `${namespace}:answer:1` : prefixOf(model))}:*`;
      const before = olderThanMs === undefined ? Number.POSITIVE_INFINITY : clock.now() - olderThanMs;
      const deadline = clock.monotonic() + CLEAR_LIMIT_MS;
      let removed = 0;
      let cursor = '0';
      do {
        const [next, keys] = (await cleared(
          ['SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000'],
          deadline,
        )) as [string, string[]];
        cursor = String(next);
        const old: string[] = [];
        for (const key of keys) {
          if (before === Number.POSITIVE_INFINITY || (await storedAt(key, deadline)) < before) old.push(key);
        }
        if (old.length > 0) removed += Number(await cleared(['UNLINK', ...old], deadline));
      } while (cursor !== '0');
      return removed;
    },
    // The server counts its keys of all users together.
    size: async () => ({ bytes: null, entries: null }),
    close,
    [Symbol.asyncDispose]: close,
  };

  function connect(): Connection {
    try {
      return createClient({
        url: options.url,
        name: 'kith',
        // Older servers know this protocol too, and nothing of the newer is needed.
        RESP: 2,
        disableOfflineQueue: true,
        commandsQueueMaxLength: 512,
        socket: {
          connectTimeout: 2000,
          reconnectStrategy: (retries: number) => Math.min(5000, 100 * 2 ** Math.min(retries, 6)),
        },
      }) as unknown as Connection;
    } catch (error) {
      // The address may hold a password: it is not repeated.
      throw new KithError(
        'redis_url_invalid',
        `The address of the answer cache's server is not valid (${(error as { code?: string }).code ?? 'malformed'}): ` +
          'it must look like redis://host:6379/0, or rediss:// for TLS.',
        { status: 400, cause: error },
      );
    }
  }

  async function storedAt(key: string, deadline: number): Promise<number> {
    const range = ['GETRANGE', key, '0', String(HEADER_BYTES - 1)];
    const bytes = await cleared(range, deadline, bytesMapping);
    // What is no answer is removed.
    return (Buffer.isBuffer(bytes) ? decodeTimes(bytes)?.storedAt : null) ?? Number.NEGATIVE_INFINITY;
  }

  /** A command of `clear`, which must not end as if all were well when the server is away. */
  async function cleared(
    args: readonly string[],
    deadline: number,
    mapping?: { readonly typeMapping: object },
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    try {
      if (!connection.isReady) throw new Error('not connected');
      const late = new Promise<never>((_, reject) => {
        const left = Math.max(0, deadline - clock.monotonic());
        timer = setTimeout(() => reject(new Error('it does not answer')), left);
      });
      return await Promise.race([connection.sendCommand(args, mapping), late]);
    } catch (error) {
      throw new KithError(
        'cache_unavailable',
        `The answer cache could not be cleared: ${messageOf(error)}. Try again when its server answers.`,
        { status: 503, retryAfter: 5, cause: error },
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

/** SCAN takes a glob. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
