/**
 * Makes the gateway's backends of the configuration: this machine's engine, those of config.yaml, and those that
 * variables describe, in the owner's order.
 *
 * @module node/backends
 */
import {
  type BackendConfig,
  type Clock,
  type Config,
  configFilePath,
  type Logger,
  type Random,
  VENDOR_URLS,
} from '../base/index.ts';
import {
  type Backend,
  createAnthropicBackend,
  createOpenAiBackend,
  type GatewayProvider,
  localProvider,
  type ModelAlias,
  modelAliases,
  type RemoteOptions,
} from '../gateway/index.ts';
import { answerLimits, connectionLimits, withoutUndefined } from './backend-limits.ts';
import { type CheckupFacts, checkupFacts } from './checkups.ts';
import { checkBackendNames } from './config-sense.ts';
import { type Env, readPem, readSecret, warnIfOpen } from './credentials.ts';
import { openPeerBackend } from './peer-backends.ts';
import { placeOf } from './place.ts';
import { noPeerNetwork, type PeerNetwork } from './swarm-asking.ts';
import { type DescribedBackend, describedBackends } from './variables.ts';

export interface BackendsOptions {
  readonly config: Config;
  /** Where `env:NAME` keys are looked up. @default process.env */
  readonly env?: Env;
  readonly local: Backend;
  /** The way to peers. @default none: they are there, and nobody reaches them */
  readonly peers?: PeerNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface Backends extends AsyncDisposable {
  readonly providers: readonly GatewayProvider[];
  /** What the check-up of each takes, by name; this machine's engine and peers are not among them. */
  readonly checkups: ReadonlyMap<string, CheckupFacts>;
}

interface Remote {
  /** As it is: what is known of a peer changes, and a copy would keep what it was. */
  readonly provider: GatewayProvider;
  readonly backend: Backend & AsyncDisposable;
  readonly checkup: CheckupFacts | null;
}

/** Servers that go on from the beginning of an answer without repeating it. Elsewhere it depends on the model. */
const CONTINUES: ReadonlySet<BackendConfig['kind']> = new Set(['vllm', 'llama.cpp', 'mistral']);

/** Asks no server anything. Throws InputError `config_invalid` that names the place in the configuration. */
export async function openBackends(options: BackendsOptions): Promise<Backends> {
  const { config, env = process.env, log } = options;
  const described = describedBackends(config);
  checkBackendNames(config, described);
  const owned: Remote[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(owned.map(({ backend }) => backend[Symbol.asyncDispose]()));
  };
  try {
    if (config.backends.some(({ key }) => key !== undefined && !/^(env|file):/.test(key)))
      await warnIfOpen(
        configFilePath(config.home),
        'config.yaml holds a key of a backend and can be read by other users of this machine: chmod 600',
        (message, path) => log.warn(message, { path }),
      );
    for (const each of described) owned.push(...(await remotesOf(each, { ...options, env })));
    const others = owned.map(({ provider }) => provider);
    const local = config.gateway.localEngine
      ? [localProvider(options.local, { aliases: localAliases(config, others) })]
      : [];
    const providers = inOrder([...local, ...others], config.gateway.order);
    tell(providers, described, config, log);
    const checkups = new Map(
      owned.flatMap(({ backend, checkup }) => (checkup === null ? [] : [[backend.name, checkup] as const])),
    );
    return { providers, checkups, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The engine's models stand in for an alias that nobody else has a model for, so that every alias has an answer; where a
 * backend has one, the engine's only if the owner named it.
 */
function localAliases(
  config: Config,
  others: readonly GatewayProvider[],
): Partial<Record<ModelAlias, string>> {
  const { fast, quality, embedding, default: usual } = config.models;
  const own: Record<ModelAlias, string> = { fast, quality, embedding: '' };
  const standIn: Record<ModelAlias, string> = { fast: usual, quality: usual, embedding };
  const aliases: Partial<Record<ModelAlias, string>> = {};
  for (const alias of modelAliases) {
    const taken = others.some((other) => other.aliases?.[alias] !== undefined);
    const id = own[alias] !== '' ? own[alias] : taken ? '' : standIn[alias];
    if (id !== '') aliases[alias] = id;
  }
  return aliases;
}

async function remotesOf(
  described: DescribedBackend,
  options: BackendsOptions & { readonly env: Env },
): Promise<Remote[]> {
  const { backend: entry, source } = described;
  const { config, env, log, peers = noPeerNetwork() } = options;
  const { kind } = entry;
  if (kind === 'peer') return [{ ...openPeerBackend(described, { ...options, peers }), checkup: null }];
  const secret = (text: string, field: string) =>
    readSecret(text, `${source}.${field}`, env, (message, path) => log.warn(message, { path }));
  const key = entry.key === undefined ? (described.key ?? '') : await secret(entry.key, 'key');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(entry.headers ?? {}))
    headers[name] = await secret(value, `headers.${name}`);
  const tls: Record<string, string> = {};
  for (const [field, value] of Object.entries(withoutUndefined(entry.tls ?? {})))
    tls[field] = field === 'servername' ? value : await readPem(value, `${source}.tls.${field}`);

  const common: Omit<RemoteOptions, 'name' | 'baseUrl'> = {
    ...(key === '' ? {} : { apiKey: key }),
    ...(entry.headers === undefined ? {} : { headers }),
    ...(entry.tls === undefined ? {} : { tls }),
    ...(entry.models === undefined ? {} : { models: entry.models.map(modelRow) }),
    ...(entry.defaults === undefined ? {} : { defaults: withoutUndefined(entry.defaults) }),
    ...(entry.maxConnections === undefined ? {} : { maxConnections: entry.maxConnections }),
    ...(entry.healthPath === undefined ? {} : { healthPath: entry.healthPath }),
    ...(entry.modelsTtlMs === undefined ? {} : { modelsTtlMs: entry.modelsTtlMs }),
    limits: connectionLimits(entry, config.gateway.timeoutMs),
    clock: options.clock,
    random: options.random,
  };
  const addresses = entry.nodes ?? [entry.url!];
  return addresses.map((baseUrl, index): Remote => {
    const name = entry.nodes === undefined ? entry.name : `${entry.name}-${index + 1}`;
    const backend =
      kind === 'anthropic'
        ? createAnthropicBackend({
            ...common,
            name,
            baseUrl,
            ...(entry.maxTokens === undefined ? {} : { maxTokens: entry.maxTokens }),
            ...(entry.version === undefined ? {} : { version: entry.version }),
          })
        : createOpenAiBackend({ ...common, name, baseUrl, kind });
    const place = placed(described, baseUrl, config);
    const checkup = checkupFacts(entry, { ...common, name, baseUrl }, place);
    return { provider: { backend, ...place }, backend, checkup };
  });
}

/** What the policy is told of a backend at an address. */
function placed(
  { backend: entry, group = entry.name }: DescribedBackend,
  baseUrl: string,
  config: Config,
): Omit<GatewayProvider, 'backend'> {
  const destination = placeOf(baseUrl, entry);
  const ownMachine = destination.kind === 'this_machine' || destination.kind === 'owned';
  const { timeoutMs } = config.gateway;
  const limits = (parameters: number | null) => answerLimits(entry, timeoutMs, parameters, ownMachine);
  const models = new Set([...Object.keys(entry.facts ?? {}), ...Object.keys(entry.prices ?? {})]);
  const facts = [...models].map((model) => {
    const known = entry.facts?.[model];
    const price = entry.prices?.[model];
    const own = known?.parameters === undefined ? null : limits(known.parameters);
    return [
      model,
      {
        ...(known === undefined ? {} : withoutUndefined(known)),
        ...(price === undefined ? {} : { price }),
        ...(own === null ? {} : { limits: own }),
      },
    ] as const;
  });
  const usual = limits(null);
  return {
    group,
    destination,
    step: 'remote',
    ownMachine,
    counts: mayBeNode(baseUrl),
    ...(entry.aliases === undefined ? {} : { aliases: withoutUndefined(entry.aliases) }),
    ...(entry.anyModel === undefined ? {} : { anyModel: entry.anyModel }),
    ...(entry.models === undefined ? {} : { modelsConfigured: true }),
    ...(entry.region === undefined ? {} : { region: entry.region }),
    abilities: {
      continues: CONTINUES.has(entry.kind),
      // Nobody is paid for what the owner's own machines compute.
      ...(ownMachine ? { price: { prompt: 0, completion: 0 } } : {}),
      ...(usual === null ? {} : { limits: usual }),
    },
    facts: Object.fromEntries(facts),
  };
}

const vendorOrigins = new Set(Object.values(VENDOR_URLS).map((url) => new URL(url).origin));

/** Whatever is none of the vendors that serve everybody may be another node, of whatever kind it is configured. */
function mayBeNode(baseUrl: string): boolean {
  return !vendorOrigins.has(new URL(baseUrl).origin);
}

/** Those named go first, as named. A backend of several nodes is meant by its own name, too. */
function inOrder(
  providers: readonly GatewayProvider[],
  order: readonly string[],
): readonly GatewayProvider[] {
  const named: GatewayProvider[] = [];
  for (const name of order) {
    const meant = providers.filter(({ backend, group }) => backend.name === name || group === name);
    named.push(...meant.filter((provider) => !named.includes(provider)));
  }
  return [...named, ...providers.filter((provider) => !named.includes(provider))];
}

/** Says where requests may go. Addresses only: keys never reach the log. */
function tell(
  providers: readonly GatewayProvider[],
  described: readonly DescribedBackend[],
  config: Config,
  log: Logger,
): void {
  for (const { backend, source, byKeyAlone } of described) {
    const addresses =
      backend.peer === undefined
        ? (backend.nodes ?? [backend.url!]).map((url) => new URL(url).origin)
        : [backend.peer];
    log.info('backend', { backend: backend.name, source, addresses });
    if (byKeyAlone !== undefined)
      log.warn(
        `${byKeyAlone} is set, so requests may go to ${addresses[0]}. Unset it to keep them from there.`,
      );
  }
  for (const { backend, destination } of providers) {
    if (destination.kind === 'this_machine') continue;
    if (destination.link === 'open')
      log.warn(
        `The backend ${backend.name} is never asked: its link is in the clear and no privacy level allows that. Use https, or say network: owned if the network is yours.`,
      );
    else if (config.gateway.privacy === 'maximum' && destination.kind === 'provider')
      log.warn(
        `The backend ${backend.name} is never asked: gateway.privacy is maximum and it is a provider. If it is a machine of yours that passes nothing on, say owned: true under backends.`,
      );
  }
}

function modelRow(
  model: NonNullable<BackendConfig['models']>[number],
): NonNullable<RemoteOptions['models']>[number] {
  return typeof model === 'string' ? { id: model } : withoutUndefined(model);
}
