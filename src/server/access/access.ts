/**
 * Who may ask what: host and origin, keys and their scopes, request rates.
 *
 * On loopback a request without a key is let in, unless `requireKey` says otherwise, and a value that is no key of a node
 * is ignored there: most clients insist on being given one. When more than loopback is listened on, every request needs
 * a key whatever its peer address, since behind a proxy on this machine everybody comes from 127.0.0.1. Knowledge bases are
 * opened by keys on loopback, too: other users of the machine may not read their files either.
 *
 * @module server/access/access
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, isLoopback, KithError, LimitError, type Logger } from '../../base/index.ts';
import type { Scope } from '../http/exchange.ts';
import { checkHost, type HostRules } from '../http/host.ts';
import type { Access, Caller, Observer } from '../types.ts';
import { agentOf } from './agent.ts';
import { tokenBudgets } from './budgets.ts';
import { answerPreflight, shareWith } from './cors.ts';
import { challengeFor, credentialOf } from './credential.ts';
import { createFailures, failuresPerMinute } from './failures.ts';
import type { KeyStore } from './key-store.ts';
import { keyDigest, keyPrefix, sameDigest } from './key-text.ts';
import { createKeyring, type Held } from './keyring.ts';
import { type Bucket, createBucket, resetText } from './rate.ts';

export interface AccessOptions {
  readonly keys: KeyStore;
  /** Secret of the run file; from this machine it opens everything. */
  readonly token: string;
  /** Address that is listened on. */
  readonly host: string;
  /** Whether the node speaks TLS. */
  readonly secure: boolean;
  readonly requireKey: boolean;
  /** Scopes for which a key is needed on loopback, too. @default `knowledge` and `ingest` */
  readonly keyed?: readonly Scope[];
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  /** Of all callers without a key together; null: no limit. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface KeyedAccess extends Access {
  /** Holds callers to their tokens per minute; belongs among the server's observers. */
  readonly budgets: Observer;
}

const RATED: ReadonlySet<Scope> = new Set(['generate', 'embed', 'knowledge', 'ingest']);

/** What the run token or a request without a key may take. */
interface Nobody {
  readonly key: null;
  readonly requests: Bucket | null;
  readonly tokens: Bucket | null;
}

