/**
 * Some knowledge bases for other programs, at an address of their own: a server that has no other routes.
 *
 * @module node/knowledge/serve
 */
import {
  type Clock,
  type Config,
  createIds,
  isLoopback,
  KithError,
  type Logger,
  type Random,
  toHex,
} from '../../base/index.ts';
import {
  createAccess,
  createOrigin,
  createWatching,
  defaultServerLimits,
  isUsable,
  type KeyStore,
  openKeyStore,
  type SurfaceDesk,
  surfaceRoutes,
} from '../../server/index.ts';
import { tlsFiles } from '../tls-files.ts';

export interface ServingOptions {
  readonly config: Config;
  readonly desk: SurfaceDesk;
  /** Nothing else is shown. */
  readonly names: readonly string[];
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Asks for a key on loopback, too; makes one when none opens all of these. */
  readonly key: boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface KnowledgeServing extends AsyncDisposable {
  /** Of the server; routes are under `/v1`. */
  readonly url: string;
  readonly needsKey: boolean;
  /** Text of the key that was made; null when none was. */
  readonly newKey: string | null;
  /** Lets requests in progress end, for a moment. */
  close(): Promise<void>;
}

/** ms that requests in progress get. */
const DRAIN_MS = 5000;

/** @throws KithError `host_not_loopback` when others are to be let in without a key; as `createOrigin` */
export async function serveKnowledge(options: ServingOptions): Promise<KnowledgeServing> {
  const { config, desk, names, host, port, clock, random, log, version } = options;
  const keys = openKeyStore(config.home, { clock, random });
  try {
    const wide = !isLoopback(host);
    let newKey: string | null = null;
    if ((wide || options.key) && !hasKey(keys, names, clock)) {
      if (!options.key)
        throw new KithError(
          'host_not_loopback',
          `Host '${host}' would let other machines in, and no API key opens ${names.join(', ')}. Say --key to have one made, or use 127.0.0.1.`,
          { status: 400, param: 'host' },
        );
      newKey = keys.create({
        ...{ name: 'rag serve', scopes: ['knowledge'], kbs: names },
        ...{ expiresAt: null, requestsPerMinute: null, tokensPerMinute: null },
      }).text;
    }
    const { server } = config;
    const tls = wide ? tlsFiles(config) : null;
    const access = createAccess({
      ...{ keys, host, clock, log, secure: tls !== null, requireKey: options.key },
      // Nobody has it: this server has no routes of its owner.
      token: toHex(random.bytes(32)),
      // Whoever starts this on loopback means every program of this machine; but nobody writes without a key.
      keyed: ['ingest'],
      ...{ allowedHosts: server.allowedHosts, corsOrigins: server.corsOrigins },
      ...{ requestsPerMinute: server.requestsPerMinute, tokensPerMinute: server.tokensPerMinute },
    });
    const observers = [access.budgets];
    const limits = {
      ...defaultServerLimits,
      ...{ bodyBytes: server.bodyBytes, headersMs: server.headersTimeoutMs, bodyMs: server.requestTimeoutMs },
      bodiesBytes: Math.max(defaultServerLimits.bodiesBytes, 4 * server.bodyBytes),
    };
    const origin = await createOrigin(
      {
        ...{ host, port, log, clock, limits, version, access, observers, tls },
        ids: createIds(clock, random),
      },
      (_closing, fingerprint) =>
        surfaceRoutes(
          { clock, limits, log, fingerprint, watch: createWatching(observers), desk: () => desk },
          { base: '/v1', only: names },
        ),
    );
    const close = async (): Promise<void> => {
      await origin.close(DRAIN_MS);
      keys.close();
    };
    return { url: origin.url, needsKey: wide || options.key, newKey, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    keys.close();
    throw error;
  }
}

/** Whether some key opens all of them. */
function hasKey(keys: KeyStore, names: readonly string[], clock: Clock): boolean {
  return keys
    .list()
    .some(
      (key) =>
        isUsable(key, clock.now()) &&
        key.scopes.includes('knowledge') &&
        (key.kbs === null || names.every((name) => key.kbs!.includes(name))),
    );
}
