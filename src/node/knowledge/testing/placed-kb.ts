/**
 * A knowledge base of one-passage documents with drawn vectors, and Eves beside this process who keep it as a collection `kb`.
 *
 * @module node/knowledge/testing/placed-kb
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSeededRandom,
  KithError,
  type Random,
  silentLogger,
  systemClock,
} from '../../../base/index.ts';
import { identityOf } from '../../../identity/testing/credentials.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../../../knowledge/index.ts';
import {
  type Collection,
  createCollection,
  createEve,
  type LocalEve,
  type PlacedEve,
  rootOfIdentity,
  tenantAt,
} from '../../../vault/index.ts';

const bob = identityOf('bob');
export const root = rootOfIdentity(bob);

export interface TestEve extends PlacedEve {
  readonly eve: LocalEve;
  /** Blocks that she takes until she is away. */
  takes: number;
}

export interface PlacedKb extends Disposable {
  readonly store: KnowledgeStore;
  readonly eves: readonly TestEve[];
  readonly collection: Collection;
  /** Its vector, of length 1. */
  put(path: string, text: string): Float32Array;
}

async function eveOf(folder: string, name: string, operator: string | null): Promise<TestEve> {
  const { peerId: peer } = identityOf(`eve of ${name}`);
  const eve = createEve({
    ...{ folder, capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7 },
    ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
  });
  const tenant = tenantAt(peer, root.label('kb'), async (metadata, payload) => {
    if (metadata.op === 'put' && one.takes-- <= 0)
      throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
    const reply = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
    return { metadata: reply.metadata, payload: Uint8Array.from(reply.payload ?? []) };
  });
  const one: TestEve = { peer, operator, eve, tenant, takes: Number.POSITIVE_INFINITY };
  await tenant.create(2e8, 30);
  return one;
}

/** @param eves by name, with who runs each */
export async function openPlacedKb(
  dimension: number,
  eves: Readonly<Record<string, string | null>>,
  random: Random,
): Promise<PlacedKb> {
  const base = mkdtempSync(join(tmpdir(), 'kith-placed-kb-'));
  const store = openKnowledgeStore({
    path: join(base, 'kb.sqlite'),
    create: { name: 'kb', clock: systemClock, random: createSeededRandom(1) },
    embedder: { id: 'model', hash: 'h', dimension },
  });
  const made: TestEve[] = [];
  for (const [name, operator] of Object.entries(eves))
    made.push(await eveOf(join(base, name), name, operator));
  return {
    store,
    eves: made,
    collection: createCollection({
      ...{ id: 'kb', root, eves: made, replicas: 2, random, clock: systemClock, log: silentLogger },
      ...{ reached: 0, onReached: () => {} },
    }),
    put(path, text) {
      const drawn = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
      const length = Math.hypot(...drawn);
      const vector = drawn.map((value) => value / length);
      store.put(
        {
          ...{ path, title: path, titled: false, type: 'md', hash: random.bytes(32), recipe: 'r', bytes: 9 },
          ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
        },
        [
          {
            ...{ id: Buffer.from(random.bytes(16)).toString('hex'), position: 0, title: path, text },
            ...{ tokens: 3, place: { line: 4 } },
          },
        ],
        vector,
        [],
      );
      return vector;
    },
    [Symbol.dispose]() {
      store.close();
      for (const { eve } of made) eve[Symbol.dispose]();
      rmSync(base, { recursive: true, force: true });
    },
  };
}
