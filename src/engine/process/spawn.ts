/**
 * Starts the engine process: the same Node, the child's entry file, a pipe on descriptor 3.
 *
 * @module engine/process/spawn
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { compileCache, entryBeside } from '../../base/index.ts';

/** Descriptor of the pipe in the child. */
export const PIPE_FD = 3;

const ENTRY = fileURLToPath(entryBeside('./child', import.meta.url));

export interface SpawnedEngine {
  readonly child: ChildProcess;
  readonly pipe: Duplex;
}

export function spawnEngine(entry: string = ENTRY): SpawnedEngine {
  const child = spawn(process.execPath, [entry], {
    // Windows needs an overlapped pipe for asynchronous use in the child; elsewhere the two are the same.
    stdio: ['ignore', 'pipe', 'pipe', 'overlapped'],
    env: childEnvironment(process.env),
    windowsHide: true,
  });
  const pipe = child.stdio?.[PIPE_FD] as unknown as Duplex | null | undefined;
  if (pipe === null || pipe === undefined) {
    // Out of descriptors or processes: Node made no streams, and reports the reason by an event of its own.
    child.once('error', () => {});
    throw new Error('the system gave no process or no pipe (too many open files or processes)');
  }
  return { child, pipe };
}

const SECRET = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY/i;

/**
 * The environment without the parent's debugger and loader flags, and without anything that looks like a secret: the
 * engine process parses files from strangers with native code and needs none of them.
 */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(env)) {
    if (
      name === 'NODE_OPTIONS' ||
      name === 'NODE_CHANNEL_FD' ||
      name === 'NODE_TEST_CONTEXT' ||
      SECRET.test(name)
    )
      continue;
    kept[name] = value;
  }
  // Native calls run on libuv's pool beside file reads: with its four threads a few long passes would stall reads.
  kept.UV_THREADPOOL_SIZE ??= '8';
  Object.assign(kept, compileCache());
  return kept;
}
