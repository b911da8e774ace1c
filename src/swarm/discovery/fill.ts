/**
 * Cold start: finds nodes that know about a model, and takes snapshots of their registries.
 *
 * Nodes that this node already meets on the model's topic are asked first, those it cares for before others; then those
 * whom the DHT names as providers. Several are asked, so that one who hides part of what it knows changes little.
 *
 * @module swarm/discovery/fill
 */
import { type Clock, isKithError, type Random } from '../../base/index.ts';
import { REFUSALS, type Refusal } from '../records/types.ts';
import type { Registry } from '../registry/registry.ts';
import {
  encodeSnapshotRequest,
  mergeRecords,
  PAGE_MAX_BYTES,
  PAGE_MAX_RECORDS,
  parseSnapshotPage,
  SNAPSHOT_METHOD,
} from '../registry/snapshot.ts';
import type { Network } from './network.ts';
import { providerKeyOf, topicOf } from './topics.ts';

export interface FillOptions {
  readonly network: Pick<Network, 'subscribers' | 'findProviders' | 'call' | 'learn'>;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly standing: (peer: string) => number;
  readonly signal?: AbortSignal;
  /** How many answers are enough. @default 3 */
  readonly answers?: number;
}

export interface FillReport {
  readonly asked: number;
  /** Who gave at least one page. */
  readonly answered: number;
  /** New records. */
  readonly learned: number;
  readonly refused: Readonly<Record<Refusal, number>>;
  /** Error codes of those who did not answer. */
  readonly failed: readonly { readonly peer: string; readonly code: string }[];
}

const ANSWERS = 3;
/** Asked at once. */
const AT_ONCE = 3;
/** Asked at all. */
const MAX_ASKED = 12;
/** Of one node: 4,096 records. */
const MAX_PAGES = 16;
const CALL_MS = 5000;
const WALK_MS = 15_000;

interface Lead {
  readonly peer: string;
  readonly addresses: readonly string[];
}

/** Fills the registry with what others know about a model, or (null) about everything. Throws only when aborted. */
export async function fillRegistry(model: string | null, options: FillOptions): Promise<FillReport> {
  const enough = new AbortController();
  const signal =
    options.signal === undefined ? enough.signal : AbortSignal.any([options.signal, enough.signal]);
  const refused = Object.fromEntries(REFUSALS.map((code) => [code, 0])) as Record<Refusal, number>;
  const failed: { peer: string; code: string }[] = [];
  let asked = 0;
  let answered = 0;
  let learned = 0;

  const leads = leadsOf(model, options, signal);
  const worker = async () => {
    for (;;) {
      if (signal.aborted || asked >= MAX_ASKED) return;
      const next = await leads.next();
      if (next.done === true || signal.aborted || asked >= MAX_ASKED) return;
      asked++;
      try {
        await takeSnapshot(next.value, model, options, signal, (merged) => {
          learned += merged.learned;
          for (const code of REFUSALS) refused[code] += merged.refused[code];
        });
        if (++answered >= (options.answers ?? ANSWERS)) enough.abort();
      } catch (error) {
        if (!signal.aborted) failed.push({ peer: next.value.peer, code: codeOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  enough.abort();
  await leads.return(undefined);
  options.signal?.throwIfAborted();
  return { asked, answered, learned, refused, failed };
}

/** Whom to ask, each once, best first. An async generator takes calls in turn, so workers can share it. */
async function* leadsOf(
  model: string | null,
  options: FillOptions,
  signal: AbortSignal,
): AsyncGenerator<Lead, undefined> {
  const seen = new Set<string>([options.registry.self]);
  for (const peer of await neighbours(model, options)) {
    if (seen.has(peer)) continue;
    seen.add(peer);
    yield { peer, addresses: [] };
  }
  if (model === null) return;
  try {
    const walk = { signal, limit: MAX_ASKED, deadlineMs: WALK_MS };
    for await (const { peer, addresses } of options.network.findProviders(providerKeyOf(model), walk)) {
      if (seen.has(peer)) continue;
      seen.add(peer);
      yield { peer, addresses };
    }
  } catch {
    // A walk that fails names nobody more; gossip goes on without it.
  }
}

async function neighbours(model: string | null, options: FillOptions): Promise<string[]> {
  const { network, random, standing } = options;
  try {
    const peers = await network.subscribers(topicOf(model));
    return peers
      .map((peer) => ({ peer, order: standing(peer) + random.float() }))
      .sort((a, b) => b.order - a.order)
      .map(({ peer }) => peer);
  } catch {
    return [];
  }
}

async function takeSnapshot(
  lead: Lead,
  model: string | null,
  options: FillOptions,
  signal: AbortSignal,
  take: (merged: Awaited<ReturnType<typeof mergeRecords>>) => void,
): Promise<void> {
  const { network, registry } = options;
  if (lead.addresses.length > 0) await network.learn(lead.peer, lead.addresses);
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const request = encodeSnapshotRequest({ model, after, limit: PAGE_MAX_RECORDS });
    const call = { deadlineMs: CALL_MS, signal, maxReplyBytes: PAGE_MAX_BYTES };
    const reply = await network.call(lead.peer, SNAPSHOT_METHOD, request, undefined, call);
    const { records, next } = parseSnapshotPage(reply.payload);
    const merged = await mergeRecords(registry, records, lead.peer);
    take(merged);
    // A page that does not go on, or one of forgeries, is the last that is worth asking for.
    if (next === null || merged.skipped > 0 || records.length === 0 || (after !== null && next <= after))
      return;
    after = next;
  }
}

function codeOf(error: unknown): string {
  return isKithError(error) ? error.code : 'failed';
}