export function createAccess(options: AccessOptions): KeyedAccess {
  const { keys, host, clock, corsOrigins } = options;
  const keyring = createKeyring(keys, clock, options.log);
  const failures = createFailures(clock);
  const tokenDigest = keyDigest(options.token);
  const wide = !isLoopback(host);
  const needsKey = wide || options.requireKey;
  const keyed: ReadonlySet<Scope | null> = new Set(options.keyed ?? ['knowledge', 'ingest']);
  const rules: HostRules = {
    wide,
    secure: options.secure,
    names: wide ? [...options.allowedHosts, host] : options.allowedHosts,
    origins: corsOrigins,
  };
  const bucket = (limit: number | null) => (limit === null ? null : createBucket(limit, clock));
  const anyone: Nobody = {
    key: null,
    requests: bucket(options.requestsPerMinute),
    tokens: bucket(options.tokensPerMinute),
  };
  const owner: Nobody = { key: null, requests: null, tokens: null };
  const budgetOf = new WeakMap<Caller, Bucket>();

  /** Throws 401, or 429 once this peer failed too often. */
  function refuse(request: IncomingMessage, code: string, message: string): never {
    const waitMs = failures.note(request.socket.remoteAddress ?? '');
    if (waitMs > 0) {
      throw new LimitError(
        'failuresPerMinute',
        failuresPerMinute,
        `Too many requests without a valid key came from your address. Try again in ${Math.ceil(waitMs / 1000)} s.`,
        { retryAfter: waitMs / 1000 },
      );
    }
    throw new KithError(code, message, {
      status: 401,
      details: { challenge: challengeFor(request.headers) },
    });
  }

  function identify(request: IncomingMessage, scope: Scope | null): Held | Nobody {
    const credential = credentialOf(request.headers);
    if (credential !== null && isHere(request.socket) && sameDigest(keyDigest(credential), tokenDigest)) {
      return owner;
    }
    if (scope === 'control') {
      const message =
        "This route takes the node's own run token only, from this machine; use the kith command.";
      return refuse(request, 'invalid_token', message);
    }
    if (!needsKey && !keyed.has(scope) && !credential?.startsWith(keyPrefix)) return anyone;
    if (credential === null) {
      const make = keyed.has(scope) ? `kith keys create --scope ${scope}` : 'kith keys create';
      const message = `This node asks for an API key: send \`authorization: Bearer kith_...\` (or \`x-api-key\`). \`${make}\` makes one.`;
      return refuse(request, 'missing_api_key', message);
    }
    const found = keyring.find(credential);
    if (typeof found !== 'string') return found;
    const why = {
      unknown: 'This API key is not one of this node.',
      revoked: 'This API key was revoked.',
      expired: 'This API key has expired.',
    }[found];
    return refuse(request, 'invalid_api_key', why);
  }

  function checkScope({ key }: Held | Nobody, scope: Scope | null): void {
    if (key === null || scope === null || scope === 'control' || key.scopes.includes(scope)) return;
    throw new KithError(
      'scope_missing',
      `Key ${key.id} may ${key.scopes.join(', ')}; this route needs \`${scope}\`.`,
      { status: 403, details: { scope } },
    );
  }

  /** Requests that ask a model or a knowledge base count; looking at models and health does not. */
  function checkRate(
    { key, requests, tokens }: Held | Nobody,
    scope: Scope | null,
    response: ServerResponse,
  ): void {
    if (scope === null || !RATED.has(scope)) return;
    if (tokens) tellRate(response, 'tokens', tokens);
    if (!requests) return;
    const waitMs = requests.waitMs();
    if (waitMs === 0) requests.take(1);
    tellRate(response, 'requests', requests);
    if (waitMs === 0) return;
    throw new LimitError(
      'requestsPerMinute',
      requests.limit,
      `The ${requests.limit} requests per minute of ${key === null ? 'this node (server.requestsPerMinute)' : `key ${key.id}`} are used up. Try again in ${Math.ceil(waitMs / 1000)} s.`,
      { retryAfter: waitMs / 1000 },
    );
  }

  return {
    get guarded() {
      return keys.usable() > 0;
    },
    admit(request, response, scope, known) {
      checkHost(request.headers, rules, request.method);
      shareWith(corsOrigins, request, response);
      const who = identify(request, scope);
      const caller: Caller = {
        key: who.key?.id ?? null,
        name: who.key?.name ?? 'local',
        agent: agentOf(request.headers),
        ...(who.key?.kbs ? { kbs: who.key.kbs } : {}),
      };
      known?.(caller);
      checkScope(who, scope);
      checkRate(who, scope, response);
      if (who.tokens) budgetOf.set(caller, who.tokens);
      return caller;
    },
    preflight(request, response) {
      if (corsOrigins.length === 0) return false;
      checkHost(request.headers, rules, request.method);
      return answerPreflight(corsOrigins, request, response);
    },
    budgets: tokenBudgets((caller) => budgetOf.get(caller) ?? null),
  };
}

/** The standard headers, as OpenAI's clients read them. */
function tellRate(response: ServerResponse, what: 'requests' | 'tokens', bucket: Bucket): void {
  response.setHeader(`x-ratelimit-limit-${what}`, String(bucket.limit));
  response.setHeader(`x-ratelimit-remaining-${what}`, String(Math.max(0, bucket.remaining())));
  response.setHeader(`x-ratelimit-reset-${what}`, resetText(bucket.resetMs()));
}

/** Addresses of a connection, as `net.Socket` has them. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
}

/**
 * True when the other end of the connection is this machine. One that comes from the very address it goes to does: a
 * system drops packets from outside that claim to come from itself.
 */
export function isHere({ remoteAddress, localAddress }: Ends): boolean {
  return remoteAddress !== undefined && (isLoopback(remoteAddress) || remoteAddress === localAddress);
}
