/**
 * Who serves which blocks of a model, as this node knows it; what is missing, and what this node could do about it.
 *
 * @module node/shards/coverage
 */
import { KithError, reaches, TIERS, type Tier } from '../../base/index.ts';
import type { ModelManifest } from '../../models/index.ts';
import type {
  CoverageListView,
  CoverageView,
  ProposalView,
  ServedView,
  ShardPeerView,
  StretchView,
} from '../../server/index.ts';
import {
  type BlockSpan,
  blockRates,
  type Choice,
  chooseRange,
  type ServedBlocks,
  spanText,
  strengthOf,
} from '../../shards/index.ts';
import { type Announcement, type BlockRange, coverageOf, findPeers } from '../../swarm/index.ts';
import { readCalibrations } from './calibration-file.ts';
import { meansFor } from './machine.ts';
import { absenceOf, type Presence } from './presence.ts';
import { textModel, writesText } from './text-model.ts';
import type { ShardParts } from './types.ts';
import type { WatchedModels } from './watching.ts';

export interface CoverageParts
  extends Pick<ShardParts, 'config' | 'engine' | 'models' | 'swarm' | 'registry' | 'views' | 'clock'> {
  readonly watched: Pick<WatchedModels, 'ask'>;
  /** Which peers cannot be reached. */
  readonly presence: Pick<Presence, 'goneSince'>;
  /** What this node serves. */
  readonly ranges: () => readonly ServedView[];
}

export interface NodeCoverage {
  view(model: string | null, propose: boolean): Promise<CoverageListView>;
  /** The blocks that this node serves best. @throws KithError `model_not_found` */
  choose(model: string, mostBlocks: number | null): Promise<Choice>;
  /** What others whom this node counts serve of a model, or are about to. */
  othersOf(sha256: string): ServedBlocks[];
}

/** Models that are listed at once. */
const MOST_MODELS = 64;
/** A model of which only announcements tell has no more blocks: what strangers say is not to cost more. */
const MOST_BLOCKS = 1024;

interface Named {
  readonly sha256: string;
  /** Null: not known on this node. */
  readonly manifest: ModelManifest | null;
}

