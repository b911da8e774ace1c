/**
 * Accepts records of one peer until it is killed, and prints the number of each after it was written.
 *
 * @module swarm/registry/testing/killed
 */
import { setImmediate } from 'node:timers/promises';
import { createManualClock } from '../../../base/index.ts';
import { identityOf, NOW, recordOf } from '../../records/testing/samples.ts';
import { openRegistryStore } from '../store.ts';
import { registryFor } from './registries.ts';

const store = openRegistryStore({ path: process.argv[2]! });
const clock = createManualClock(NOW);
const { registry } = registryFor({ store, clock });
for (let number = 1; ; number++) {
  registry.offer(recordOf(identityOf(1), { seq: NOW + number }));
  // Two turns: the store writes at the end of this one.
  await setImmediate();
  await setImmediate();
  process.stdout.write(`${number}\n`);
  // Records of one peer are so many a minute.
  await clock.advance(2000);
}
