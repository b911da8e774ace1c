#!/usr/bin/env node
/**
 * Entry of the command line. Loads as little as it can before it knows the command.
 *
 * @module cli/main
 */
import { enableCompileCache } from 'node:module';

const wanted = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < wanted) {
  process.stderr.write(
    `kith needs Node ${wanted} or newer; this is Node ${process.versions.node}.\n` +
      'In a clone, `npm start` and `npm run -s kith -- ...` bring their own. Elsewhere: install Node 24 from https://nodejs.org.\n',
  );
  process.exitCode = 1;
} else {
  // Keeps compiled code between runs: a command line starts often and runs shortly.
  enableCompileCache();
  const { main } = await import('./program.ts');
  await main(process.argv);
}
