/**
 * The command line as a user runs it: real processes, and one that runs command after command where a start of its own
 * would show nothing more.
 *
 * @module test/cli-support
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Asked } from './cli-host.ts';

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

function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const clean = Object.entries(process.env).filter(
    ([key]) => !key.startsWith('KITH_') && !key.startsWith('npm_'),
  );
  return {
    ...(Object.fromEntries(clean) as Record<string, string>),
    NODE_TEST_CONTEXT: '',
    KITH_KNOWLEDGE_WATCH: 'false',
    ...more,
  };
}

export function begin(args: readonly string[], input?: string, env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: environment(env),
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

/** Runs a command in a process of its own, as it is installed. */
export const kithProcess = (args: readonly string[], input?: string, env?: Record<string, string>) =>
  begin(args, input, env).ended;

let host: ChildProcess | null = null;
/** Commands that the host was given, the oldest first. */
const waiting: { resolve(result: Result): void; reject(reason: Error): void }[] = [];

function startHost(): ChildProcess {
  const child = fork(join(import.meta.dirname, 'cli-host.ts'), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: environment({}),
  });
  running.add(child);
  child.on('message', (result: Result) => {
    waiting.shift()!.resolve(result);
    if (waiting.length === 0) child.channel!.unref();
  });
  child.on('exit', () => {
    running.delete(child);
    host = null;
    for (const { reject } of waiting.splice(0)) reject(new Error('The process of the commands ended.'));
  });
  // The file's end is not put off by a process that waits for a command that never comes.
  child.unref();
  return child;
}

/**
 * Runs a command and resolves with what it said and its exit code. One that reads stdin or starts a node has a process
 * of its own; all others share one that runs them in turn.
 */
export function kith(
  args: readonly string[],
  input?: string,
  env: Record<string, string> = {},
): Promise<Result> {
  if (input !== undefined || args[0] === 'start') return kithProcess(args, input, env);
  host ??= startHost();
  const asked: Asked = { args, env: environment(env) };
  host.channel!.ref();
  host.send(asked);
  return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
}
