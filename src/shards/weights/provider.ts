/**
 * Peers as a place where the model store gets tensors: several at a time, each a section after the other; one that gives
 * wrong bytes, nothing, or nonsense is left out and the others give what it owed.
 *
 * @module shards/weights/provider
 */
import { AbortedError, type Clock, isKithError, KithError, type Logger } from '../../base/index.ts';
import type { BlockProvider, BlockRequest, TensorList } from '../../models/index.ts';
import { PeerError, type Swarm } from '../../swarm/index.ts';
import { type Numbered, WeightsOfPeer, type Work } from './peer.ts';

export interface WeightPeer {
  readonly peer: string;
  /** Multiaddrs, where they are known. */
  readonly addresses?: readonly string[];
  /** Whether its word counts for which bytes the model has: a friend, or tier `trusted`. */
  readonly vouches: boolean;
}

export interface PeerWeightsOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  /** Who may have tensors of the model (sha256 of its GGUF), the best first. */
  readonly peers: (model: string) => readonly WeightPeer[] | Promise<readonly WeightPeer[]>;
  /** A peer gave bytes whose hash is wrong. */
  readonly onLiar?: (peer: string, error: KithError) => void;
  /** Asked at once. @default 3 */
  readonly parallel?: number;
  /** Ms that an answer may take. @default 30000 */
  readonly stallMs?: number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
}

const MAX_PEERS = 32;

export function peerWeights(options: PeerWeightsOptions): BlockProvider {
  const { swarm, clock, log, parallel = 3, stallMs = 30_000 } = options;

  const peersOf = async (model: string) => (await options.peers(model)).slice(0, MAX_PEERS);

  async function open({ peer, addresses = [] }: WeightPeer, model: string, signal: AbortSignal) {
    if (addresses.length > 0) await swarm.learn(peer, addresses);
    return await WeightsOfPeer.open({ swarm, peer, model, signal, clock, stallMs });
  }

  return {
    name: 'peers',

    async list(model, signal): Promise<TensorList | null> {
      for (const one of await peersOf(model)) {
        if (!one.vouches) continue;
        try {
          await using source = await open(one, model, signal);
          return await source.list();
        } catch (error) {
          passOver(error, one.peer, log);
        }
      }
      return null;
    },

    async fetch({ list, sections, sink, signal }: BlockRequest): Promise<void> {
      const numbers = new Map(list.sections.map((section, index) => [section.name, index]));
      const queue = sections.map((section): Numbered => ({ section, index: numbers.get(section.name)! }));
      const failures: string[] = [];
      let first: KithError | null = null;
      let peers = await peersOf(list.model);
      if (peers.length === 0)
        throw new KithError('weights_not_here', 'No peer is known that has the model.', { status: 404 });
      /** Once a peer fails, others may have to give what it took: those that had nothing left to do are asked again. */
      for (let left = Number.POSITIVE_INFINITY; queue.length > 0 && queue.length < left; ) {
        left = queue.length;
        const waiting = [...peers];
        const failed = new Set<WeightPeer>();
        const askOthers = async () => {
          for (let one = waiting.shift(); one !== undefined && queue.length > 0; one = waiting.shift()) {
            try {
              sink.count(1, 0);
              await using source = await open(one, list.model, signal);
              if (source.have.root !== list.root) throw otherList(one.peer);
              await source.fetch(workOf(queue, source.have.has), sink);
            } catch (error) {
              failed.add(one);
              const failure = passOver(error, one.peer, log);
              const named = failure.message.includes(one.peer) ? '' : `${one.peer}: `;
              failures.push(named + failure.message);
              first ??= failure;
              const lied = failure.code === 'tensor_corrupt' && !(failure instanceof PeerError);
              if (lied) options.onLiar?.(one.peer, failure);
            }
          }
        };
        const asking = Array.from({ length: parallel }, askOthers);
        const ended = await Promise.allSettled(asking);
        for (const each of ended) if (each.status === 'rejected') throw each.reason;
        peers = peers.filter((one) => !failed.has(one));
      }
      if (queue.length === 0) return;
      const said = failures.join(' ');
      throw new KithError(
        'weights_not_here',
        `No peer gave ${queue.length} of the tensors (${queue[0]!.section.name} is the first).${said === '' ? '' : ` ${said}`}`,
        { status: 502, ...(first === null ? {} : { cause: first }) },
      );
    },
  };
}

/** Sections of the queue that a peer has. */
function workOf(queue: Numbered[], has: readonly boolean[]): Work {
  return {
    next() {
      const at = queue.findIndex(({ index }) => has[index]);
      return at < 0 ? null : queue.splice(at, 1)[0]!;
    },
    lost: (one) => void queue.push(one),
  };
}

function otherList(peer: string): KithError {
  return new KithError('tensor_list_mismatch', `Peer ${peer} has another list of the model's tensors.`, {
    status: 409,
  });
}

/** What a peer did wrong is told and the next one is asked; what is the caller's or this disk's is thrown. */
function passOver(error: unknown, peer: string, log: Logger): KithError {
  const own = ['disk_full', 'write_failed'];
  // Whatever code a peer may answer with, it is about the peer.
  const isPeers = error instanceof PeerError;
  if (!isKithError(error) || error instanceof AbortedError || (!isPeers && own.includes(error.code)))
    throw error;
  log.debug('A peer gave no bytes of a model.', { peer, code: error.code, message: error.logged });
  return error;
}
