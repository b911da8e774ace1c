/** A process that observes a peer until it is killed, and prints how often it did. @module trust/testing/writer */
import { systemClock } from '../../base/index.ts';
import { openObservations } from '../observations/store.ts';

const [home, peerId] = process.argv.slice(2) as [string, string];
const store = openObservations({ home, clock: systemClock, self: null });
store.incident(peerId, 'recomputed', 'evidence');
for (let i = 1; ; i++) {
  store.observe(peerId, 'audit', i % 2);
  if (i % 50 === 0) {
    process.stdout.write(`${i}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
