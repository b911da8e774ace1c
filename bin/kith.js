#!/usr/bin/env node
/**
 * Start of the published command. Plain JavaScript that any Node can read: Kith needs Node 24, and a host with an
 * older one still gets its command, run by the Node 24 that npm installed beside Kith, or is told what to do.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const built = new URL('../dist/cli/main.js', import.meta.url);
  const source = new URL('../src/cli/main.ts', import.meta.url);
  import(existsSync(built) ? built.href : source.href).catch(fail);
} else {
  const runtime = pinnedRuntime();
  if (runtime === null) {
    fail(
      new Error(
        `Kith needs Node ${NEEDED} or newer, and this is Node ${process.versions.node} (${process.execPath}).\n` +
          `Install Node ${NEEDED} from https://nodejs.org, or let npm bring it: in the folder of Kith, run "npm rebuild node".`,
      ),
    );
  } else {
    runWith(runtime);
  }
}

/** The Node that the dependency "node" installed, or null when its install script was not allowed to run. */
function pinnedRuntime() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(path) ? path : null;
  } catch (_error) {
    // Not installed: the message says what to do.
    return null;
  }
}

function runWith(runtime) {
  const child = spawn(runtime, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // Ctrl-C reaches the whole process group; this process only has to outlive the child. The others are passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', fail);
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code === null ? 1 : code;
    } else {
      // Ends as the child did, so that a shell or supervisor sees the same.
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

function fail(error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
