/** What `kith start` says once the node listens. @module cli/welcome */
import { networkInterfaces } from 'node:os';
import { isLoopback } from '../base/index.ts';
import { asTyped, paint } from './output.ts';
import { version } from './version.ts';

export interface WelcomeFacts {
  /** The node's address as this machine calls it. */
  readonly url: string;
  /** The engine's default model; null where the engine is no backend. */
  readonly model: string | null;
  /** What `server.host` says. */
  readonly host: string;
  /** What `server.allowedHosts` says. */
  readonly names: readonly string[];
  /** @default those of this machine */
  readonly interfaces?: ReturnType<typeof networkInterfaces>;
}

export function welcome({ url, model, host, names, interfaces = networkInterfaces() }: WelcomeFacts): string {
  const { protocol, port } = new URL(url);
  const wide = !isLoopback(host);
  const elsewhere = wide ? [...lanAddresses(host, interfaces), ...names] : [];
  return [
    `${paint('bold', `Kith ${version}`)} is up`,
    `  Page and API: ${paint('cyan', url)}`,
    ...elsewhere.map(
      (name) => `  from others:  ${paint('cyan', `${protocol}//${name}${port && `:${port}`}`)}`,
    ),
    `  model  ${model ?? 'none of this machine (gateway.localEngine is false); your backends have them'}`,
    `  chat   ${asTyped('kith chat')}          (in another terminal)`,
    `  API    ${url}/v1   (OpenAI-compatible)`,
    ...(wide
      ? [`  keys   each request needs a key, from this machine too (${asTyped('kith keys list')})`]
      : []),
    '  stop   Ctrl-C',
  ].join('\n');
}

/** What answers once the node is ready. Whether other servers do is found out by asking them. */
export function whoAnswers(model: WelcomeFacts['model']): string {
  return model === null
    ? `requests go to your backends (${asTyped('kith backends list')}); gateway.localEngine is false`
    : `${model} answers`;
}

/** More interfaces than these, such as those of containers, would bury the address that counts. */
const shownAddresses = 8;

/** Addresses under which other machines may reach a wildcard host, as they stand in a URL; a single address is known already. */
function lanAddresses(host: string, interfaces: ReturnType<typeof networkInterfaces>): string[] {
  const bare = host.replace(/^\[|\]$/g, '');
  if (bare !== '0.0.0.0' && bare !== '::') return [];
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && (family === 'IPv4' || bare === '::'))
    .map(({ address, family }) => (family === 'IPv4' ? address : `[${address}]`))
    .filter((address) => !address.toLowerCase().startsWith('[fe80:'))
    .slice(0, shownAddresses);
}
