/**
 * Gives peers the bytes of models that this node has, whole or in part: which verified tensors are here, the list of their
 * hashes, and stretches of them. To whom is for the node to say; how many bytes one peer gets in an hour is bounded.
 *
 * @module shards/weights/serve
 */
import { type Clock, KithError, type Logger } from '../../base/index.ts';
import { fileSource, type Holding, type ModelStore, serialiseTensorList } from '../../models/index.ts';
import type { Session, Swarm } from '../../swarm/index.ts';
import { decodeModel, decodeQuestion, encodeHave, malformed, TENSORS_METHOD, WEIGHT_BOUNDS } from './wire.ts';

export interface WeightServiceOptions {
  readonly swarm: Pick<Swarm, 'handle'>;
  readonly models: Pick<ModelStore, 'holding'>;
  /** Throws what the peer is told when it gets nothing of this model (sha256 of its GGUF). */
  readonly admit: (peer: string, model: string) => void | Promise<void>;
  /** Bytes for one peer in an hour. @default 8 GB */
  readonly bytesPerHour?: number;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Logger;
}

export interface WeightService extends Disposable {
  /** Bytes that went out since the start. */
  readonly sentBytes: number;
  /** Sessions that are open now. */
  readonly sessions: number;
}

const HOUR_MS = 3_600_000;
/** Peers whose bytes are remembered; beyond that the one that was here the longest ago is forgotten. */
const MAX_PEERS = 4096;
const DEFAULT_BYTES_PER_HOUR = 8e9;

export function serveWeights(options: WeightServiceOptions): WeightService {
  const { swarm, models, admit, clock, log, bytesPerHour = DEFAULT_BYTES_PER_HOUR } = options;
  const taken = createHourly(bytesPerHour, clock);
  let sentBytes = 0;
  let sessions = 0;

  async function give(session: Session): Promise<void> {
    const model = decodeModel(session.metadata);
    await admit(session.peer, model);
    const holding = await models.holding(model);
    if (holding === null)
      throw new KithError('weights_not_here', 'This node has no tensors of that model.', { status: 404 });
    await using file = await fileSource(holding.path);
    const { metadata, payload } = encodeHave({ root: holding.list.root, has: holding.has });
    await session.send(metadata, payload);
    for await (const message of session) {
      const question = decodeQuestion(message.metadata);
      if (question.k === 'list') {
        const list = Buffer.from(serialiseTensorList(holding.list));
        taken.take(session.peer, list.length);
        await session.send({ k: 'list' }, list);
        continue;
      }
      const { n, at, length } = question;
      const { offset } = sectionOf(holding, question);
      taken.take(session.peer, length);
      await session.send({ k: 'data', n }, await file.read(offset + at, length, session.signal));
      sentBytes += length;
    }
  }

  const method = swarm.handle(TENSORS_METHOD, {
    caps: { maxPayloadBytes: 0, maxMetadataBytes: WEIGHT_BOUNDS.metadataBytes, maxConcurrent: 4 },
    async session(session) {
      sessions += 1;
      const before = sentBytes;
      try {
        await give(session);
      } finally {
        sessions -= 1;
        if (sentBytes > before)
          log.debug('Gave a peer bytes of a model.', { peer: session.peer, bytes: sentBytes - before });
      }
    },
  });
  return {
    get sentBytes() {
      return sentBytes;
    },
    get sessions() {
      return sessions;
    },
    [Symbol.dispose]: () => method[Symbol.dispose](),
  };
}

function sectionOf(
  { list, has }: Holding,
  { section, at, length }: { readonly section: number; readonly at: number; readonly length: number },
) {
  const found = list.sections[section];
  if (found === undefined || !has[section])
    throw new KithError('weights_not_here', `This node does not have section ${section} of that model.`, {
      status: 404,
    });
  if (at + length > found.bytes) throw malformed(`${found.name} has ${found.bytes} bytes`);
  return found;
}

/** Bytes by peer, each over an hour from its first one. */
function createHourly(limit: number, clock: Pick<Clock, 'monotonic'>) {
  const peers = new Map<string, { since: number; bytes: number }>();
  return {
    take(peer: string, bytes: number): void {
      const now = clock.monotonic();
      let row = peers.get(peer);
      if (row === undefined || now - row.since >= HOUR_MS) row = { since: now, bytes: 0 };
      peers.delete(peer);
      peers.set(peer, row);
      if (peers.size > MAX_PEERS) peers.delete(peers.keys().next().value!);
      if (row.bytes + bytes > limit) {
        const retryAfter = Math.max(1, Math.ceil((row.since + HOUR_MS - now) / 1000));
        throw new KithError(
          'weights_quota',
          `This node gives a peer ${limit} bytes of models an hour; more in ${retryAfter} s.`,
          { status: 429, retryAfter, details: { limit } },
        );
      }
      row.bytes += bytes;
    },
  };
}
