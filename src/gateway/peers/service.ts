/**
 * Serves peers with this machine's own engine: says what it has for the caller, grants leases, answers under them. It asks
 * no other backend, so that what a peer sends goes no further, and it logs no word of it.
 *
 * @module gateway/peers/service
 */
import {
  type Clock,
  KithError,
  type Logger,
  loggedMessageOf,
  type Random,
  systemClock,
} from '../../base/index.ts';
import type { IncomingCall, Session, Swarm } from '../../swarm/index.ts';
import type { Tier } from '../../trust/index.ts';
import type { LocalBackend } from '../local.ts';
import type { Backend } from '../types.ts';
import { type Allowance, createAllowance } from './allowance.ts';
import { answerChat } from './answer-chat.ts';
import { answerEmbedding } from './answer-embedding.ts';
import { createLeases, type Lease } from './leases.ts';
import { isOpen, refusalOf, type ServingPolicy, type SettledPolicy, serves, settlePolicy } from './policy.ts';
import {
  DAY_MS,
  decodeLeaseAsk,
  encodeLease,
  encodeModels,
  encodeReceipts,
  type LeaseAnswer,
  PEER_BOUNDS,
  PEER_METHODS,
  type PeerModel,
  type PeerTask,
  type SignedReceipt,
} from './protocol.ts';
import { type ReceiptFacts, type ReceiptSigner, signReceipt } from './receipt.ts';
import type { Receipts } from './receipts.ts';

/** The engine as peers may use it. A backend that passes requests on has no place here. */
export type ServedEngine = Pick<LocalBackend & Backend, 'models' | 'chat' | 'embed'>;

export interface PeerServiceOptions {
  readonly swarm: Pick<Swarm, 'handle'>;
  /** This machine's engine, never another server. */
  readonly engine: ServedEngine;
  /** @default SERVE_NOBODY */
  readonly policy?: ServingPolicy;
  /** How far this node trusts a peer. */
  readonly tierOf: (peer: string) => Tier | Promise<Tier>;
  readonly identity: ReceiptSigner;
  /** Where the receipt of each request is kept that was served, or begun and not finished. */
  readonly receipts: Pick<Receipts, 'add' | 'of'>;
  readonly clock?: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Minute of the owner's day, 0 to 1439. @default by this machine's time zone */
  readonly minuteOf?: (ms: number) => number;
}

/** A lease as the owner sees it. */
export interface LeaseReport {
  readonly peer: string;
  readonly model: string;
  readonly task: PeerTask;
  readonly running: boolean;
  /** ms until it ends. */
  readonly ms: number;
}

export interface PeerService extends Disposable {
  /** Holds from the next ask on. What no longer may go on is ended. */
  setPolicy(policy: ServingPolicy): void;
  leases(): readonly LeaseReport[];
}

/** What the handlers of requests share. */
export interface Serving {
  readonly engine: ServedEngine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly allowance: Allowance;
  policy(): SettledPolicy;
  /** Begins the use of a lease. Throws what the peer is told: `peer_lease_lost`, `peer_not_served`, `peer_allowance`. */
  begin(peer: string, lease: Uint8Array, task: PeerTask): Promise<Use>;
  /** Signs the receipt and keeps it. */
  receipt(facts: Omit<ReceiptFacts, 'server' | 'at'>): SignedReceipt;
}

export interface Use extends Disposable {
  readonly lease: Lease;
  /** Fires when the owner takes back what the peer was allowed. */
  readonly signal: AbortSignal;
}

/** ms that a request waits for the one before it under its lease to end. */
const endingMs = 500;

