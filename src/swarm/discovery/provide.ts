/**
 * Being found by the DHT as one who knows about a model.
 *
 * @module swarm/discovery/provide
 */
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import type { Network } from './network.ts';
import { providerKeyOf } from './topics.ts';

/** Between attempts. */
const AGAIN_MS = 60_000;

export interface ProvideOptions {
  readonly network: Pick<Network, 'provide'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly watch: (model: string) => Promise<AsyncDisposable>;
}

/** Watches a model, since a provider is asked for what it knows, and provides it until `ending`. Never throws. */
export async function provideModel(
  model: string,
  options: ProvideOptions,
  ending: AbortSignal,
): Promise<void> {
  const parts: AsyncDisposable[] = [];
  while (!ending.aborted && parts.length < 2) {
    try {
      if (parts.length === 0) parts.push(await options.watch(model));
      parts.push(await options.network.provide(providerKeyOf(model), { signal: ending }));
    } catch (error) {
      if (ending.aborted) break;
      options.log.warn(`Model ${model} is not provided to others yet: ${messageOf(error)}`);
      await options.clock.sleep(AGAIN_MS, ending).catch(() => undefined);
    }
  }
  if (!ending.aborted) await fired(ending);
  await Promise.allSettled(parts.map((part) => part[Symbol.asyncDispose]()));
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
