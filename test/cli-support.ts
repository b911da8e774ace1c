/**
 * The command line as a user runs it: real processes with an environment of their own.
 *
 * @module test/cli-support
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  /** Resolves when stdout holds the text. */
  said(text: string): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Ends what a test left behind. */
export function stopAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export function begin(args: readonly string[], input?: string, env: Record<string, string> = {}): Running {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !key.startsWith('KITH_') && !key.startsWith('npm_')),
  );
  const child = spawn(process.execPath, [main, ...args], {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...clean, NODE_TEST_CONTEXT: '', ...env },
  });
  running.add(child);
  let out = '';
  let err = '';
  const listeners = new Set<() => void>();
  child.stdout!.on('data', (chunk) => {
    out += chunk;
    for (const listen of listeners) listen();
  });
  child.stderr!.on('data', (chunk) => {
    err += chunk;
  });
  if (input !== undefined) child.stdin!.end(input);
  const ended = new Promise<Result>((resolve) => {
    child.on('close', (code) => {
      running.delete(child);
      resolve({ code, out, err });
    });
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!out.includes(text)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      ended.then(() => reject(new Error(`It ended without saying '${text}': ${out}${err}`)));
      look();
    });
  return { child, ended, said };
}

export const kith = (args: readonly string[], input?: string, env?: Record<string, string>) =>
  begin(args, input, env).ended;
