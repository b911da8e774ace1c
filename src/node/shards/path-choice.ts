/**
 * Who may be asked for which blocks now, and which path is the best through them.
 *
 * @module node/shards/path-choice
 */
import { higher, reaches, type Tier } from '../../base/index.ts';
import {
  type BlockSpan,
  type PathChoice as Chosen,
  type CircuitsOptions,
  gapsIn,
  isPath,
  type PathQuery,
  type PlanRequest,
  planPath,
  planSecond,
  planSubstitute,
  type ShardCandidate,
  shardCandidates,
  waysBetween,
} from '../../shards/index.ts';
import type { LeftOut } from '../../swarm/index.ts';
import { absenceOf, type Presence } from './presence.ts';
import type { BlockOffer, ShardParts } from './types.ts';

/** ms for which nobody is asked who was lost in the middle of an answer, or refused and did not say for how long. */
const LOST_MS = 20_000;
const REFUSED_MS = 5_000;
const MOST_AVOIDED = 1024;
/** ms of a block of this node's own whose rate was not measured yet. */
const OWN_BLOCK_MS = 5;

/**
 * Peers among which a path is sought: those without trouble lately; also those that refused, for others may not be there; and for
 * want of these those that were lost too, which may be back: whoever is known to be gone is none of them.
 */
type Among = 'calm' | 'willing' | 'all';

export interface PathChoice
  extends Required<
    Pick<CircuitsOptions, 'choose' | 'substitute' | 'second' | 'unmet' | 'onTrouble' | 'onLink'>
  > {
  /** Whether peers that may be asked have all blocks of the span: cheaper than a path. */
  covers(query: PathQuery): boolean;
  /** Why this node asks the peer for no blocks; null when it may. */
  refusal(peer: string): string | null;
  /** The round trip to a peer, ms, as a link had it last. */
  measured(peer: string, rttMs: number): void;
}

