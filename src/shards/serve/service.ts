/**
 * Lends the blocks that this node has loaded to the sessions of peers: who may, which cells they get, and to which session a
 * feed belongs.
 *
 * @module shards/serve/service
 */
import { KithError, type Logger, systemClock } from '../../base/index.ts';
import type { CellLease, Engine } from '../../engine/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import {
  decodeOpening,
  FEED_METHOD,
  malformed,
  type Opening,
  SHARD_BOUNDS,
  SHARD_METHOD,
} from '../wire/messages.ts';
import { ShardSession } from './session.ts';

/** Blocks that are loaded in the engine; a session may be of some of them. */
export interface LoadedShard extends BlockSpan {
  /** Content hash of the model. */
  readonly model: string;
  /** Id in the engine. */
  readonly id: string;
  /** Values of a row. */
  readonly width: number;
}

export interface ShardServiceOptions {
  readonly swarm: Pick<Swarm, 'handle' | 'openSession' | 'learn'>;
  readonly engine: Pick<Engine, 'lease'>;
  /** Shards that are served now. */
  readonly shards: () => readonly LoadedShard[];
  /** Throws what the peer is told when it may not have the session. */
  readonly admit: (peer: string, opening: Opening) => void | Promise<void>;
  /** Monotonic ms. */
  readonly now?: () => number;
  readonly log: Logger;
}

export interface ShardService extends Disposable {
  /** Sessions that are open, by owner. */
  sessions(): readonly { readonly peer: string; readonly model: string; readonly cells: number }[];
}

const CAPS = {
  maxPayloadBytes: SHARD_BOUNDS.payloadBytes,
  maxMetadataBytes: SHARD_BOUNDS.metadataBytes,
  maxConcurrent: 64,
};

interface Open {
  readonly peer: string;
  readonly opening: Opening;
  readonly session: ShardSession;
}

export function serveShards(options: ShardServiceOptions): ShardService {
  const { swarm, engine, log, now = () => systemClock.monotonic() } = options;
  const open = new Map<string, Open>();

  const shard = swarm.handle(SHARD_METHOD, {
    caps: CAPS,
    async session(session) {
      const opening = decodeOpening(session.metadata);
      const { peer } = session;
      await options.admit(peer, opening);
      const found = options
        .shards()
        .find(({ model, from, to }) => model === opening.model && from === opening.from && to === opening.to);
      if (found === undefined)
        throw new KithError(
          'shard_not_served',
          `This node does not serve blocks [${opening.from}, ${opening.to}) of that model.`,
          { status: 404 },
        );
      const key = keyOf(opening.session);
      if (open.has(key)) throw malformed('the session is open already');
      const lease: CellLease = await engine.lease(found.id, opening.cells, {
        span: opening,
        signal: session.signal,
      });
      await using one = new ShardSession({ swarm, session, opening, lease, width: found.width, now, log });
      open.set(key, { peer, opening, session: one });
      try {
        await one.run();
      } finally {
        open.delete(key);
      }
    },
  });

  const feeds = swarm.handle(FEED_METHOD, {
    caps: CAPS,
    async session(feed) {
      const { session } = feed.metadata;
      if (!(session instanceof Uint8Array) || session.length !== SHARD_BOUNDS.sessionBytes)
        throw malformed('a feed names no session');
      const one = open.get(keyOf(session));
      if (one === undefined)
        throw new KithError('shard_session_unknown', 'There is no such session.', { status: 404 });
      await one.session.feed(feed);
    },
  });

  return {
    sessions: () => [...open.values()].map(({ peer, opening: { model, cells } }) => ({ peer, model, cells })),
    [Symbol.dispose]() {
      shard[Symbol.dispose]();
      feeds[Symbol.dispose]();
    },
  };
}

const keyOf = (session: Uint8Array) => Buffer.from(session).toString('latin1');
