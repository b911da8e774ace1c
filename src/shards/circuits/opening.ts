/**
 * Opens the path of a circuit, and a second one through other peers where everything is to be computed twice.
 *
 * @module shards/circuits/opening
 */
import { isKithError, KithError } from '../../base/index.ts';
import { createAuditor } from '../audit/auditor.ts';
import type { Auditor } from '../audit/types.ts';
import type { ShardOffer } from '../path/hop.ts';
import { openPath } from '../path/path.ts';
import type { Path } from '../path/types.ts';
import { isPath } from '../plan/candidates.ts';
import type { PathPlan } from '../plan/plan.ts';
import { Pair, type Side } from '../twice/pair.ts';
import { Told } from './figures.ts';
import { inPlaceOf } from './in-place.ts';
import { busy, noPath, type Refused } from './refusals.ts';
import type { CircuitLimits, CircuitsOptions, CircuitWish, PathQuery } from './types.ts';

/** Fewer cells than this are not worth a path. */
const LEAST_CELLS = 256;
/** Answers that can be made side by side, each of a whole context: cells for more are of no use. */
const MOST_CONTEXTS = 16;

export type CircuitParts = Omit<CircuitsOptions, 'limits'> & { readonly limits: CircuitLimits };

export interface Opened {
  readonly path: Path;
  readonly query: PathQuery;
  readonly plan: PathPlan;
  readonly told: Told;
  readonly auditor: Auditor | null;
  /** The two paths, where there are two; what they are made of goes with it. */
  readonly pair: Pair | null;
}

/** A path for the wish: those who refuse are left out of the next try, and with fewer cells more may do. */
export async function openFor(parts: CircuitParts, wish: CircuitWish, signal: AbortSignal): Promise<Opened> {
  const { choose, clock, random, log, limits } = parts;
  const { model, own, requirements, via = null } = wish;
  const span = { from: own, to: model.blocks - own };
  if (span.to <= span.from)
    throw new KithError(
      'path_invalid',
      `'${model.id}' has ${model.blocks} blocks: with ${own} at each end on this node none is left for peers.`,
      { status: 400 },
    );
  const exclude = new Set<string>();
  const refused: Refused[] = [];
  let cells = Math.min(MOST_CONTEXTS * model.context, Math.max(LEAST_CELLS, wish.cells));
  for (let tries = 0; tries < limits.tries; ) {
    const query: PathQuery = { model: model.sha256, span, cells, requirements, via, exclude };
    const { plan, leftOut } = choose({ ...query, alsoLost: true });
    if (!isPath(plan)) {
      if (cells > LEAST_CELLS && leftOut.some(({ reason }) => reason === 'cache_full')) {
        cells = Math.max(LEAST_CELLS, Math.floor(cells / 2));
        continue;
      }
      throw refused.length > 0
        ? busy(model.id, refused, plan.gaps)
        : noPath(model.id, span, plan.gaps, leftOut);
    }
    tries++;
    const told = new Told(parts.clock);
    const open = query;
    const culprits = new Map<unknown, string>();
    let path: Path | null = null;
    let pair: Pair | null = null;
    const auditor =
      parts.redundancy !== 2 && !(parts.audit !== undefined && parts.audit.share > 0)
        ? null
        : auditorFor(parts, open, parts.audit?.share ?? 0);
    try {
      path = await openPath(
        {
          swarm: watchedSwarm(parts.swarm, requirements, culprits),
          model: model.sha256,
          shards: plan.shards.map(({ peer, addresses, from, to }) => ({ peer, addresses, from, to })),
          cells,
          // Who computes the same a second time cannot take the place of who computes it the first time.
          substitute: (lostSpan, lost) => inPlaceOf(parts, open, lostSpan, union(lost, pair?.others() ?? [])),
          ...(parts.type !== undefined && { type: parts.type }),
          ...(parts.work !== undefined && { work: parts.work }),
          ...(parts.onLink !== undefined && { onLink: parts.onLink }),
          ...(auditor !== null && { observer: auditor.observer }),
          onEvent(event) {
            const reached = path?.shards() ?? [];
            told.note(event, reached);
            if (event.type === 'lost') parts.onTrouble?.(event.peer, 'lost', null);
          },
          clock,
          random,
          log,
        },
        signal,
      );
      auditor?.watch(path);
      if (parts.redundancy === 2 && auditor !== null)
        pair = await openSecond(parts, open, { path, auditor }, signal);
      return { path, query, plan, told, auditor, pair };
    } catch (error) {
      await auditor?.[Symbol.asyncDispose]();
      if (signal.aborted || !isKithError(error)) throw error;
      // Two that cannot reach each other are nobody's end alone: the path is tried without the first of them.
      const peer = culprits.get(error) ?? plan.shards[0]!.peer;
      refused.push({ peer, error });
      const { retryAfter } = error;
      parts.onTrouble?.(peer, 'refused', retryAfter === undefined ? null : retryAfter * 1000);
      exclude.add(peer);
      log.info('a path could not be opened', { model: model.id, code: error.code, err: error.message });
    }
  }
  throw busy(model.id, refused, []);
}

