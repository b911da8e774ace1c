/** Processes on one core each. @module bench/gateway/pinned */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is measured runs alone on the first core; whoever asks and answers it shares the second. */
export const cores = { gateway: 0, others: 1 } as const;

export interface Pinned extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** A folder of this run. */
export const folder = mkdtempSync(join(tmpdir(), 'kith-bench-gateway-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program that listens on `port`, and waits until it answers HTTP there. */
export async function startPinned(
  core: number,
  port: number,
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Pinned> {
  // taskset becomes the program: the process id is the program's own.
  const child: ChildProcess = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG === undefined ? 'ignore' : 'inherit'],
    env: { ...process.env, ...env },
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<never>((_resolve, reject) =>
    child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with code ${code}.`))),
  );
  ended.catch(() => {});
  const answers = async () => {
    for (let attempt = 0; attempt < 600; attempt++) {
      try {
        await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
        return;
      } catch {
        await sleep(50);
      }
    }
    throw new Error(`${command.join(' ')} did not answer on port ${port}.`);
  };
  await Promise.race([answers(), ended]);
  return {
    pid: child.pid!,
    port,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      kill();
      await ended.catch(() => {});
    },
  };
}