export function nodeCoverage(parts: CoverageParts): NodeCoverage {
  const { config, models, swarm, registry, clock, presence } = parts;
  const { use, serveTier } = config.shards;
  const friends = new Set(config.swarm.friends);
  const rtts = new Map<string, number>();
  const views: ShardParts['views'] = {
    standing: (peer) => parts.views.standing(peer),
    latencyMs: (peer) => parts.views.latencyMs(peer) ?? rtts.get(peer) ?? null,
  };

  /** Why paths of this node may not go through it; null when they may. */
  function refusal(peer: string, tier: Tier): string | null {
    if (use === 'nobody') return 'shards.use is nobody.';
    if (use === 'friends')
      return friends.has(peer) ? null : 'shards.use is friends, and it is none (swarm.friends).';
    return reaches(tier, use) ? null : `Its tier is ${tier}; shards.use is ${use}.`;
  }

  /** Whose word counts when blocks are chosen: those whom this node computes with, or for. */
  function counts(peer: string): boolean {
    if (friends.has(peer)) return true;
    const { tier } = views.standing(peer);
    return [use, serveTier].some((least) => isTier(least) && reaches(tier, least));
  }

  async function manifests(): Promise<Map<string, ModelManifest>> {
    return new Map((await models.list()).map(({ manifest }) => [manifest.sha256, manifest]));
  }

  async function named(model: string): Promise<Named> {
    // A file may be there under several ids.
    const all = (await models.list()).map(({ manifest }) => manifest);
    const found = all.find(({ id }) => id === model) ?? all.find(({ sha256 }) => sha256 === model);
    if (found !== undefined) return { sha256: found.sha256, manifest: found };
    if (/^[0-9a-f]{64}$/.test(model)) return { sha256: model, manifest: null };
    throw new KithError(
      'model_not_found',
      `'${model.slice(0, 100)}' is neither a model that this node knows nor the SHA-256 of a model's file. kith shard gap lists those that peers announce.`,
      { status: 404, param: 'model' },
    );
  }

  const serves = ({ serves: words, state, exp }: Announcement): boolean =>
    words.includes('blocks') && (state === 'online' || state === 'joining') && exp > clock.now();

  function othersOf(sha256: string): ServedBlocks[] {
    const found: ServedBlocks[] = [];
    for (const [peer, records] of registry.byPeer()) {
      const one = records.get(sha256)?.announcement;
      if (one === undefined || peer === registry.self || !serves(one) || !counts(peer)) continue;
      if (presence.goneSince(peer) !== null) continue;
      found.push({ peer, ranges: one.blocks.map(spanOf), tokensPerSecond: one.tokensPerSecond });
    }
    return found;
  }

  /** What this node serves now, or is about to. */
  function ownOf(sha256: string): ServedBlocks | null {
    const own = parts
      .ranges()
      .filter((one) => one.sha256 === sha256 && !['failed', 'draining'].includes(one.state));
    if (own.length === 0) return null;
    const ms = own.reduce((sum, { tokenMs }) => sum + (tokenMs ?? 0), 0);
    const ranges = own.map(({ from, to }) => ({ from, to }));
    return { peer: registry.self, ranges, tokensPerSecond: ms > 0 ? 1000 / ms : null };
  }

  async function propose(manifest: ModelManifest, mostBlocks: number | null = null): Promise<Choice> {
    const own = parts
      .ranges()
      .filter(({ sha256, tokenMs }) => sha256 === manifest.sha256 && tokenMs !== null);
    const ownMs = own[0] === undefined ? null : own[0].tokenMs! / (own[0].to - own[0].from);
    const means = await meansFor(parts, registry.self, manifest, await readCalibrations(config.home), ownMs);
    const request = { ...means, node: { ...means.node, ...(mostBlocks === null ? {} : { mostBlocks }) } };
    return chooseRange({ ...request, others: othersOf(manifest.sha256) });
  }

  function peersOf(sha256: string): ShardPeerView[] {
    const now = clock.now();
    const query = {
      model: sha256,
      serves: 'blocks',
      blocks: [0, 65_536],
      cover: 'some',
      cacheTokens: 1,
    } as const;
    const { candidates, leftOut } = findPeers(registry, query, views, now);
    const fit = new Set(candidates.map(({ peer }) => peer));
    const why = new Map(leftOut.map(({ peer, detail }) => [peer, detail]));
    const found: ShardPeerView[] = [];
    for (const [peer, records] of registry.byPeer()) {
      const one = records.get(sha256)?.announcement;
      if (one === undefined || one.blocks.length === 0) continue;
      const self = peer === registry.self;
      const { tier } = views.standing(peer);
      const measured = views.latencyMs(peer);
      const reason = self
        ? null
        : (absenceOf(presence, peer, now) ??
          (fit.has(peer) ? refusal(peer, tier) : (why.get(peer) ?? 'Not known.')));
      found.push({
        ...{ peer, self, blocks: one.blocks, tier, friend: friends.has(peer) },
        rttMs: self ? 0 : (measured ?? one.latencyMs),
        rttSource: self || measured !== null ? 'measured' : one.latencyMs === null ? 'unknown' : 'claimed',
        ...{ tokensPerSecond: one.tokensPerSecond, freeCells: one.freeCacheTokens, state: one.state },
        ...{ usable: self ? one.state === 'online' : reason === null, reason },
      });
    }
    return found.sort((a, b) => a.blocks[0]![0] - b.blocks[0]![0] || (a.peer < b.peer ? -1 : 1));
  }

  async function viewOf({ sha256, manifest }: Named, asksProposal: boolean): Promise<CoverageView> {
    const peers = peersOf(sha256);
    const announced = Math.max(0, ...peers.flatMap(({ blocks }) => blocks.map(([, to]) => to)));
    const blocks = manifest?.blocks ?? Math.min(MOST_BLOCKS, announced);
    const usable = peers.filter((one) => one.usable);
    const coverage = coverageOf(
      usable.flatMap((one) => one.blocks),
      blocks,
    );
    const rates = blockRates(
      usable.map(({ peer, blocks: ranges, tokensPerSecond }) => ({
        ...{ peer, tokensPerSecond },
        ranges: ranges.map(spanOf),
      })),
      blocks,
    );
    const { weakest, gaps } = strengthOf(rates);
    const stretches = coverage.stretches.map(
      ({ start, end, times }): StretchView => ({
        blocks: [start, end],
        times,
        tokensPerSecond: Math.min(...rates.subarray(start, end)),
      }),
    );
    const [one] = peers.flatMap(({ peer }) => registry.get(peer, sha256) ?? []);
    return {
      ...{ model: sha256, modelId: manifest?.id ?? null },
      quantisation: manifest?.quantisation ?? one?.model?.quant ?? null,
      ...{ blocks, blocksFrom: manifest === null ? 'announced' : 'model', peers, stretches },
      gaps: coverage.gaps,
      weakest:
        weakest === null || gaps.length > 0
          ? null
          : (stretches.find(({ blocks: [from, to] }) => from <= weakest.from && weakest.from < to) ?? null),
      proposal:
        manifest === null || !asksProposal || !writesText(manifest) ? null : await proposalOf(manifest),
    };
  }

  async function proposalOf(manifest: ModelManifest): Promise<ProposalView> {
    const { span, tokensPerSecond, bytes, after, reasons } = await propose(manifest);
    const own = ownOf(manifest.sha256);
    const same = own?.ranges.some(({ from, to }) => from === span?.from && to === span.to) ?? false;
    // The reasons are of a swarm without this node's blocks.
    const told = same
      ? [`This node serves ${spanText(span!)} already, where it helps most.`]
      : own === null
        ? reasons
        : ['Without the blocks that this node serves:', ...reasons];
    // Ranges of one model may not meet.
    const meets =
      span !== null && own?.ranges.some(({ from, to }) => from <= span.to && span.from <= to) === true;
    return {
      blocks: span === null ? null : [span.from, span.to],
      ...{ tokensPerSecond, bytes },
      gapsLeft: after.gaps.map(({ from, to }) => [from, to] as const),
      weakestAfter: after.least,
      reasons: told,
      command:
        span === null || same
          ? null
          : `${meets ? `kith shard stop ${manifest.id} && ` : ''}kith shard serve --model ${manifest.id} --start-block ${span.from} --blocks ${span.to - span.from}`,
    };
  }

  async function refreshLinks(): Promise<void> {
    if (swarm.state !== 'running') return;
    for (const { peer, rttMs } of await swarm.links()) if (rttMs !== null) rtts.set(peer, rttMs);
    while (rtts.size > 1024) rtts.delete(rtts.keys().next().value!);
  }

  return {
    othersOf,
    async choose(model, mostBlocks) {
      const manifest = await textModel(models, model);
      await parts.watched.ask(manifest.sha256);
      return propose(manifest, mostBlocks);
    },
    async view(model, asksProposal) {
      await refreshLinks();
      if (model !== null) {
        const one = await named(model);
        await parts.watched.ask(one.sha256);
        return { models: [await viewOf(one, asksProposal)], more: false };
      }
      await parts.watched.ask(null);
      const known = await manifests();
      const announced = new Set<string>();
      for (const { announcement } of registry.records())
        if (announcement.model !== null && serves(announcement)) announced.add(announcement.model.hash);
      // Those that this node knows first: strangers can announce any number.
      const hashes = [...announced].sort(
        (a, b) => Number(known.has(b)) - Number(known.has(a)) || (a < b ? -1 : 1),
      );
      const listed = hashes.slice(0, MOST_MODELS);
      return {
        models: await Promise.all(
          listed.map((sha256) => viewOf({ sha256, manifest: known.get(sha256) ?? null }, asksProposal)),
        ),
        more: hashes.length > listed.length,
      };
    },
  };
}

const isTier = (name: string): name is Tier => (TIERS as readonly string[]).includes(name);
const spanOf = ([from, to]: BlockRange): BlockSpan => ({ from, to });