/** A second path, through none of the peers of the first; null when there is none. */
async function openSecond(
  parts: CircuitParts,
  query: PathQuery,
  first: Side,
  signal: AbortSignal,
): Promise<Pair | null> {
  const { choose, clock, random, log, limits } = parts;
  const { model, cells, requirements } = query;
  const refused = new Set<string>();
  for (let tries = 0; tries < limits.tries; tries++) {
    const { plan } = choose({ ...query, via: null, exclude: union(refused, first.path.shards()) });
    if (!isPath(plan)) break;
    const culprits = new Map<unknown, string>();
    const auditor = auditorFor(parts, query, 0);
    try {
      const path = await openPath(
        {
          swarm: watchedSwarm(parts.swarm, requirements, culprits),
          ...{ model, cells, clock, random, log, shards: plan.shards, observer: auditor.observer },
          substitute: async (span, lost) => parts.substitute(query, span, union(lost, first.path.shards())),
          ...(parts.type !== undefined && { type: parts.type }),
          ...(parts.work !== undefined && { work: parts.work }),
          onEvent(event) {
            if (event.type === 'lost') parts.onTrouble?.(event.peer, 'lost', null);
          },
        },
        signal,
      );
      return new Pair(first, { path, auditor }, log);
    } catch (error) {
      await auditor[Symbol.asyncDispose]();
      if (signal.aborted || !isKithError(error)) {
        await first.path[Symbol.asyncDispose]();
        throw error;
      }
      refused.add(culprits.get(error) ?? plan.shards[0]!.peer);
      log.info('a second path could not be opened', { code: error.code, err: error.message });
    }
  }
  log.info('what peers compute is computed once: there is no second path', { refused: refused.size });
  return null;
}

/** @param share of what the path computes that is audited by itself */
function auditorFor(parts: CircuitParts, query: PathQuery, share: number): Auditor {
  const { random, log, audit, second } = parts;
  const { model, cells, requirements } = query;
  const own = audit?.own;
  return createAuditor({
    ...{ model, cells, random, log, share },
    swarm: watchedSwarm(parts.swarm, requirements, new Map()),
    second: async (span, without) => second?.(query, span, without) ?? null,
    ...(own !== undefined && { own: (span, rows) => own(model, span, rows) }),
    ...(audit?.build !== undefined && { build: audit.build }),
    onVerdict: (verdict) => audit?.onVerdict(verdict),
  });
}

const union = (peers: ReadonlySet<string>, shards: readonly ShardOffer[]): Set<string> =>
  new Set([...peers, ...shards.map(({ peer }) => peer)]);

/** The network for one try: held to the tier when a session is opened, and noting whose end each error is. */
function watchedSwarm(
  swarm: CircuitsOptions['swarm'],
  { minTier }: PathQuery['requirements'],
  culprits: Map<unknown, string>,
): CircuitsOptions['swarm'] {
  return {
    learn: (...given) => swarm.learn(...given),
    async openSession(peer, method, metadata, options) {
      try {
        const tier = minTier === undefined ? {} : { minTier };
        const session = await swarm.openSession(peer, method, metadata, { ...options, ...tier });
        const note = () => culprits.set(session.signal.reason, peer);
        if (session.signal.aborted) note();
        else session.signal.addEventListener('abort', note, { once: true });
        return session;
      } catch (error) {
        culprits.set(error, peer);
        throw error;
      }
    },
  };
}
