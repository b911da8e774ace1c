/**
 * Peers and searches among them, as the server shows them.
 *
 * @module node/swarm-peers
 */
import { TIERS } from '../base/index.ts';
import type { FindQuery, FindView, PeersView, PeerView, ServedModel } from '../server/index.ts';
import {
  type Announcement,
  type Found,
  findPeers,
  type PeerLink,
  type Registry,
  type Views,
  withoutTerms,
} from '../swarm/index.ts';
import type { TrustScore } from '../trust/index.ts';

export interface Sources {
  readonly registry: Registry;
  readonly links: readonly PeerLink[];
  readonly score: (peer: string) => TrustScore;
  readonly banned: ReadonlySet<string>;
  /** Id of a model on this node by the hash of its file. */
  readonly names: ReadonlyMap<string, string>;
  readonly now: number;
}

/** Direct links before relayed ones, quick ones before slow ones. */
export function bestLinks(links: readonly PeerLink[]): Map<string, PeerLink> {
  const best = new Map<string, PeerLink>();
  const cost = ({ direct, rttMs }: PeerLink) => (direct ? 0 : 1e6) + (rttMs ?? 1e5);
  for (const link of links) {
    const other = best.get(link.peer);
    if (other === undefined || cost(link) < cost(other)) best.set(link.peer, link);
  }
  return best;
}

export function peersView({ registry, links, score, banned, names, now }: Sources, limit: number): PeersView {
  const best = bestLinks(links);
  const announced = new Map<string, Announcement[]>();
  for (const [peer, records] of registry.byPeer()) {
    const valid = [...records.values()].map((held) => held.announcement).filter((one) => one.exp > now);
    if (peer !== registry.self && valid.length > 0) announced.set(peer, valid);
  }
  const all = [...new Set([...best.keys(), ...announced.keys(), ...banned])].map((peer): PeerView => {
    const link = best.get(peer) ?? null;
    const { tier, score: value } = score(peer);
    const records = announced.get(peer) ?? [];
    return {
      peer,
      tier,
      score: value,
      connected: link !== null,
      address: link?.address ?? null,
      direct: link?.direct ?? null,
      path: link?.path ?? null,
      rttMs: link?.rttMs ?? null,
      ...saidBy(records, names),
      banned: banned.has(peer),
    };
  });
  all.sort(
    (a, b) =>
      Number(b.connected) - Number(a.connected) ||
      TIERS.indexOf(b.tier) - TIERS.indexOf(a.tier) ||
      (a.peer < b.peer ? -1 : 1),
  );
  return { peers: all.slice(0, limit), more: Math.max(0, all.length - limit) };
}

function saidBy(
  records: readonly Announcement[],
  names: ReadonlyMap<string, string>,
): Pick<PeerView, 'state' | 'regions' | 'serves' | 'models'> {
  const newest = records.reduce<Announcement | null>(
    (last, one) => (last === null || one.seq > last.seq ? one : last),
    null,
  );
  const models = records.flatMap(({ model, serves, blocks, state }): ServedModel[] =>
    model === null || state === 'offline'
      ? []
      : [{ ...model, id: names.get(model.hash) ?? null, serves, blocks }],
  );
  return {
    state: records.find((one) => one.model === null)?.state ?? newest?.state ?? null,
    regions: newest?.regions ?? [],
    serves: withoutTerms(records.find((one) => one.model === null)?.serves ?? []),
    models,
  };
}

/** @param model SHA-256 that the query means; null: none */
export function findView(
  registry: Registry,
  query: FindQuery,
  model: string | null,
  views: Views,
  now: number,
  limit: number,
): FindView {
  const { serves, blocks, minTier, maxLatencyMs, regions, pledge } = query;
  const found: Found = findPeers(
    registry,
    {
      model,
      serves,
      ...(blocks === null ? {} : { blocks }),
      ...(minTier === null ? {} : { minTier }),
      ...(maxLatencyMs === null ? {} : { maxLatencyMs }),
      ...(regions.length === 0 ? {} : { regions }),
      ...(pledge ? { pledge } : {}),
    },
    views,
    now,
  );
  const leftOut = found.leftOut.filter(({ reason }) => reason !== 'self');
  return {
    model,
    found: found.candidates.slice(0, limit).map(({ peer, announcement, standing, latency }) => ({
      peer,
      tier: standing.tier,
      score: standing.score,
      latencyMs: latency.ms,
      latencySource: latency.source,
      regions: announcement.regions,
      blocks: announcement.blocks,
      tokensPerSecond: announcement.tokensPerSecond,
    })),
    leftOut: leftOut.slice(0, limit),
    more: Math.max(0, found.candidates.length - limit) + Math.max(0, leftOut.length - limit),
  };
}
