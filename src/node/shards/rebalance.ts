/**
 * Looks from time to time whether blocks that this node chose by itself are better served elsewhere in the model, and moves.
 *
 * The new range is loaded first where memory allows; the old one goes on meanwhile, and drains then. Where both do not fit the
 * old one drains first. Peers on whom a block depends are pinged: who is killed says no farewell, and his announcement
 * would stand for minutes.
 *
 * @module node/shards/rebalance
 */
import {
  type Clock,
  type Config,
  isKithError,
  type Logger,
  messageOf,
  type Random,
} from '../../base/index.ts';
import type { ModelManifest, ModelStore } from '../../models/index.ts';
import type { LookView, RebalancingView, ServedView } from '../../server/index.ts';
import {
  afterFetch,
  type BlockSpan,
  blockRates,
  bytesOf,
  considerMove,
  type Decision,
  NO_MEMORY,
  REBALANCE_LIMITS,
  type RebalanceLimits,
  type RebalanceMemory,
  rateOf,
  type ServedBlocks,
} from '../../shards/index.ts';
import type { Swarm } from '../../swarm/index.ts';
import { readCalibrations } from './calibration-file.ts';
import { type MachineParts, meansFor } from './machine.ts';
import type { Presence } from './presence.ts';

export interface RebalanceParts extends MachineParts {
  readonly config: Config;
  readonly models: Pick<ModelStore, 'get' | 'holding' | 'tensorList' | 'ensureBlocks'>;
  readonly swarm: Pick<Swarm, 'peer' | 'ping' | 'state'>;
  /** What others serve of a model, or are about to. */
  readonly othersOf: (sha256: string) => readonly ServedBlocks[];
  /** Is told which peers answer. */
  readonly presence: Pick<Presence, 'note'>;
  readonly serving: Serving;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly limits?: Partial<RebalanceLimits>;
  /** ms between two looks; the next one comes after one to two of them. @default 15000 */
  readonly lookMs?: number;
}

/** What moves are made of. */
export interface Serving {
  ranges(): readonly ServedView[];
  /** Serves `to` first and drains the old range when that is ready. */
  move(old: ServedView, to: BlockSpan): Promise<unknown>;
  /** Drains the old range, and serves `to` when it is gone. */
  swap(old: ServedView, to: BlockSpan, signal: AbortSignal): Promise<unknown>;
}

export interface Rebalancing extends AsyncDisposable {
  /** What was decided at the last look, and the last move. */
  view(): RebalancingView;
}

/** What a look decided of a range. */
interface Look {
  readonly range: ServedView;
  readonly decision: Decision;
  /** Monotonic ms. */
  readonly at: number;
}

function lookView({ range, decision, at }: Look, now: number): LookView {
  const { model, from, to } = range;
  return {
    ...{ model, from, to, agoMs: Math.max(0, now - at), decision: decision.kind },
    wanted: decision.kind === 'stay' ? null : decision.to,
    waitMs: decision.kind === 'wait' ? Math.max(0, decision.at - now) : null,
    reasons: 'reasons' in decision ? decision.reasons : [decision.reason],
  };
}

const LOOK_MS = 15_000;
/** Peers on whom a block depends that are asked whether they live, at each look. */
const MOST_PINGS = 16;
const PING_MS = 3_000;
/** Pings in a row without an answer after which a peer counts as gone. */
const SILENT = 3;
/** ms after which blocks that could not be fetched are asked for again. */
const FETCH_AGAIN_MS = 60_000;
const COMING = 'Their bytes are on their way; then the node looks again.';
const FAILED = 'Their bytes could not be had, as the log says; the node tries again in a minute.';

