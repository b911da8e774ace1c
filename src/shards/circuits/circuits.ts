/**
 * The circuits of a node: open paths that answers share, one after another and side by side. A circuit is opened for the first
 * request that needs it, or by order, and is closed when its time is over, when nobody uses it, or when it is lost.
 *
 * @module shards/circuits/circuits
 */
import { KithError, messageOf } from '../../base/index.ts';
import { isPath } from '../plan/candidates.ts';
import { Circuit, type CircuitTerms } from './circuit.ts';
import type {
  CircuitLimits,
  CircuitRequest,
  Circuits,
  CircuitsOptions,
  CircuitUse,
  CircuitWish,
} from './types.ts';

const LIMITS: CircuitLimits = {
  most: 8,
  idleMs: 5 * 60_000,
  tries: 5,
  lookMs: 15_000,
  better: 0.7,
  conversations: 1024,
};
/** ms between two looks for circuits whose time is over. */
const SWEEP_MS = 1000;

export function openCircuits(options: CircuitsOptions): Circuits {
  const limits = { ...LIMITS, ...options.limits };
  const parts = { ...options, limits };
  const { clock, log, prefix = 'circuit ' } = options;
  const open = new Map<string, Circuit>();
  /** Circuits that are being opened, by what they are for. */
  const opening = new Map<string, Promise<Circuit>>();
  const names = new Set<string>();
  /** The circuit that each conversation had last. */
  const places = new Map<string, string>();
  const ending = new AbortController();
  let made = 0;

  function keyOf({ model, requirements, own, cells }: CircuitWish): string {
    return JSON.stringify([model.sha256, requirements, own, cells]);
  }

  async function closeOne(circuit: Circuit, why: string): Promise<void> {
    if (open.get(circuit.terms.name) === circuit) open.delete(circuit.terms.name);
    names.delete(circuit.terms.name);
    log.info('circuit closed', { circuit: circuit.terms.name, why });
    await circuit[Symbol.asyncDispose]();
  }

  const isOver = ({ terms }: Circuit) => terms.endsAt !== null && clock.now() >= terms.endsAt;

  function sweep(): void {
    for (const circuit of [...open.values()]) {
      if (circuit.closed) void closeOne(circuit, 'it was lost');
      else if (circuit.inUse > 0) continue;
      else if (circuit.leaving) void closeOne(circuit, 'a better path took its place');
      else if (isOver(circuit)) void closeOne(circuit, 'its time is over');
      else if (!circuit.terms.ordered && clock.now() - circuit.usedAt >= limits.idleMs)
        void closeOne(circuit, 'nobody uses it');
    }
  }

  const sweeping = (async () => {
    while (!ending.signal.aborted) {
      await clock.sleep(SWEEP_MS, ending.signal).catch(() => {});
      if (!ending.signal.aborted) sweep();
    }
  })();

  /** Makes room, or says that there is none. */
  function reserve(name: string): void {
    sweep();
    if (names.size >= limits.most) {
      const [idle] = [...open.values()]
        .filter(({ terms, inUse }) => !terms.ordered && inUse === 0)
        .sort((a, b) => a.usedAt - b.usedAt);
      if (idle === undefined)
        throw new KithError(
          'circuits_full',
          `${limits.most} circuits are open and in use or were ordered, and no more are allowed. Close one with kith shard circuits close, or wait.`,
          { status: 503, retryAfter: 5 },
        );
      void closeOne(idle, 'another one is needed');
    }
    names.add(name);
  }

  async function openOne(
    wish: CircuitWish,
    terms: Omit<CircuitTerms, 'engineId'>,
    signal: AbortSignal,
  ): Promise<Circuit> {
    reserve(terms.name);
    try {
      const engineId = `${prefix}${++made}`;
      const circuit = await Circuit.open(parts, wish, { ...terms, engineId }, signal);
      if (ending.signal.aborted) {
        await circuit[Symbol.asyncDispose]();
        throw closing();
      }
      open.set(terms.name, circuit);
      return circuit;
    } catch (error) {
      names.delete(terms.name);
      throw error;
    }
  }

  function freeName(): string {
    for (let n = 1; ; n++) if (!names.has(`c${n}`)) return `c${n}`;
  }

  /** One for requests of this kind; they share the opening, which goes on when one of them leaves. */
  function openFor(wish: CircuitWish, signal: AbortSignal): Promise<Circuit> {
    const key = keyOf(wish);
    let one = opening.get(key);
    if (one === undefined) {
      const terms = { name: freeName(), ordered: false, endsAt: null };
      one = openOne(wish, terms, ending.signal).finally(() => opening.delete(key));
      // Everybody who waits may be gone when it fails.
      one.catch(() => {});
      opening.set(key, one);
    }
    return untilAborted(one, signal);
  }

  const meets = (circuit: Circuit, { requirements }: Pick<CircuitWish, 'requirements'>): string | null => {
    for (const { peer } of circuit.view().shards) {
      const why = options.unmet(peer, requirements);
      if (why !== null) return `…${peer.slice(-8)}: ${why}`;
    }
    return null;
  };

  function fits(circuit: Circuit, wish: CircuitWish): boolean {
    const { wish: has } = circuit;
    return (
      !circuit.closed &&
      !circuit.leaving &&
      !isOver(circuit) &&
      has.model.sha256 === wish.model.sha256 &&
      has.own >= wish.own &&
      // Peers may have offered less than was asked for; asking again would come to the same.
      (circuit.loaded.kvCells >= wish.cells || has.cells >= wish.cells) &&
      meets(circuit, wish) === null
    );
  }

  /** True when a path that is clearly better can be had now. */
  function isBeaten(circuit: Circuit): boolean {
    if (clock.monotonic() - circuit.lookedAt < limits.lookMs) return false;
    circuit.lookedAt = clock.monotonic();
    const { query } = circuit;
    // Others who could compute everything a second time may have come since.
    const withOthers = { ...query, via: null, exclude: new Set(circuit.peers) };
    if (circuit.isAlone && isPath(options.choose(withOthers).plan)) return true;
    const { shards } = circuit.view();
    const own = shards.map(({ peer, from, to }) => ({ peer, span: { from, to } }));
    // A peer's free cells do not count those that it lends this circuit.
    const now = options.choose({ ...query, cells: 0, via: own, exclude: new Set() }).plan;
    const best = options.choose({ ...query, exclude: new Set() }).plan;
    if (isPath(now)) circuit.msPerToken = now.msPerToken;
    return isPath(best) && best.msPerToken < circuit.msPerToken * limits.better;
  }

  function named(name: string, request: CircuitRequest): Circuit {
    const circuit = open.get(name);
    if (circuit === undefined || circuit.closed || circuit.wish.model.id !== request.model.id)
      throw new KithError(
        'circuit_unknown',
        `There is no circuit '${name.slice(0, 64)}' of '${request.model.id}': it was closed, was lost, or never was. kith shard circuits list shows those that are open.`,
        { status: 404, param: 'model' },
      );
    const why = meets(circuit, request) ?? (circuit.wish.own < request.own ? 'its ends are too short' : null);
    if (why !== null)
      throw new KithError(
        'circuit_unfit',
        `The request may not go over the circuit '${name}': ${why}. Ask without naming it, or order another one.`,
        { status: 403, param: 'model' },
      );
    return circuit;
  }

  async function take(request: CircuitRequest, signal: AbortSignal): Promise<CircuitUse> {
    if (ending.signal.aborted) throw closing();
    if (request.name !== null) return named(request.name, request).use();
    const fit = [...open.values()].filter((one) => fits(one, request));
    const { conversation } = request;
    const place = conversation === null ? undefined : places.get(conversation);
    const kept = fit.find(({ terms }) => terms.name === place);
    let circuit = kept ?? fit[0] ?? (await openFor(request, signal));
    if (kept === undefined && circuit.inUse === 0 && !circuit.terms.ordered && isBeaten(circuit)) {
      const better = await openFor(request, signal).catch((error: unknown) => {
        log.info('a better path could not be had', { err: messageOf(error) });
        return null;
      });
      if (better !== null && better !== circuit) {
        circuit.leaving = true;
        circuit = better;
      }
    }
    if (conversation !== null) {
      places.delete(conversation);
      if (places.size >= limits.conversations) places.delete(places.keys().next().value!);
      places.set(conversation, circuit.terms.name);
    }
    return circuit.use();
  }

  return {
    take,
    async create({ name = null, ttlMs, ...wish }, signal) {
      if (ending.signal.aborted) throw closing();
      if (name !== null && names.has(name))
        throw new KithError('circuit_exists', `There is a circuit '${name}' already. Choose another name.`, {
          status: 409,
          param: 'name',
        });
      const terms = { name: name ?? freeName(), ordered: true, endsAt: clock.now() + ttlMs };
      return (await openOne(wish, terms, AbortSignal.any([signal, ending.signal]))).view();
    },
    list: () => [...open.values()].filter(({ closed }) => !closed).map((circuit) => circuit.view()),
    async close(name) {
      const circuit = open.get(name);
      if (circuit === undefined) return false;
      await closeOne(circuit, 'its owner closed it');
      return true;
    },
    async [Symbol.asyncDispose]() {
      ending.abort(closing());
      await sweeping;
      await Promise.allSettled(opening.values());
      await Promise.allSettled([...open.values()].map((circuit) => closeOne(circuit, 'the node is leaving')));
    },
  };
}

const closing = () => new KithError('path_closed', 'The node is leaving.', { status: 503 });

/** The promise's result, or the signal's reason as soon as it fires. The promise itself goes on. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
