/**
 * A gateway over backends that play this machine's engine.
 *
 * @module gateway/testing/over
 */
import { createSeededRandom, silentLogger, systemClock } from '../../base/index.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { localProvider } from '../local-provider.ts';
import type { GatewayOptions } from '../options.ts';
import type { Backend } from '../types.ts';

export function gatewayOver(backends: readonly Backend[], more: Partial<GatewayOptions> = {}): Gateway {
  return createGateway({
    providers: backends.map((backend) => localProvider(backend)),
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLogger,
    ...more,
  });
}
