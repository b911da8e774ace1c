/**
 * The backend over a peer: another node that answers with its own engine for those its owner allows.
 *
 * @module gateway/backends/peer/backend
 */
import { type Clock, higher, isKithError, type Random, type Tier } from '../../../base/index.ts';
import type { Swarm } from '../../../swarm/index.ts';
import {
  type PeerChat,
  type PeerModel,
  type PeerUsage,
  receiptFault,
  type SignedReceipt,
} from '../../peers/index.ts';
import type { Backend, BackendModel, ChatEvent, ChatRequest, Receipt } from '../../types.ts';
import { missingCounts } from '../stream-answer.ts';
import { askChat } from './ask-chat.ts';
import { askEmbedding } from './ask-embedding.ts';
import { peerError } from './errors.ts';
import { createLeasePool } from './lease-pool.ts';
import { createPeerModels } from './models.ts';

export interface PeerBackendOptions {
  /** How receipts and logs call this backend. */
  readonly name: string;
  /** PeerId. */
  readonly peer: string;
  readonly swarm: Pick<Swarm, 'peer' | 'call' | 'openSession' | 'state'>;
  /**
   * The models that may be asked for, also where the peer does not say that it serves them to this node: what it answers
   * then says why. @default those that the peer says it serves to this node
   */
  readonly models?: readonly string[];
  readonly defaults?: { readonly chat?: string; readonly embedding?: string };
  /** ms for which the peer's list of models is believed. @default 60_000 */
  readonly modelsTtlMs?: number;
  /** ms in which the peer has to be reached and to say whether it answers, dialling included. @default 5_000 */
  readonly reachMs?: number;
  /** Below it nothing at all is sent there. @default null, whatever its tier */
  readonly minTier?: Tier | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: Pick<Random, 'bytes'>;
  /** Told of each receipt that counts. Must not throw. */
  readonly onReceipt?: (receipt: SignedReceipt) => void;
  /** Told of what the peer sent that it may not: an answer out of bounds, a receipt that does not count. Must not throw. */
  readonly onMisconduct?: (peer: string, what: string) => void;
}

export interface PeerBackend extends Backend, AsyncDisposable {
  readonly peer: string;
  /** ms of a round trip to the peer and of what waits there, as last measured; null before. */
  latencyMs(): number | null;
}

/** Receipts of a peer's answers say more. */
export interface PeerReceipt extends Receipt {
  readonly peer: {
    /** PeerId. */
    readonly id: string;
    /** The receipt that the peer signed; null when it does not count. */
    readonly signed: SignedReceipt | null;
  };
}

const kind = 'peer';
/** ms in which a peer whose models the owner named may say more of them. */
const saidWithinMs = 500;

