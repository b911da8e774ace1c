/**
 * Kith's server and gateway as a node composes them, in front of one other server and without an engine: access, the
 * access log, figures, budgets and the whole policy are on.
 *
 * @module bench/gateway/kith
 */
import { createIds, createLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createOpenAiBackend } from '../../src/gateway/backends/index.ts';
import { createGateway } from '../../src/gateway/index.ts';
import {
  createAccess,
  createObservability,
  createServer,
  defaultServerLimits,
  type NodeStatus,
  openKeyStore,
} from '../../src/server/index.ts';

const [portText, upstream, home] = process.argv.slice(2) as [string, string, string];
const log = createLogger({ level: 'info' });
const ids = createIds(systemClock, systemRandom);
const status = (): Promise<NodeStatus> => Promise.reject(new Error('there is no node around this server'));
const backend = createOpenAiBackend({
  name: 'upstream',
  baseUrl: `http://127.0.0.1:${upstream}/v1`,
  models: ['m', 'burst-8', 'burst-200', 'paced-200'].map((id) => ({ id })),
  clock: systemClock,
  random: systemRandom,
});
const keys = openKeyStore(home, {
  clock: systemClock,
  random: systemRandom,
  busyTimeoutMs: 100,
  durable: false,
});
const access = createAccess({
  keys,
  token: 'bench',
  host: '127.0.0.1',
  secure: false,
  requireKey: false,
  allowedHosts: [],
  corsOrigins: [],
  requestsPerMinute: null,
  tokensPerMinute: null,
  clock: systemClock,
  log: log.child('server'),
});
const observability = await createObservability({
  version: 'bench',
  clock: systemClock,
  ids,
  log: log.child('server'),
  access: true,
  status,
  models: ['m'],
  alerts: { holdMs: 60_000, webhook: '', webhookSecret: '' } as never,
  telemetry: { otlpUrl: '', headers: '', sampleRatio: 1 },
});
await createServer({
  gateway: createGateway({
    providers: [
      { backend, destination: { kind: 'owned', link: 'owned_network' }, step: 'remote', ownMachine: true },
    ],
    clock: systemClock,
    random: systemRandom,
    log: log.child('gateway'),
  }),
  control: { status, shutdown: () => {}, unload: async () => false, load: async () => {} },
  host: '127.0.0.1',
  port: Number(portText),
  log: log.child('server'),
  clock: systemClock,
  ids,
  randomSeed: () => systemRandom.uint32(),
  limits: defaultServerLimits,
  version: 'bench',
  token: 'bench',
  access,
  observers: [observability.observer, access.budgets],
  observability,
});
// Ends by itself, so that a profile (--cpu-prof) is written.
process.once('SIGINT', () => process.exit(0));
