/**
 * Registries for tests, on a clock that stands still.
 *
 * @module swarm/registry/testing/registries
 */
import { createManualClock, createSeededRandom, type ManualClock } from '../../../base/index.ts';
import { identityOf, NOW } from '../../records/testing/samples.ts';
import { Registry, type RegistryOptions } from '../registry.ts';

export interface TestRegistry {
  readonly clock: ManualClock;
  readonly registry: Registry;
}

/** The registry of node 0, which cares for nobody unless told. */
export function registryFor(options: Partial<RegistryOptions> = {}): TestRegistry {
  const clock = (options.clock ?? createManualClock(NOW)) as ManualClock;
  const registry = new Registry({
    random: createSeededRandom(1),
    self: identityOf(0).peerId,
    standing: () => 0,
    ...options,
    clock,
  });
  return { clock, registry };
}
