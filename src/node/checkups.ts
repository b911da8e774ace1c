/**
 * What is configured about a backend, in the form that its check-up takes.
 *
 * @module node/checkups
 */
import type { BackendConfig } from '../base/index.ts';
import type { CheckupOptions, GatewayProvider, RemoteOptions } from '../gateway/index.ts';

export interface CheckupFacts
  extends Pick<CheckupOptions, 'address' | 'credentials' | 'models' | 'model' | 'anyListed'> {}

/** `remote`: what its backend was made of. Holds its credentials: never to be shown. */
export function checkupFacts(
  { kind, aliases, version = '2023-06-01' }: BackendConfig,
  { baseUrl, apiKey, headers, tls, defaults, models = [] }: RemoteOptions,
  { destination }: Pick<GatewayProvider, 'destination'>,
): CheckupFacts {
  const own: Record<string, string> = kind === 'anthropic' ? { 'anthropic-version': version } : {};
  const secret: Record<string, string> =
    apiKey === undefined
      ? {}
      : kind === 'anthropic'
        ? { 'x-api-key': apiKey }
        : { authorization: `Bearer ${apiKey}` };
  const chat = models.find(({ task }) => task === undefined || task === 'chat');
  return {
    address: {
      baseUrl,
      headers: { ...own, ...headers, ...secret },
      ...(tls === undefined ? {} : { tls }),
    },
    credentials: apiKey !== undefined,
    models: models.map(({ id, upstreamId = id }) => upstreamId),
    model: defaults?.chat ?? aliases?.fast ?? aliases?.quality ?? chat?.id ?? null,
    // A model that nobody chose may cost more than a check is worth.
    anyListed: destination.kind !== 'provider',
  };
}
