/**
 * Who may ask this node what: the keys of its home under the rules of its configuration.
 *
 * @module node/access
 */
import { type Config, type Logger, systemClock, systemRandom } from '../base/index.ts';
import { createAccess, type KeyedAccess, openKeyStore } from '../server/index.ts';
import { tlsFiles } from './tls-files.ts';

/** ms that a request waits for another process that writes the keys. */
const busyTimeoutMs = 100;

export interface NodeAccess extends Disposable {
  readonly access: KeyedAccess;
}

export function openAccess(config: Config, token: string, log: Logger): NodeAccess {
  const { server, home } = config;
  const keys = openKeyStore(home, {
    clock: systemClock,
    random: systemRandom,
    busyTimeoutMs,
    // A node writes only when keys were last used.
    durable: false,
  });
  const access = createAccess({
    keys,
    token,
    host: server.host,
    secure: tlsFiles(config) !== null,
    requireKey: server.requireKey,
    allowedHosts: server.allowedHosts,
    corsOrigins: server.corsOrigins,
    requestsPerMinute: server.requestsPerMinute,
    tokensPerMinute: server.tokensPerMinute,
    clock: systemClock,
    log,
  });
  return { access, [Symbol.dispose]: () => keys.close() };
}
