/**
 * Lends the blocks that this node has loaded to the sessions of peers: who may, which cells they get, and to which session a
 * feed belongs.
 *
 * @module shards/serve/service
 */
import { KithError, type Logger, systemClock } from '../../base/index.ts';
import type { CellLease, Engine } from '../../engine/index.ts';
import type { Session, Swarm } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import { decodeKvOpening } from '../wire/kv.ts';
import {
  decodeOpening,
  FEED_METHOD,
  KV_METHOD,
  malformed,
  type Opening,
  SHARD_BOUNDS,
  SHARD_METHOD,
} from '../wire/messages.ts';
import type { WorkBook } from '../work/book.ts';
import { UNCOUNTED } from '../work/served.ts';
import type { Grant } from './admission.ts';
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
  readonly swarm: Pick<Swarm, 'handle' | 'openSession' | 'learn' | 'ping'>;
  readonly engine: Pick<Engine, 'lease'>;
  /** Shards that are served now. */
  readonly shards: () => readonly LoadedShard[];
  /**
   * Throws what the peer is told when it may not have the session. `shard` is what has its blocks; null: nothing has, which
   * the peer is told if it may ask at all. What it gives is held until the session ends, and ends it.
   */
  readonly admit: (
    peer: string,
    opening: Opening,
    shard: LoadedShard | null,
  ) => Grant | undefined | Promise<Grant | undefined>;
  /** Counts what is computed for whom, and has the owner sign it. @default nothing is counted */
  readonly work?: Pick<WorkBook, 'served'>;
  /** Bytes of rows that one session keeps in memory; more lie in a file. @default 64 MiB */
  readonly logMemoryBytes?: number;
  /** What computes here (release, device, processor), for audits: equal builds give equal rows. @default it is not said */
  readonly build?: () => Promise<string>;
  /** Monotonic ms. */
  readonly now?: () => number;
  readonly log: Logger;
}

export interface ShardService extends Disposable {
  /** Tells the owners of sessions, all or those at one loaded shard, that they end in `ms`, so that they go on elsewhere before. */
  announceLeave(ms: number, id?: string): void;
  /** Sessions that are open, by owner. */
  sessions(): readonly { readonly peer: string; readonly model: string; readonly cells: number }[];
}

const CAPS = {
  maxPayloadBytes: SHARD_BOUNDS.payloadBytes,
  maxMetadataBytes: SHARD_BOUNDS.metadataBytes,
  maxConcurrent: 64,
};

interface Open {
  /** Id in the engine. */
  readonly shard: string;
  readonly peer: string;
  readonly opening: Opening;
  readonly session: ShardSession;
}

export function serveShards(options: ShardServiceOptions): ShardService {
  const { swarm, engine, log, now = () => systemClock.monotonic() } = options;
  const open = new Map<string, Open>();
  /** Numbers of sessions, those included that are about to open. */
  const taken = new Set<string>();

  const shard = swarm.handle(SHARD_METHOD, {
    caps: CAPS,
    async session(session) {
      const opening = decodeOpening(session.metadata);
      const { peer } = session;
      const found =
        options
          .shards()
          .find(
            ({ model, from, to }) => model === opening.model && from <= opening.from && opening.to <= to,
          ) ?? null;
      using grant = await options.admit(peer, opening, found);
      if (found === null)
        throw new KithError(
          'shard_not_served',
          `This node does not serve blocks [${opening.from}, ${opening.to}) of that model.`,
          { status: 404 },
        );
      const key = keyOf(opening.session);
      if (taken.has(key)) throw malformed('the session is open already');
      taken.add(key);
      try {
        await serve(session, opening, found, grant);
      } finally {
        taken.delete(key);
      }
    },
  });

  async function serve(
    session: Session,
    opening: Opening,
    { id, width }: LoadedShard,
    grant: Grant | undefined,
  ): Promise<void> {
    const lent = await engine.lease(id, opening.cells, {
      span: opening,
      holder: session.peer,
      signal: session.signal,
    });
    const lease = grant === undefined ? lent : noted(lent, grant);
    const { logMemoryBytes } = options;
    const build = (await options.build?.()) ?? '';
    const { model, from, to, session: number } = opening;
    const work = options.work?.served({ peer: session.peer, model, from, to, session: number });
    await using one = new ShardSession({
      work: work ?? UNCOUNTED,
      ...{ swarm, session, opening, lease, width, build, now, log },
      ...(logMemoryBytes !== undefined && { logMemoryBytes }),
    });
    const key = keyOf(opening.session);
    open.set(key, { shard: id, peer: session.peer, opening, session: one });
    try {
      const run = one.run();
      // It goes on until the session is cut, when the grant ends first.
      run.catch(() => {});
      await (grant === undefined ? run : Promise.race([run, grant.over]));
    } finally {
      open.delete(key);
    }
  }

  const feeds = swarm.handle(FEED_METHOD, {
    caps: CAPS,
    async session(feed) {
      const { session } = feed.metadata;
      if (!(session instanceof Uint8Array) || session.length !== SHARD_BOUNDS.sessionBytes)
        throw malformed('a feed names no session');
      await sessionOf(session).feed(feed);
    },
  });

  const moves = swarm.handle(KV_METHOD, {
    caps: CAPS,
    async session(way) {
      const opening = decodeKvOpening(way.metadata);
      await sessionOf(opening.session).takeKv(way, opening);
    },
  });

  function sessionOf(id: Uint8Array): ShardSession {
    const one = open.get(keyOf(id));
    if (one !== undefined) return one.session;
    throw new KithError('shard_session_unknown', 'There is no such session.', { status: 404 });
  }

  return {
    announceLeave(ms, id) {
      for (const { session, shard } of open.values())
        if (id === undefined || shard === id) session.announceLeave(ms);
    },
    sessions: () => [...open.values()].map(({ peer, opening: { model, cells } }) => ({ peer, model, cells })),
    [Symbol.dispose]() {
      shard[Symbol.dispose]();
      feeds[Symbol.dispose]();
      moves[Symbol.dispose]();
    },
  };
}

/** The lease, with its steps told to the grant. */
function noted(lease: CellLease, grant: Grant): CellLease {
  return {
    ...lease,
    async step(parts, hidden, signal) {
      grant.note(0);
      const rows = await lease.step(parts, hidden, signal);
      grant.note(parts.reduce((sum, { count }) => sum + count, 0));
      return rows;
    },
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  };
}

const keyOf = (session: Uint8Array) => Buffer.from(session).toString('latin1');