export function servePeers(options: PeerServiceOptions): PeerService {
  const { swarm, engine, identity, receipts, clock = systemClock, random, log } = options;
  const minuteOf = options.minuteOf ?? localMinute;
  const now = () => clock.monotonic();
  const leases = createLeases(now, random);
  const running = new Map<Lease, { readonly controller: AbortController; readonly over: Promise<void> }>();
  let policy = settlePolicy(options.policy ?? {});
  let revision = 0;

  const refusal = async (peer: string, model: string, task: PeerTask) => {
    const tier = await options.tierOf(peer);
    return refusalOf(policy, { peer, tier, model, task, minute: minuteOf(clock.now()) });
  };

  const serving: Serving = {
    ...{ engine, clock, log },
    allowance: createAllowance(now),
    policy: () => policy,
    async begin(peer, id, task) {
      const name = Buffer.from(id).toString('hex');
      const lease = leases.take(name, peer, task) ?? (await afterUse(name, peer, task));
      if (lease === null) throw leaseLost();
      const controller = new AbortController();
      const { promise: over, resolve } = Promise.withResolvers<void>();
      running.set(lease, { controller, over });
      const use: Use = {
        lease,
        signal: controller.signal,
        [Symbol.dispose]() {
          running.delete(lease);
          leases.giveBack(lease);
          resolve();
        },
      };
      try {
        // Trust and policy may have changed since the lease was granted. A lease outlasts the hours it was granted in.
        const why = await refusal(peer, lease.model, task);
        if (why !== null && why.reason !== 'closed') throw notServed(why.message);
        const wait = serving.allowance.wait(peer, policy.tokensPerMinute);
        if (wait > 0) throw overAllowance(policy.tokensPerMinute, wait);
        return use;
      } catch (error) {
        use[Symbol.dispose]();
        throw error;
      }
    },
    receipt(facts) {
      const whole: ReceiptFacts = {
        ...facts,
        server: identity.peerId,
        at: Math.max(0, Math.floor(clock.now())),
      };
      const signed = signReceipt(whole, identity);
      receipts.add('given', signed);
      return signed;
    },
  };

  /** What its peer has left is over in a moment: the next request under the same lease waits for that. */
  async function afterUse(name: string, peer: string, task: PeerTask): Promise<Lease | null> {
    const held = leases.all().find(({ id }) => id === name);
    const use = held === undefined || held.peer !== peer ? undefined : running.get(held);
    if (use === undefined) return null;
    const patience = new AbortController();
    const late = clock.sleep(endingMs, patience.signal).catch(() => {});
    await Promise.race([use.over, late]);
    patience.abort();
    return leases.take(name, peer, task);
  }

  /** Ends what the policy no longer allows. */
  async function enforce(): Promise<void> {
    for (const held of leases.all()) {
      const why = await refusal(held.peer, held.model, held.task);
      if (why === null || why.reason === 'closed') continue;
      running.get(held)?.controller.abort(notServed(why.message));
      leases.end(held);
    }
  }

  async function models({ peer }: IncomingCall) {
    const tier = await options.tierOf(peer);
    if (!serves(policy, peer, tier) || policy.models.length === 0)
      return encodeModels({ models: [], queueMs: null });
    const open = isOpen(policy, minuteOf(clock.now()));
    return encodeModels({ models: await served(), queueMs: open ? leases.wait(policy) : null });
  }

  /** What the policy names and is here: a peer's wish fetches nothing. */
  async function served(): Promise<PeerModel[]> {
    const rows = await engine.models();
    return rows.flatMap(({ id, task, state, context }): PeerModel[] =>
      state === 'available' || task === 'completion' || task === 'rerank' || !policy.models.includes(id)
        ? []
        : [{ id, task, state, context }],
    );
  }

  async function lease({ peer, metadata }: IncomingCall): Promise<LeaseAnswer> {
    const ask = decodeLeaseAsk(metadata);
    if (ask.kind === 'release') {
      leases.release(Buffer.from(ask.lease).toString('hex'), peer);
      return { state: 'released' };
    }
    const before = revision;
    const why = await refusal(peer, ask.model, ask.task);
    if (why !== null) return { state: 'denied', ...why };
    const rows = await served();
    if (!rows.some(({ id, task }) => id === ask.model && task === ask.task))
      return {
        state: 'denied',
        reason: 'model_not_served',
        message: 'This node does not serve that model to peers.',
      };
    // The owner changed the policy meanwhile: the peer asks again under the new one.
    if (before !== revision) return { state: 'busy', ms: 1 };
    const wait = serving.allowance.wait(peer, policy.tokensPerMinute);
    if (wait > 0) return { state: 'busy', ms: Math.min(wait, DAY_MS) };
    const outcome = leases.ask(peer, ask.model, ask.task, ask.ms, policy);
    if (outcome.state === 'busy') return outcome;
    return { state: 'granted', lease: Buffer.from(outcome.lease.id, 'hex'), ms: outcome.ms };
  }

  const small = { maxPayloadBytes: 0, maxMetadataBytes: 1024, maxConcurrent: 4 } as const;
  const handles = [
    swarm.handle(PEER_METHODS.models, { caps: small, handler: models }),
    swarm.handle(PEER_METHODS.lease, {
      caps: small,
      handler: async (call) => ({ metadata: encodeLease(await lease(call)) }),
    }),
    swarm.handle(PEER_METHODS.receipts, {
      caps: small,
      handler: ({ peer }) => encodeReceipts(receipts.of(peer)),
    }),
    swarm.handle(PEER_METHODS.chat, {
      caps: { maxPayloadBytes: PEER_BOUNDS.requestBytes, maxMetadataBytes: 1024, maxConcurrent: 8 },
      session: (session: Session) => answerChat(serving, session),
    }),
    swarm.handle(PEER_METHODS.embed, {
      caps: { maxPayloadBytes: PEER_BOUNDS.requestBytes, maxMetadataBytes: 1024, maxConcurrent: 8 },
      handler: (call) => answerEmbedding(serving, call),
    }),
  ];

  return {
    setPolicy(next) {
      policy = settlePolicy(next);
      revision++;
      enforce().catch((error: unknown) => {
        log.warn('what peers may ask for could not be looked at anew', { err: loggedMessageOf(error) });
      });
    },
    leases: () =>
      leases.all().map(({ peer, model, task, running: busy, expires }) => {
        return { peer, model, task, running: busy, ms: Math.max(0, expires - now()) };
      }),
    [Symbol.dispose]() {
      for (const handle of handles) handle[Symbol.dispose]();
      for (const { controller } of running.values())
        controller.abort(new KithError('stopping', 'This node is stopping.', { status: 503 }));
    },
  };
}

function localMinute(ms: number): number {
  const at = new Date(ms);
  return at.getHours() * 60 + at.getMinutes();
}

const leaseLost = () =>
  new KithError(
    'peer_lease_lost',
    'The lease is over, in use, or of another node or model. Ask for a new one.',
    {
      status: 409,
    },
  );

const notServed = (message: string) => new KithError('peer_not_served', message, { status: 403 });

const overAllowance = (perMinute: number, ms: number) =>
  new KithError(
    'peer_allowance',
    `Your node has taken the ${perMinute} tokens a minute that this one gives a peer.`,
    { status: 429, retryAfter: Math.ceil(ms / 1000) },
  );
