/**
 * The backends that single settings and variables of other programs describe, in the form of those of config.yaml.
 *
 * @module node/variables
 */
import { type BackendConfig, type Config, VENDOR_URLS } from '../base/index.ts';

/** A backend, and what makes it. */
export interface DescribedBackend {
  readonly backend: BackendConfig;
  /** For people: `backends[0]`, `kwaai.endpoint`. */
  readonly source: string;
  /** Its key itself, where it is not for `backend.key` to say. */
  readonly key?: string;
  /** Backends of one group are balanced. @default the backend's name */
  readonly group?: string;
  /** The key that is all that made it, for people: it is said aloud at the start. */
  readonly byKeyAlone?: string;
}

export function describedBackends(config: Config): DescribedBackend[] {
  const named = config.backends.map((backend, index) => ({
    backend:
      backend.kind !== 'peer' && backend.url === undefined && backend.nodes === undefined
        ? { ...backend, url: VENDOR_URLS[backend.kind]! }
        : backend,
    source: `backends[${index}]`,
  }));
  return [...named, ...kwaai(config.kwaai), ...llm(config.llm), ...vendors(config)];
}

/**
 * The nodes come before the endpoint, which is asked when none of them answers. Their addresses are documented without
 * the version (`https://node1.kwaai.ai`), the endpoint's with it.
 */
function kwaai(settings: Config['kwaai']): DescribedBackend[] {
  const { endpoint, nodes, distributed, apiKey, model, fastModel, qualityModel, embeddingModel } = settings;
  const common = {
    kind: 'generic' as const,
    defaults: { ...given('chat', model), ...given('embedding', embeddingModel) },
    aliases: {
      ...given('fast', fastModel),
      ...given('quality', qualityModel),
      ...given('embedding', embeddingModel),
    },
  };
  const found: DescribedBackend[] = [];
  if (distributed && nodes.length > 0)
    found.push({
      backend: { ...common, name: 'kwaai', nodes: nodes.map(withVersion) },
      source: 'kwaai.nodes',
      key: apiKey,
    });
  if (endpoint !== '')
    found.push({
      backend: { ...common, name: 'kwaai', url: withVersion(endpoint) },
      source: 'kwaai.endpoint',
      group: 'kwaai endpoint',
      key: apiKey,
    });
  return found;
}

function llm({ baseUrl, apiKey, model }: Config['llm']): DescribedBackend[] {
  if (baseUrl === '') return [];
  const backend: BackendConfig = {
    name: 'llm',
    kind: 'generic',
    url: baseUrl,
    defaults: given('chat', model),
  };
  return [{ backend, source: 'llm.baseUrl', key: apiKey }];
}

/** A key of OpenAI or Anthropic that lies in the environment for another program sends nothing away by itself. */
function vendors(config: Config): DescribedBackend[] {
  const { openrouter, openai, anthropic } = config;
  const wanted = [
    { name: 'openai', settings: openai, on: openai.enabled, byKeyAlone: null },
    { name: 'anthropic', settings: anthropic, on: anthropic.enabled, byKeyAlone: null },
    {
      name: 'openrouter',
      settings: openrouter,
      on: openrouter.apiKey !== '',
      byKeyAlone: 'openrouter.apiKey (OPENROUTER_API_KEY)',
    },
  ] as const;
  return wanted.flatMap(({ name, settings: { apiKey, baseUrl, model }, on, byKeyAlone }) => {
    if (!on) return [];
    const backend: BackendConfig = {
      name,
      kind: name,
      url: baseUrl,
      defaults: given('chat', model),
    };
    return [
      { backend, source: `${name}.apiKey`, key: apiKey, ...(byKeyAlone === null ? {} : { byKeyAlone }) },
    ];
  });
}

function given<N extends string>(name: N, value: string): Partial<Record<N, string>> {
  return value === '' ? {} : ({ [name]: value } as Record<N, string>);
}

function withVersion(address: string): string {
  const url = new URL(address);
  return url.pathname === '/' ? `${url.origin}/v1` : address;
}