export function createPeerBackend(options: PeerBackendOptions): PeerBackend {
  const { name, peer, swarm, clock, random, reachMs = 5_000, minTier = null } = options;
  const who = { name, peer };
  const reach = { reachMs, minTier };
  const pool = createLeasePool(swarm, who, clock, reach);
  const list = createPeerModels(swarm, who, clock, options.modelsTtlMs ?? 60_000, reach);
  const allowed = options.models === undefined ? null : new Set(options.models);
  const may = ({ id }: PeerModel): boolean => allowed === null || allowed.has(id);

  const rowOf = ({ id, task, state, context }: PeerModel): BackendModel => ({
    ...{ id, task, state, context },
    ownedBy: name,
    peer,
    since: null,
  });

  /** Those that it says, and those that the owner says. */
  async function rows(): Promise<BackendModel[]> {
    if (allowed === null) return (await list.get()).models.map(rowOf);
    const known = () => list.known ?? { models: [] };
    const asked = list.get().catch((error: unknown) => {
      if (!isKithError(error)) throw error;
      return known();
    });
    // What the owner says is enough to ask for: a peer that keeps silent is waited for once, by the request itself.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), saidWithinMs);
      timer.unref();
    });
    const { models } = (await Promise.race([asked, late]).finally(() => clearTimeout(timer))) ?? known();
    const said = models.filter(may).map(rowOf);
    const unsaid = [...allowed].filter((id) => !said.some((row) => row.id === id));
    return [
      ...said,
      ...unsaid.map((id): BackendModel => {
        const task = id === options.defaults?.embedding ? 'embedding' : 'chat';
        return { id, task, state: 'available', context: null, ownedBy: name, peer, since: null };
      }),
    ];
  }

  function modelOf(model: string | null, task: 'chat' | 'embedding'): string {
    const id = model ?? options.defaults?.[task] ?? null;
    if (id !== null) return id;
    throw peerError('not_supported', 'peer_unsupported', who, 'is not asked: the request names no model.', {
      param: 'model',
    });
  }

  const unsupported = (what: string) =>
    peerError('not_supported', 'peer_unsupported', who, `is not asked: a ${kind} ${what}.`);

  const askingFor = ({ signal, peers }: Pick<ChatRequest, 'signal' | 'peers'>) => ({
    signal,
    minTier: higher(peers?.minTier, minTier ?? undefined),
  });

  function misconduct(error: unknown): void {
    if ((error as { code?: unknown }).code === 'peer_bad_answer')
      options.onMisconduct?.(peer, (error as Error).message);
  }

  const receiptOf = (
    model: string,
    signed: SignedReceipt,
    fault: string | null,
    notes: readonly string[],
  ) => {
    if (fault !== null) options.onMisconduct?.(peer, `its receipt does not count: ${fault}`);
    const own = fault === null ? [] : [`The receipt of the peer '${name}' does not count: ${fault}.`];
    const said = { receipt: signed.receipt, signature: signed.signature };
    if (fault === null) options.onReceipt?.(said);
    return {
      backend: name,
      model,
      notes: [...notes, ...own],
      peer: { id: peer, signed: fault === null ? said : null },
    };
  };

  async function* chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
    const model = modelOf(request.model, 'chat');
    const own = chatOf(request, model);
    const parts = {
      ...{ swarm, who, pool, clock, random, reachMs },
      contextOf: (id: string) => list.known?.models.find((row) => row.id === id)?.context ?? null,
    };
    try {
      const {
        request: id,
        hash,
        usage,
        firstMs,
        ms,
      } = yield* askChat(parts, own, request, askingFor(request));
      const { promptTokens, completionTokens } = usage;
      const counts = { promptTokens, completionTokens };
      const expected = { server: peer, client: swarm.peer, request: id, hash, task: 'chat', model } as const;
      const fault = receiptFault(usage, { ...expected, ...counts });
      const missing = missingCounts(usage);
      const notes =
        missing === null ? usage.notes : [...usage.notes, `The peer '${name}' did not report ${missing}.`];
      const receipt: PeerReceipt = {
        ...receiptOf(model, usage, fault, notes),
        ...timesOf(usage, firstMs, ms),
      };
      yield { type: 'usage', ...counts, cachedTokens: usage.cachedTokens, receipt };
    } catch (error) {
      misconduct(error);
      throw error;
    }
  }

  return {
    name,
    peer,
    async has(model) {
      return allowed?.has(model) ?? (await list.get()).models.some((row) => row.id === model);
    },
    models: rows,
    defaultModel: (task) => options.defaults?.[task] ?? null,
    chat,
    // biome-ignore lint/correctness/useYield: it refuses before its first event
    async *complete() {
      throw unsupported('answers chats and makes embeddings, and continues no bare texts');
    },
    async countTokens() {
      throw unsupported('counts no tokens without answering');
    },
    async embed(request) {
      const model = modelOf(request.model, 'embedding');
      try {
        const parts = { swarm, who, pool, random };
        const answer = await askEmbedding(parts, model, request, askingFor(request));
        const { vectors, dimension, tokens, last, fault } = answer;
        for (const one of answer.before) options.onReceipt?.(one);
        const times = { queueMs: null, prefillMs: null, decodeMs: null };
        const receipt: PeerReceipt = { ...receiptOf(model, last, fault, []), ...times };
        return { vectors, dimension, tokens, receipt };
      } catch (error) {
        misconduct(error);
        throw error;
      }
    },
    async health(signal) {
      const { models, ms } = await list.ask(signal);
      const served = models.filter(may);
      const message = served.length === 0 ? 'It serves this node no model.' : null;
      return {
        status: message === null ? 'ok' : 'degraded',
        latencyMs: ms,
        modelsAvailable: served.length,
        modelsLoaded: served.filter(({ state }) => state === 'loaded').length,
        breaker: { state: 'closed', failures: 0 },
        message,
        answers: message === null,
      };
    },
    latencyMs() {
      const latency = list.latencyMs();
      const busy = pool.busyMs();
      return latency === null && busy === 0 ? null : Math.max(latency ?? 0, busy);
    },
    [Symbol.asyncDispose]: pool.close,
  };
}

/** What of a request a peer gets: nothing of who asks, nor of how else it may be answered. */
function chatOf(request: ChatRequest, model: string): PeerChat {
  const { messages, n, sampler, maxTokens, timeoutMs, stop, overflow, keepTokens } = request;
  const { grammar, tools, toolChoice, parallelToolCalls, variables, prefill } = request;
  return {
    ...{ model, messages, n, sampler, maxTokens, timeoutMs, stop, overflow, keepTokens },
    ...(grammar === undefined ? {} : { grammar }),
    ...(tools === undefined ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    ...(variables === undefined ? {} : { variables }),
    ...(prefill === undefined ? {} : { prefill }),
  };
}

/** As measured here: the peer's own figures are its word, and cannot be longer than what passed here. */
function timesOf({ queueMs, decodeMs }: PeerUsage, firstMs: number | null, ms: number) {
  if (firstMs === null) return { queueMs: null, prefillMs: null, decodeMs: null };
  const queued = Math.min(queueMs ?? 0, firstMs);
  return { queueMs: queued, prefillMs: firstMs - queued, decodeMs: Math.min(decodeMs ?? ms, ms - firstMs) };
}
