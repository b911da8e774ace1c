/**
 * The gateway of a configuration, with all that it is made of: backends, policy, answer cache, router, ladder, ledger.
 *
 * @module node/gateway
 */
import { join } from 'node:path';
import { type Clock, type Config, type Logger, messageOf, type Random } from '../base/index.ts';
import {
  type AnswerCache,
  type Backend,
  BUILT_IN_DETECTORS,
  createAnswerCache,
  createArithmetic,
  createGateway,
  createLadder,
  createLedger,
  createRedisStore,
  createRouter,
  createSearxng,
  createSqliteStore,
  type Gateway,
  type GatewayOptions,
  type Ladder,
  type Ledger,
  type Router,
} from '../gateway/index.ts';
import { openBackends } from './backends.ts';
import { configWarnings } from './config-sense.ts';
import type { Env } from './credentials.ts';
import { detectorsOf } from './detectors.ts';
import { decisionsOf } from './gateway-policy.ts';
import { ledgerPath } from './home-files.ts';
import { nightly } from './nightly.ts';
import type { PeerNetwork } from './swarm-asking.ts';

/** Makes vectors of texts, for comparing questions. */
export interface TextEmbedder {
  /** Names the model: vectors of different ones are never compared. */
  readonly model: string;
  readonly dimension: number;
  /** One vector for each text, each of L2 norm 1. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface OpenGatewayOptions {
  readonly config: Config;
  /** Where keys of backends are looked up. @default process.env */
  readonly env?: Env;
  /** Over this machine's engine. */
  readonly local: Backend;
  /** The way to peers. @default none */
  readonly peers?: PeerNetwork;
  /** Null: questions are compared by their words alone. */
  readonly embedder: TextEmbedder | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onAttempts?: GatewayOptions['onAttempts'];
}

export interface OpenGateway extends AsyncDisposable {
  readonly gateway: Gateway;
}

/** Throws InputError `config_invalid`. Asks no server anything. */
export async function openGateway(options: OpenGatewayOptions): Promise<OpenGateway> {
  const { config, clock, random, log } = options;
  const backends = await openBackends(options);
  const { providers } = backends;
  for (const warning of configWarnings(config)) log.warn(warning);
  // Closed in the opposite order.
  const parts = new AsyncDisposableStack();
  try {
    const cache = await openCache(options);
    if (cache !== null) parts.use(cache);
    const router = hasBothSides(providers) && config.gateway.complexity ? openRouter(options) : null;
    if (router !== null) {
      parts.use(router);
      const work = async (signal: AbortSignal) => {
        const { version, ...judgement } = await router.refit(signal);
        log.info('router fitted', { version, ...judgement });
      };
      parts.use(nightly({ clock, random, log, name: 'the fit of the router', work }));
    }
    const ledger = openLedger(options, providers);
    if (ledger !== null) parts.use(ledger);
    const detectors = detectorsOf(config);
    const ladder = parts.use(openLadder(options, detectors));
    const gateway = createGateway({
      ...decisionsOf(config),
      reranker: config.knowledge.reranker === 'none' ? null : config.knowledge.reranker,
      ...{ providers, clock, random, log, detectors, cache, router, ladder, ledger },
      ...(options.peers === undefined ? {} : { looking: () => options.peers!.looking }),
      ...(options.onAttempts === undefined ? {} : { onAttempts: options.onAttempts }),
    });
    return {
      gateway,
      async [Symbol.asyncDispose]() {
        // Together: the gateway waits for what it asks its backends, and a server that hangs would keep it waiting.
        await Promise.all([gateway[Symbol.asyncDispose](), backends[Symbol.asyncDispose]()]);
        await parts.disposeAsync();
      },
    };
  } catch (error) {
    await Promise.all([parts.disposeAsync(), backends[Symbol.asyncDispose]()]);
    throw error;
  }
}

/** The choice between a local and a frontier model needs both. */
function hasBothSides(providers: readonly { readonly step: string }[]): boolean {
  return providers.some(({ step }) => step === 'local') && providers.some(({ step }) => step !== 'local');
}

/** Null when it cannot be opened: requests go on without it. A bad address of its server is an error all the same. */
async function openCache({ config, embedder, clock, log }: OpenGatewayOptions): Promise<AnswerCache | null> {
  const { redisUrl, cacheBytes } = config.gateway;
  const similar = embedder === null ? null : { embedder, dimension: embedder.dimension };
  if (redisUrl !== '')
    return createAnswerCache({
      store: await createRedisStore({ url: redisUrl, clock, log }),
      similar,
      clock,
      log,
    });
  try {
    const path = join(config.home, 'gateway', 'answers.sqlite');
    const store = createSqliteStore({ path, maxBytes: cacheBytes, clock, log });
    return createAnswerCache({ store, similar, clock, log });
  } catch (error) {
    log.error('The answer cache cannot be opened; requests go on without it.', { err: messageOf(error) });
    return null;
  }
}

/** It is there whatever `gateway.degrade` says, since a request may ask for more than the owner does. */
function openLadder(
  { config, clock, log }: OpenGatewayOptions,
  detectors: NonNullable<GatewayOptions['detectors']>,
): Ladder {
  const { searxngUrl } = config.gateway;
  const web = searxngUrl === '' ? [] : [createSearxng({ baseUrl: searxngUrl, clock })];
  const adapters = [createArithmetic(), ...web];
  return createLadder({ adapters, detectors: [...BUILT_IN_DETECTORS, ...detectors], clock, log });
}

/** Null when it cannot be opened and no budget depends on it. Budgets that could not hold are an error. */
function openLedger(
  { config, clock, log }: OpenGatewayOptions,
  providers: readonly { readonly step: string; readonly backend: Backend }[],
): Ledger | null {
  const { budgets } = config;
  const own = new Set(providers.filter(({ step }) => step === 'local').map(({ backend }) => backend.name));
  try {
    return createLedger({
      path: ledgerPath(config.home),
      clock,
      log,
      budgets,
      // What this machine computes costs nothing, be it counted or not.
      priceOf: (backend) => (own.has(backend) ? { prompt: 0, completion: 0 } : null),
    });
  } catch (error) {
    if (budgets.length > 0) throw error;
    log.error('Usage cannot be written down; requests go on without it.', { err: messageOf(error) });
    return null;
  }
}

/** Null when it cannot be opened: then the owner's order decides. */
function openRouter({ config, embedder, clock, random, log }: OpenGatewayOptions): Router | null {
  const { complexityTarget: target, complexityMin: min, complexityMax: max } = config.gateway;
  try {
    return createRouter({
      path: join(config.home, 'gateway', 'router.sqlite'),
      clock,
      random,
      embedder:
        embedder === null
          ? null
          : {
              id: embedder.model,
              dimension: embedder.dimension,
              embed: async (text, signal) => (await embedder.embed([text], signal))[0]!,
            },
      threshold: { target, min, max },
    });
  } catch (error) {
    log.error('The router cannot be opened; backends are asked in their order.', { err: messageOf(error) });
    return null;
  }
}