export function startRebalancing(parts: RebalanceParts): Rebalancing {
  const { clock, random, log, lookMs = LOOK_MS } = parts;
  const limits = { ...REBALANCE_LIMITS, ...parts.limits };
  const ending = new AbortController();
  const { signal } = ending;
  /** By model: a move does not begin its node's rest anew because the range has another name. */
  const memories = new Map<string, RebalanceMemory>();
  const silent = new Map<string, number>();
  /** Bytes of blocks that are on their way, or could not be had, by model. */
  const fetches = new Map<string, { readonly to: BlockSpan; again: number | null }>();
  const works = new Set<Promise<void>>();
  /** Ends the wait for the next look. */
  let wake = new AbortController();
  let looks: readonly Look[] = [];
  let lastMove: Look | null = null;
  let nextAt = clock.monotonic();
  let hurry = false;

  async function live(): Promise<void> {
    while (!signal.aborted) {
      let next = lookMs * (1 + random.float());
      try {
        const at = await look();
        if (hurry) next /= 5;
        if (at !== null) next = Math.min(next, Math.max(0, at - clock.monotonic()));
      } catch (error) {
        if (!signal.aborted) log.warn('a look at the coverage failed', { err: messageOf(error) });
      }
      nextAt = clock.monotonic() + next;
      wake = new AbortController();
      await clock.sleep(next, AbortSignal.any([signal, wake.signal])).catch(() => {});
    }
  }

  /** When the next look is worth it, monotonic ms; null: in its time. */
  async function look(): Promise<number | null> {
    hurry = false;
    if (parts.swarm.state !== 'running') return null;
    const now: Look[] = [];
    let at: number | null = null;
    const ranges = parts.serving.ranges();
    for (const range of ranges) {
      // One that is on its way has its turn when it is there.
      const alone =
        ranges.filter(({ sha256, state }) => sha256 === range.sha256 && state !== 'failed').length === 1;
      if (!range.auto || range.state !== 'ready' || !alone) continue;
      const decision = await consider(range);
      if (decision === null) continue;
      now.push({ range, decision, at: clock.monotonic() });
      if (decision.kind === 'wait') at = Math.min(at ?? Number.POSITIVE_INFINITY, decision.at);
    }
    looks = now;
    return at;
  }

  async function consider(range: ServedView): Promise<Decision | null> {
    const { manifest } = await parts.models.get(range.model);
    if (manifest.sha256 !== range.sha256) return null;
    const others = await living(parts.othersOf(range.sha256), range, manifest);
    const doubtful = others.some(({ peer }) => silent.has(peer));
    const count = range.to - range.from;
    const ownMs = range.tokenMs === null ? null : range.tokenMs / count;
    const means = await meansFor(
      parts,
      parts.swarm.peer,
      manifest,
      await readCalibrations(parts.config.home),
      ownMs,
    );
    const { weightBytes, kvBytes } = range.memory ?? { weightBytes: 0, kvBytes: 0 };
    const spare = means.node.memoryBytes;
    const node = {
      ...means.node,
      memoryBytes: spare + weightBytes + kvBytes,
      ...(range.most !== null && { mostBlocks: range.most }),
    };
    const serving = {
      peer: parts.swarm.peer,
      ranges: [{ from: range.from, to: range.to }] as const,
      tokensPerSecond: rateOf(count, node.msPerBlock),
    };
    const { onDisk = [] } = means.node;
    const isHere = ({ from, to }: BlockSpan) => onDisk.some((one) => one.from <= from && to <= one.to);
    const request = { name: range.sha256, model: means.model, node, serving, others, isHere };
    const fetching = fetches.get(range.sha256);
    if (fetching !== undefined && (fetching.again === null || fetching.again > clock.monotonic())) {
      const { to, again } = fetching;
      return { kind: 'fetch', to, reasons: [again === null ? COMING : FAILED] };
    }
    const { decision, memory } = considerMove(
      request,
      memories.get(range.sha256) ?? NO_MEMORY,
      clock.monotonic(),
      limits,
    );
    memories.set(range.sha256, memory);
    if (decision.kind === 'fetch') fetch(range, decision.to);
    // Who is silent now may be gone: soon is known which.
    if (doubtful) hurry = true;
    if (decision.kind === 'move') lastMove = { range, decision, at: clock.monotonic() };
    if (decision.kind === 'move')
      await move(range, decision, bytesOf(means.model, node, decision.to) <= spare);
    return decision;
  }

  /** In the background; then the node looks again whether the move is still worth it. */
  function fetch({ model, sha256 }: ServedView, to: BlockSpan): void {
    const fetching: { readonly to: BlockSpan; again: number | null } = { to, again: null };
    fetches.set(sha256, fetching);
    const work = parts.models
      .ensureBlocks(model, to, { download: true, signal })
      .then(
        () => void fetches.delete(sha256),
        (error: unknown) => {
          fetching.again = clock.monotonic() + FETCH_AGAIN_MS;
          if (!signal.aborted)
            log.warn('blocks that are needed could not be fetched', { model, err: messageOf(error) });
        },
      )
      .finally(() => {
        memories.set(sha256, afterFetch(memories.get(sha256) ?? NO_MEMORY, clock.monotonic()));
        works.delete(work);
        wake.abort();
      });
    works.add(work);
  }

  async function move(
    range: ServedView,
    { to, reasons }: Extract<Decision, { kind: 'move' }>,
    both: boolean,
  ) {
    log.info('the node serves other blocks', {
      model: range.model,
      from: `${range.from}-${range.to}`,
      to: `${to.from}-${to.to}`,
      why: reasons.join(' '),
    });
    try {
      if (both) await parts.serving.move(range, to);
      else await parts.serving.swap(range, to, signal);
    } catch (error) {
      if (!isKithError(error)) throw error;
      log.warn('the node goes on with its blocks', { model: range.model, err: messageOf(error) });
    }
  }

  /** Without those who do not answer although blocks depend on them. */
  async function living(
    others: readonly ServedBlocks[],
    { from, to }: BlockSpan,
    { blocks }: ModelManifest,
  ): Promise<readonly ServedBlocks[]> {
    const own = { peer: parts.swarm.peer, ranges: [{ from, to }], tokensPerSecond: 1 };
    const rates = blockRates([...others, own], blocks);
    const needed = others.filter((one) =>
      blockRates([one], blocks).some((rate, block) => rate > 0 && rate >= rates[block]! * (1 - 1e-9)),
    );
    await Promise.all(
      needed.slice(0, MOST_PINGS).map(async ({ peer }) => {
        try {
          await parts.swarm.ping(peer, { signal, deadlineMs: PING_MS });
          silent.delete(peer);
          parts.presence.note(peer, true);
        } catch {
          if (!signal.aborted) parts.presence.note(peer, false);
          silent.set(peer, Math.min(SILENT, (silent.get(peer) ?? 0) + 1));
        }
      }),
    );
    const here = new Set(others.map(({ peer }) => peer));
    for (const peer of silent.keys()) if (!here.has(peer)) silent.delete(peer);
    return others.filter(({ peer }) => (silent.get(peer) ?? 0) < SILENT);
  }

  const life = live();
  return {
    view() {
      const now = clock.monotonic();
      return {
        nextLookMs: Math.max(0, nextAt - now),
        looks: looks.map((look) => lookView(look, now)),
        lastMove: lastMove === null ? null : lookView(lastMove, now),
      };
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await life;
      await Promise.all(works);
    },
  };
}
