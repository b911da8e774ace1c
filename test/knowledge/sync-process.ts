/**
 * Makes a KB equal to a folder and prints a line for each event: a process to be killed.
 *
 * node sync-process.ts <file of the KB> <home> <folder>
 *
 * @module test/knowledge/sync-process
 */
import { systemClock } from '../../src/base/index.ts';
import { openKnowledgeStore, sync } from '../../src/knowledge/index.ts';
import { plainPool, startEmbedder } from './support.ts';

const [path, home, folder] = process.argv.slice(2) as [string, string, string];
await using real = await startEmbedder(home);
using store = openKnowledgeStore({ path, create: { name: 'Test', clock: systemClock } });
const tell = (...words: string[]) => process.stdout.write(`${words.join('\t')}\n`);
tell('begun');
for await (const event of sync({
  ...{ store, folder, pool: plainPool, embedder: real.embedder, clock: systemClock },
  // Little is read ahead, so that there are many moments to be killed at.
  aheadCharacters: 4000,
})) {
  if (event.kind === 'file') tell(event.stage, event.path);
  else if (event.kind === 'renamed') tell('renamed', event.from, event.to);
  else if (event.kind === 'removed') tell('removed', event.path);
  else tell(event.kind);
}
