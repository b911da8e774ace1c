/**
 * Who can serve a model, or blocks of it, at a tier, a latency, a region, with a pledge; and why the others cannot.
 *
 * What a peer announces is a claim; trust and measured latency are this node's own. Order: tier; then latency, where a
 * claim counts twice and never less than 50 ms, so that a liar gains one try at most; then claimed rate; then PeerId.
 *
 * @module swarm/registry/find
 */
import { reaches, TIERS } from '../../base/index.ts';
import type { PeerRequirements, Tier } from '../../trust/index.ts';
import type { Announcement, BlockRange, Serves } from '../records/types.ts';
import { covers, touches } from './coverage.ts';
import type { Registry } from './registry.ts';

export interface PeerQuery extends PeerRequirements {
  /** SHA-256 of the GGUF, hex; null: no model is involved (`storage`). */
  readonly model: string | null;
  readonly serves: Serves;
  /** With `blocks`: which. */
  readonly blocks?: BlockRange;
  /** With `blocks`: whether one peer must serve `all` of them or `some`. @default 'all' */
  readonly cover?: 'all' | 'some';
  /** Tokens of KV cache the request needs. */
  readonly cacheTokens?: number;
  /** Peers not to be asked again. */
  readonly exclude?: ReadonlySet<string>;
}

/** What this node thinks of a peer; from the trust room, by way of the node. */
export interface PeerStanding {
  readonly tier: Tier;
  /** 0 to 1. */
  readonly score: number;
  /** The peer's operator holds a valid FiduciaryPledge. */
  readonly pledge: boolean;
}

export interface Views {
  readonly standing: (peer: string) => PeerStanding;
  /** Round trip and queue that this node measured, ms; null when it did not. */
  readonly latencyMs: (peer: string) => number | null;
}

export interface Latency {
  /** Null: neither measured nor claimed. */
  readonly ms: number | null;
  readonly source: 'measured' | 'claimed' | 'unknown';
}

export interface Candidate {
  readonly peer: string;
  readonly announcement: Announcement;
  readonly standing: PeerStanding;
  readonly latency: Latency;
}

/** Why a peer was left out. The first that holds, in this order. */
export const LEFT_OUT = [
  'self',
  'excluded',
  'other_model',
  'expired',
  'offline',
  'not_ready',
  'not_served',
  'blocks_missing',
  'cache_full',
  'tier',
  'pledge',
  'region',
  'latency',
  'latency_unknown',
] as const;
export type LeftOutReason = (typeof LEFT_OUT)[number];

export interface LeftOut {
  readonly peer: string;
  readonly reason: LeftOutReason;
  /** For people: what was asked and what is there. */
  readonly detail: string;
}

export interface Found {
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** Every other peer of the registry, each with one reason. */
  readonly leftOut: readonly LeftOut[];
}

export function findPeers(registry: Registry, query: PeerQuery, views: Views, now: number): Found {
  const candidates: Candidate[] = [];
  const leftOut: LeftOut[] = [];
  for (const [peer, records] of registry.byPeer()) {
    const announcement = records.get(query.model ?? '')?.announcement ?? null;
    const farewell = records.get('')?.announcement;
    const known = announcement ?? (farewell?.state === 'offline' ? farewell : null);
    const standing = views.standing(peer);
    const latency = latencyOf(views.latencyMs(peer), announcement);
    const why = whyNot(peer, known, query, standing, latency, registry.self, now);
    if (why !== null) leftOut.push({ peer, reason: why[0], detail: why[1] });
    else if (known !== null) candidates.push({ peer, announcement: known, standing, latency });
  }
  candidates.sort(compare);
  return { candidates, leftOut };
}

type Why = readonly [reason: LeftOutReason, detail: string];

function whyNot(
  peer: string,
  one: Announcement | null,
  query: PeerQuery,
  standing: PeerStanding,
  latency: Latency,
  self: string,
  now: number,
): Why | null {
  if (peer === self) return ['self', 'This node itself.'];
  if (query.exclude?.has(peer)) return ['excluded', 'The request does not want it.'];
  if (one === null) return ['other_model', 'It announces nothing about this model.'];
  return offerWhyNot(one, query, now) ?? requirementsWhyNot(one, query, standing, latency);
}

/** What the peer itself says. */
function offerWhyNot(one: Announcement, query: PeerQuery, now: number): Why | null {
  if (one.exp <= now) return ['expired', `Its record was valid until ${new Date(one.exp).toISOString()}.`];
  if (one.state === 'offline') return ['offline', 'It said that it is gone.'];
  if (one.state !== 'online') return ['not_ready', `It is ${one.state}.`];
  if (!one.serves.includes(query.serves)) {
    return [
      'not_served',
      one.serves.length === 0
        ? `It serves nothing; ${query.serves} is asked for.`
        : `It serves ${one.serves.join(', ')}, not ${query.serves}.`,
    ];
  }
  if (query.blocks !== undefined) {
    const fits = query.cover === 'some' ? touches : covers;
    if (!fits(one.blocks, query.blocks))
      return [
        'blocks_missing',
        `It serves blocks ${rangesText(one.blocks)}, not ${rangesText([query.blocks])}.`,
      ];
  }
  if (query.cacheTokens !== undefined && one.freeCacheTokens < query.cacheTokens)
    return ['cache_full', `It has cache for ${one.freeCacheTokens} tokens; ${query.cacheTokens} are needed.`];
  return null;
}

/** What this node asks of it. */
function requirementsWhyNot(
  one: Announcement,
  query: PeerQuery,
  standing: PeerStanding,
  latency: Latency,
): Why | null {
  const { minTier, pledge, regions, maxLatencyMs } = query;
  if (minTier !== undefined && !reaches(standing.tier, minTier))
    return ['tier', `Its tier is ${standing.tier}; ${minTier} is asked for.`];
  if (pledge === true && !standing.pledge) return ['pledge', 'It shows no valid FiduciaryPledge.'];
  if (regions !== undefined && !regions.some((region) => one.regions.includes(region)))
    return ['region', `It says ${one.regions.join(', ') || 'no region'}; asked for: ${regions.join(', ')}.`];
  if (maxLatencyMs !== undefined) {
    if (latency.ms === null) return ['latency_unknown', `At most ${maxLatencyMs} ms are asked for.`];
    if (latency.ms > maxLatencyMs)
      return [
        'latency',
        `${Math.round(latency.ms)} ms (${latency.source}); at most ${maxLatencyMs} ms are asked for.`,
      ];
  }
  return null;
}

function latencyOf(measured: number | null, one: Announcement | null): Latency {
  if (measured !== null) return { ms: measured, source: 'measured' };
  const claimed = one?.latencyMs ?? null;
  return claimed === null ? { ms: null, source: 'unknown' } : { ms: claimed, source: 'claimed' };
}

/** Ms by which a candidate is put in order. */
function expectedMs({ ms, source }: Latency): number {
  if (ms === null) return 1000;
  return source === 'measured' ? ms : Math.max(50, 2 * ms);
}

function compare(a: Candidate, b: Candidate): number {
  return (
    TIERS.indexOf(b.standing.tier) - TIERS.indexOf(a.standing.tier) ||
    expectedMs(a.latency) - expectedMs(b.latency) ||
    (b.announcement.tokensPerSecond ?? 0) - (a.announcement.tokensPerSecond ?? 0) ||
    (a.peer < b.peer ? -1 : 1)
  );
}

function rangesText(ranges: readonly BlockRange[]): string {
  return ranges.map(([start, end]) => `${start} to ${end - 1}`).join(', ') || 'none';
}
