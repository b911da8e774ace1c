/**
 * This machine's engine in its place among the backends.
 *
 * @module gateway/local-provider
 */
import type { GatewayProvider } from './options.ts';
import type { Backend } from './types.ts';

/** The engine has its own limits on waiting and on time; these are for when it does not keep them. */
const limits = { firstTokenMs: 3_600_000, interTokenMs: 3_600_000, totalMs: 86_400_000 } as const;

/**
 * What this machine's engine does wherever the blocks are: nothing is charged, and every grammar and tool call holds; images are
 * not read.
 */
export const ENGINE_ABILITIES = {
  tools: true,
  json: true,
  vision: false,
  continues: true,
  price: { prompt: 0, completion: 0 },
} as const;

export function localProvider(
  backend: Backend,
  more: Pick<GatewayProvider, 'aliases' | 'region' | 'facts'> = {},
): GatewayProvider {
  return {
    backend,
    destination: { kind: 'this_machine' },
    step: 'local',
    ownMachine: true,
    abilities: { ...ENGINE_ABILITIES, limits },
    ...more,
  };
}
