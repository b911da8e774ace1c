/**
 * Puts answers into the store at the path given, as fast as it can, until it is killed. Says which ones are kept.
 *
 * @module gateway/cache/testing/writer
 */
import { writeSync } from 'node:fs';
import { silentLogger, systemClock } from '../../../base/index.ts';
import { createSqliteStore } from '../sqlite-store.ts';
import { keyNamed, stored } from './examples.ts';

const store = createSqliteStore({
  path: process.argv[2]!,
  maxBytes: 200_000,
  clock: systemClock,
  log: silentLogger,
});
for (let i = 0; ; i++) {
  await store.put(keyNamed(String(i)), stored('x'.repeat((i * 997) % 20_000)));
  await store.get(keyNamed(String(i - 3)));
  writeSync(1, `${i}\n`);
}