/** @param own blocks that this node serves itself: the shortest way there is @param presence who cannot be reached */
export function pathChoice(
  parts: Pick<ShardParts, 'config' | 'registry' | 'trust' | 'views' | 'clock' | 'swarm'>,
  own: () => readonly BlockOffer[],
  presence: Pick<Presence, 'goneSince'> = { goneSince: () => null },
): PathChoice {
  const { config, registry, clock, swarm } = parts;
  const { use } = config.shards;
  const least: Tier | undefined = use === 'nobody' || use === 'friends' ? undefined : use;
  /** As measured on links, for those that `views` knows nothing of. */
  const rtts = new Map<string, number>();
  const views: ShardParts['views'] = {
    standing: (peer) => parts.views.standing(peer),
    latencyMs: (peer) => parts.views.latencyMs(peer) ?? rtts.get(peer) ?? null,
  };

  /** As peers say when a path goes from one to the other. */
  const ways = waysBetween(() => clock.monotonic());
  const rttBetween = (one: string, other: string): number | null => {
    const to = (peer: string) => (peer === registry.self ? 0 : views.latencyMs(peer));
    return ways.between(one, other, [to(one), to(other)]);
  };

  /** Peers in trouble lately, and until when (monotonic ms) they are passed over. */
  const avoided = new Map<string, { readonly until: number; readonly lost: boolean }>();

  /** Why the peer is passed over just now. */
  function troubleOf(peer: string, among: Among): string | null {
    const trouble = avoided.get(peer);
    const ms = (trouble?.until ?? 0) - clock.monotonic();
    if (trouble === undefined || ms <= 0 || among === 'all') return null;
    if (!trouble.lost && among === 'willing') return null;
    const what = trouble.lost ? 'was lost in the middle of an answer' : 'refused a session';
    return `It ${what}; it is asked again in ${Math.ceil(ms / 1000)} s.`;
  }

  /** Why this node asks the peer for no blocks; null when it may. */
  function refusal(peer: string): string | null {
    return refused(peer) ?? absenceOf(presence, peer, clock.now());
  }

  /** As the owner has set it. */
  function refused(peer: string): string | null {
    if (use === 'nobody') return 'shards.use is nobody.';
    if (use === 'friends')
      return config.swarm.friends.includes(peer)
        ? null
        : 'shards.use is friends, and it is none (swarm.friends).';
    const { tier } = views.standing(peer);
    return reaches(tier, use) ? null : `Its tier is ${tier}; shards.use is ${use}.`;
  }

  function candidatesFor({ model, span, cells, requirements, via, exclude }: PathQuery, among: Among) {
    const { minTier: asked, ...others } = requirements;
    const minTier = higher(asked, least);
    const query = { model, span, cells, exclude, ...others, ...(minTier === undefined ? {} : { minTier }) };
    const found = shardCandidates(registry, query, views, clock.now());
    const leftOut = new Map<string, LeftOut>(found.leftOut.map((one) => [one.peer, one]));
    const may: ShardCandidate[] = [];
    for (const one of found.candidates) {
      const why = refusal(one.peer) ?? troubleOf(one.peer, among);
      if (why === null) may.push(one);
      else leftOut.set(one.peer, { peer: one.peer, reason: 'excluded', detail: why });
    }
    if (!exclude.has(registry.self)) may.push(...ownCandidates(model));
    if (via === null) return { candidates: may, leftOut: [...leftOut.values()] };
    for (const { peer } of may)
      if (!via.some((one) => one.peer === peer))
        leftOut.set(peer, { peer, reason: 'excluded', detail: 'The path is to go through others.' });
    const candidates = via.flatMap(({ peer, span: part }) =>
      may.flatMap((one): ShardCandidate[] => {
        if (one.peer !== peer) return [];
        const { from, to } = part ?? one;
        return from < one.from || to > one.to ? [] : [{ ...one, from, to }];
      }),
    );
    return { candidates, leftOut: [...leftOut.values()] };
  }

  /** What this node serves, to itself. */
  function ownCandidates(model: string): ShardCandidate[] {
    return own().flatMap(({ model: served, blocks, tokensPerSecond, freeCacheTokens, state }) => {
      if (served?.hash !== model || state !== 'online') return [];
      const count = blocks.reduce((sum, [from, to]) => sum + to - from, 0);
      return blocks.map(
        ([from, to]): ShardCandidate => ({
          peer: registry.self,
          addresses: swarm.addresses,
          from,
          to,
          msPerBlock: tokensPerSecond ? 1000 / tokensPerSecond / count : OWN_BLOCK_MS,
          load: 0,
          rttMs: 0,
          freeCells: freeCacheTokens,
        }),
      );
    });
  }

  function choose(query: PathQuery): Chosen {
    const planned = (among: Among): Chosen => {
      const { candidates, leftOut } = candidatesFor(query, among);
      return { plan: planPath({ span: query.span, cells: query.cells, rttBetween }, candidates), leftOut };
    };
    let found = planned('calm');
    if (!isPath(found.plan)) found = planned('willing');
    if (!isPath(found.plan) && query.alsoLost === true) found = planned('all');
    return found;
  }

  /** Those that were not in trouble lately, if they do. */
  const others =
    <T>(
      plan: (request: PlanRequest, among: readonly ShardCandidate[], not: ReadonlySet<string>) => T | null,
    ) =>
    (query: PathQuery, span: BlockSpan, not: ReadonlySet<string>): T | null => {
      const planned = (among: Among) =>
        plan(
          { span, cells: query.cells, rttBetween },
          candidatesFor({ ...query, span, via: null }, among).candidates,
          not,
        );
      return planned('calm') ?? planned('willing');
    };

  return {
    choose,
    covers: (query) => gapsIn(query.span, candidatesFor(query, 'all').candidates).length === 0,
    refusal,
    measured: (peer, rttMs) => void rtts.set(peer, rttMs),
    onLink: ways.note,
    substitute: others(planSubstitute),
    second: others(planSecond),
    onTrouble(peer, trouble, waitMs) {
      avoided.delete(peer);
      if (avoided.size >= MOST_AVOIDED) avoided.delete(avoided.keys().next().value!);
      const lost = trouble === 'lost';
      avoided.set(peer, { until: clock.monotonic() + (waitMs ?? (lost ? LOST_MS : REFUSED_MS)), lost });
    },
    unmet(peer, requirements) {
      if (peer === registry.self) return null;
      const why = refusal(peer);
      if (why !== null) return why;
      const region = registry
        .of(peer)
        .flatMap(({ regions }) => regions)
        .find((one) => requirements.regions === undefined || requirements.regions.includes(one));
      const facts = { latencyMs: views.latencyMs(peer), region: region ?? null };
      const { ok, reasons } = parts.trust.meets(peer, requirements, facts);
      return ok ? null : reasons.join(', ');
    },
  };
}
