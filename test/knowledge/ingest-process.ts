/**
 * Takes the files of a seed into a KB and prints a line for each event: a process to be killed.
 *
 * node ingest-process.ts <file of the KB> <home> <files> <seed>
 *
 * @module test/knowledge/ingest-process
 */
import { systemClock } from '../../src/base/index.ts';
import { ingest, openKnowledgeStore } from '../../src/knowledge/index.ts';
import { filesOf, plainPool, startEmbedder } from './support.ts';

const [path, home, count, seed] = process.argv.slice(2) as [string, string, string, string];
await using real = await startEmbedder(home);
using store = openKnowledgeStore({ path, create: { name: 'Test', clock: systemClock } });
const files = filesOf(Number(count), Number(seed), 9);
// What was told is on the disk already: the line may be lost, what it tells of not.
for await (const event of ingest(files, {
  store,
  pool: plainPool,
  embedder: real.embedder,
  clock: systemClock,
  // Little is read ahead, so that there are many moments to be killed at.
  aheadCharacters: 4000,
}))
  process.stdout.write(`${event.kind === 'file' ? `${event.stage} ${event.path}` : event.kind}\n`);
