/**
 * What an entry under `backends` says that its fields alone do not show to be wrong, by the kind of the backend.
 *
 * @module base/settings/backend-sense
 */
import { type ModelNames, unlistedModels } from './listed-models.ts';
import { isPeerId } from './multiaddr.ts';

/** The servers whose quirks are known, `generic` for any other that speaks OpenAI's API, and `peer` for a node of the swarm. */
export const BACKEND_KINDS = [
  'generic',
  'openai',
  'vllm',
  'ollama',
  'llama.cpp',
  'tgi',
  'litellm',
  'openrouter',
  'mistral',
  'anthropic',
  'peer',
] as const;
export type BackendKind = (typeof BACKEND_KINDS)[number];

/** Where the vendors that serve everybody are, so that nobody has to write it. */
export const VENDOR_URLS: Readonly<Partial<Record<BackendKind, string>>> = {
  openai: 'https://api.openai.com/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  mistral: 'https://api.mistral.ai/v1',
  anthropic: 'https://api.anthropic.com/v1',
};

export const PEER_NAME = 'a PeerId such as 12D3KooW... or the did:key of a node, such as did:key:z6Mk...';

/** Nodes have Ed25519 keys: no other PeerId is one. */
export const isPeerName = (text: string): boolean =>
  (text.startsWith('12D3KooW') && isPeerId(text)) || /^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/.test(text);

export interface BackendEntry extends ModelNames {
  readonly kind: BackendKind;
  readonly url?: string | undefined;
  readonly nodes?: readonly string[] | undefined;
  readonly peer?: string | undefined;
  readonly maxTokens?: number | undefined;
  readonly version?: string | undefined;
}

export interface BackendProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** Fields of an entry of kind `peer`: the swarm knows the rest, and peers take no keys. */
const PEER_FIELDS: ReadonlySet<string> = new Set([
  ...['name', 'kind', 'peer', 'models', 'defaults', 'aliases', 'facts', 'modelsTtlMs'],
]);

export function backendProblems(entry: BackendEntry): readonly BackendProblem[] {
  const found = entry.kind === 'peer' ? peerProblems(entry) : serverProblems(entry);
  return [...found, ...unlistedModels(entry)];
}

function peerProblems(entry: BackendEntry): BackendProblem[] {
  const found: BackendProblem[] = [];
  if (entry.peer === undefined)
    found.push({
      path: ['peer'],
      message: `is missing: write the node's name, ${PEER_NAME}; kith identity show prints it there`,
    });
  for (const [field, value] of Object.entries(entry))
    if (value !== undefined && !PEER_FIELDS.has(field))
      found.push({ path: [field], message: 'is not for the kind peer: remove it' });
  if (entry.models?.some((row) => typeof row !== 'string'))
    found.push({ path: ['models'], message: 'of a peer are plain ids, as the peer calls them' });
  return found;
}

function serverProblems(entry: BackendEntry): BackendProblem[] {
  const { kind, url, nodes } = entry;
  const found: BackendProblem[] = [];
  const refuse = (path: string, message: string) => void found.push({ path: [path], message });
  if (entry.peer !== undefined)
    refuse('peer', 'is for the kind peer only: remove it, or write kind: peer and no url');
  if (url !== undefined && nodes !== undefined)
    refuse('nodes', 'stands beside url: write the one address as url, or all of them as nodes');
  if (url === undefined && nodes === undefined && VENDOR_URLS[kind] === undefined)
    refuse('url', `is missing: write the address of the ${kind} server, such as http://192.168.1.7:8000/v1`);
  if (kind !== 'anthropic') {
    if (entry.maxTokens !== undefined) refuse('maxTokens', 'is for the kind anthropic only: remove it');
    if (entry.version !== undefined) refuse('version', 'is for the kind anthropic only: remove it');
  } else if (entry.defaults?.embedding !== undefined || entry.aliases?.embedding !== undefined) {
    refuse(
      entry.defaults?.embedding === undefined ? 'aliases' : 'defaults',
      'names an embedding model, and Anthropic has none: remove it',
    );
  }
  return found;
}
