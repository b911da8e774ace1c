/**
 * When nobody has the blocks that a path lost: peers that serve the model are asked to load them, then this node loads them itself;
 * and the same for peers that ask this node.
 *
 * @module node/shards/needs
 */
import { messageOf } from '../../base/index.ts';
import { answerNeeds, askForBlocks, type CircuitsOptions } from '../../shards/index.ts';
import type { PathChoice } from './path-choice.ts';
import type { NodeServing } from './serving.ts';
import type { ShardParts } from './types.ts';

type Parts = Pick<ShardParts, 'swarm' | 'registry' | 'views' | 'clock' | 'log'>;

/** Loads blocks for peers for whom this node computes. */
export function answerPeersInNeed({ swarm, log }: Parts, serving: NodeServing): Disposable {
  return answerNeeds({ swarm, log, serve: (peer, need, signal) => serving.standIn(peer, need, signal) });
}

/** Who computes the blocks now; null when nobody can. */
export type Help = NonNullable<CircuitsOptions['help']>;

export function helpFor(
  { swarm, registry, views, clock, log }: Parts,
  choice: Pick<PathChoice, 'unmet'>,
  serving: Pick<NodeServing, 'standIn'>,
): Help {
  return async ({ model, cells, requirements, exclude }, span, lost) => {
    const need = { model, cells, from: span.from, to: span.to };
    const now = clock.now();
    const candidates = [...registry.byPeer()].flatMap(([peer, records]) => {
      const announcement = records.get(model)?.announcement;
      if (announcement === undefined || !announcement.serves.includes('blocks') || announcement.exp <= now)
        return [];
      if (peer === registry.self || lost.has(peer) || exclude.has(peer)) return [];
      return choice.unmet(peer, requirements) === null ? [{ peer, addresses: announcement.addrs }] : [];
    });
    candidates.sort((a, b) => far(views.latencyMs(a.peer)) - far(views.latencyMs(b.peer)));
    const found = await askForBlocks(need, { swarm, candidates, log });
    if (found !== null || lost.has(swarm.peer)) return found;
    try {
      await serving.standIn(swarm.peer, need, AbortSignal.timeout(OWN_MS));
      return { peer: swarm.peer, addresses: [], from: span.from, to: span.to };
    } catch (error) {
      log.warn('blocks that an answer needs could not be loaded here', { err: messageOf(error) });
      return null;
    }
  };
}

const far = (ms: number | null): number => ms ?? Number.MAX_VALUE;
/** ms in which this node has to load them. */
const OWN_MS = 60_000;
