/**
 * Standing in: blocks that an answer needs at once, since who computed them is gone, are loaded beside what is served. They are not
 * announced and not noted; they go when no session has used them for a minute.
 *
 * @module node/shards/standing-in
 */
import { AbortedError, KithError, type Logger, messageOf } from '../../base/index.ts';
import type { ModelManifest } from '../../models/index.ts';
import type { BlockSpan } from '../../shards/index.ts';
import { type RangeParts, ServedRange } from './served-range.ts';

/** Ranges at once. */
const MOST = 4;
/** ms without a session after which the blocks go. */
const REST_MS = 60_000;
const LOOK_MS = 1000;

export interface StandInOptions {
  readonly parts: Omit<RangeParts, 'onChange'>;
  /** Loads one after the other, with whatever else is loaded. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Sessions that use the blocks now. */
  readonly sessionsOf: (range: ServedRange) => number;
  readonly log: Logger;
}

export interface StandIns extends AsyncDisposable {
  ranges(): readonly ServedRange[];
  /** Resolves when the blocks can be used. @throws KithError why they cannot be loaded, or `shard_busy` */
  load(manifest: ModelManifest, span: BlockSpan, signal: AbortSignal): Promise<void>;
}

export function createStandIns(options: StandInOptions): StandIns {
  const { parts, inTurn, sessionsOf, log } = options;
  const { engine, clock } = parts;
  const ranges: ServedRange[] = [];
  const lives = new Set<Promise<void>>();
  let made = 0;

  async function rest(range: ServedRange): Promise<void> {
    const { signal } = range.stopping;
    let usedAt = clock.monotonic();
    while (!signal.aborted && !range.isLost && clock.monotonic() - usedAt < REST_MS) {
      if (sessionsOf(range) > 0) usedAt = clock.monotonic();
      await clock.sleep(LOOK_MS, signal).catch(() => {});
    }
    await leave(range);
  }

  async function leave(range: ServedRange): Promise<void> {
    ranges.splice(ranges.indexOf(range), 1);
    await engine
      .unload(range.id)
      .catch((error: unknown) => log.debug('not unloaded', { err: messageOf(error) }));
  }

  return {
    ranges: () => ranges,
    async load(manifest, { from, to }, signal) {
      if (ranges.length >= MOST)
        throw new KithError('shard_busy', 'This node stands in for as many others as it can.', {
          status: 503,
          retryAfter: REST_MS / 1000,
        });
      const { id: model, sha256 } = manifest;
      const want = { model, sha256, from, to, auto: false, most: null };
      const name = `stand-in ${++made}`;
      const range = new ServedRange({ ...parts, onChange: () => {} }, want, manifest, false, name);
      ranges.push(range);
      const give = () => range.stopping.abort(new AbortedError('Nobody waits for these blocks any more.'));
      signal.addEventListener('abort', give, { once: true });
      try {
        signal.throwIfAborted();
        const path = await range.fetch();
        await inTurn(() => range.load(path));
        range.stopping.signal.throwIfAborted();
      } catch (error) {
        await leave(range);
        throw error;
      } finally {
        signal.removeEventListener('abort', give);
      }
      log.info('blocks are loaded to stand in for another node', { range: range.id });
      const life = rest(range).finally(() => lives.delete(life));
      lives.add(life);
    },
    async [Symbol.asyncDispose]() {
      for (const { stopping } of ranges) stopping.abort(new AbortedError('The node stops.'));
      await Promise.all(lives);
    },
  };
}
