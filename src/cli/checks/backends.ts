/**
 * Checks of the backends that are configured, each by real requests.
 *
 * @module cli/checks/backends
 */
import { type Config, systemClock, systemRandom } from '../../base/index.ts';
import {
  type Backend,
  type CheckName,
  type CheckResult,
  type CheckupOptions,
  checkBackend,
  createOpenAiBackend,
  type GatewayProvider,
} from '../../gateway/index.ts';
import { type Backends, type EngineRooms, openBackends, type RunningNode } from '../../node/index.ts';
import { UsageError } from '../failure.ts';
import { quietLog } from '../quiet-log.ts';
import { type Check, ok } from './finding.ts';

export interface BackendFindings {
  readonly name: string;
  /** The worst of its checks; `skipped` when none was made. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skipped';
  /** Whether it gave a real answer; null when it was not asked. */
  readonly answers: boolean | null;
  /** Why it was not looked at; null when it was. */
  readonly message: string | null;
  readonly requests: number;
  /** As far as they were counted. */
  readonly tokens: number;
  readonly ms: number;
  readonly checks: readonly BackendCheck[];
}

/** `link`: whether anything may be sent there at all, found out without sending. */
export type BackendCheck = Omit<CheckResult, 'name'> & { readonly name: CheckName | 'link' };

export interface BackendChecks {
  readonly config: Config;
  readonly rooms: EngineRooms;
  readonly node: RunningNode;
  /** The only backend, or group of them, to look at; null = all. */
  readonly only: string | null;
  /** Model to ask; null = as configured. */
  readonly model: string | null;
  readonly signal: AbortSignal;
}

/** The engine is asked for little unless it is meant by name: on a small machine each answer takes seconds. */
const SHORT: readonly CheckName[] = ['models', 'completion', 'streaming'];

/** Throws `UsageError` when `only` is no backend. */
export async function checkBackends(options: BackendChecks, check: Check): Promise<BackendFindings[]> {
  const { config, rooms } = options;
  let opened: Backends | null = null;
  await check(
    'backends',
    async () => {
      opened = await openBackends({
        config,
        local: rooms.local,
        clock: systemClock,
        random: systemRandom,
        log: quietLog(),
      });
      return ok(opened.providers.map(({ backend }) => backend.name).join(', '));
    },
    'Correct what is named in config.yaml or the environment.',
  );
  if (opened === null) return [];
  await using backends = opened as Backends;
  const { only } = options;
  const meant = backends.providers.filter(
    ({ backend, group }) => only === null || backend.name === only || group === only,
  );
  if (meant.length === 0)
    throw new UsageError(
      `There is no backend named '${only}'; there are: ${backends.providers.map(({ backend }) => backend.name).join(', ')}.`,
    );
  // Awaited here: the backends are closed when this ends.
  return await Promise.all(meant.map((provider) => checkOne(provider, backends, options)));
}

async function checkOne(
  provider: GatewayProvider,
  { checkups }: Backends,
  options: BackendChecks,
): Promise<BackendFindings> {
  const { backend, facts = {} } = provider;
  const { model, signal } = options;
  const kept = keptFrom(provider, options.config);
  if (kept !== null) return kept;
  const common = { clock: systemClock, random: systemRandom, signal };
  if (provider.peer !== undefined)
    return notLookedAt(
      backend.name,
      'It is a peer, which only the running node reaches: kith backends list says how it is.',
    );
  const known = checkups.get(backend.name);
  if (known === undefined) return await checkEngine(options, common);
  const asked = model ?? known.model ?? null;
  const able = { ...provider.abilities, ...(asked === null ? {} : facts[asked]) };
  return await collect(backend, {
    ...common,
    ...known,
    model: asked,
    abilities: {
      ...(able.tools === undefined ? {} : { tools: able.tools }),
      ...(able.json === undefined ? {} : { json: able.json }),
    },
  });
}

/** The engine that is loaded already is asked where a node runs: a second one would take its memory twice. */
async function checkEngine(
  { config, rooms, node, only, model, signal }: BackendChecks,
  common: Pick<CheckupOptions, 'clock' | 'random' | 'signal'>,
): Promise<BackendFindings> {
  const asked = model ?? config.models.default;
  const options = { ...common, model: asked, ...(only === null ? { checks: SHORT } : {}) };
  if (node.state === 'changing')
    return notLookedAt('local', 'The node is starting or stopping; look again in a moment.');
  if (node.state === 'running') {
    const { url, token, fingerprint } = node.run;
    if (fingerprint !== undefined)
      return notLookedAt(
        'local',
        'The running node speaks TLS; stop it to have its engine checked by itself.',
      );
    const baseUrl = `${url}/v1`;
    const headers = { 'x-kith-route': 'local', 'x-kith-cache': 'off' };
    await using through = createOpenAiBackend({
      name: 'local',
      baseUrl,
      apiKey: token,
      headers,
      defaults: { chat: asked, embedding: config.models.embedding },
      ...common,
    });
    const address = { baseUrl, headers: { ...headers, authorization: `Bearer ${token}` } };
    return await collect(through, { ...options, address, credentials: true, models: [asked] });
  }
  signal.throwIfAborted();
  const entry = await rooms.store.get(asked).catch(() => null);
  // A check fetches nothing: the model's own check says how to get it.
  if (entry === null || entry.state !== 'ready')
    return notLookedAt('local', `'${asked}' is not on this disk yet.`);
  return await collect(rooms.local, options);
}

/**
 * A check goes nowhere that a request would not: neither the key nor a prompt of it may be seen by others. Null: it may
 * be asked.
 */
function keptFrom(
  { backend: { name }, destination }: GatewayProvider,
  { gateway }: Config,
): BackendFindings | null {
  if (destination.kind === 'this_machine') return null;
  if (destination.link === 'open') {
    const link: BackendCheck = {
      name: 'link',
      state: 'fail',
      message:
        'Its address is http on another machine: a way in the clear. Nothing was sent, and no request goes there.',
      remedy: 'Use https, or say `network: owned` under backends if the network is yours.',
      code: 'link_not_secure',
      measured: {},
      ...{ ms: 0, requests: 0, tokens: 0 },
    };
    return { ...notLookedAt(name, null), status: 'fail', checks: [link] };
  }
  if (gateway.privacy !== 'maximum' || destination.kind !== 'provider') return null;
  return notLookedAt(
    name,
    `gateway.privacy is maximum and it is a provider: no request goes there, and no check. To check it all the same: kith doctor --backend ${name} --gateway-privacy minimum`,
  );
}

function notLookedAt(name: string, message: string | null): BackendFindings {
  return {
    name,
    status: 'skipped',
    answers: null,
    message,
    requests: 0,
    tokens: 0,
    ms: 0,
    checks: [],
  };
}

async function collect(backend: Backend, options: CheckupOptions): Promise<BackendFindings> {
  const began = systemClock.monotonic();
  const checks: CheckResult[] = [];
  for await (const result of checkBackend(backend, options)) checks.push(result);
  const has = (state: CheckResult['state']) => checks.some((result) => result.state === state);
  const completion = checks.find(({ name }) => name === 'completion');
  return {
    name: backend.name,
    status: has('fail') ? 'fail' : has('warn') ? 'warn' : 'ok',
    answers: completion?.state === 'ok' || completion?.state === 'warn',
    message: null,
    requests: checks.reduce((sum, { requests }) => sum + requests, 0),
    tokens: checks.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0),
    ms: Math.round(systemClock.monotonic() - began),
    checks,
  };
}
