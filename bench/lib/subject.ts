/**
 * A benchmark subject is a program in a process of its own that answers commands over IPC. Subject and rival are
 * asked in turn, A B A B, so that both meet the same machine.
 *
 * @module bench/lib/subject
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface TextSubject {
  readonly name: string;
  call<T = number>(command: string, args?: Readonly<Record<string, unknown>>): Promise<T>;
  /** Resident bytes of the process and its children. */
  rss(): number;
  stop(): Promise<void>;
}

export function startSubject(name: string, script: URL, args: readonly string[]): TextSubject {
  const child: ChildProcess = fork(script, args as string[], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const kill = () => child.kill();
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let next = 0;
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on('message', (message: { id: number; value?: never; error?: string }) => {
    const entry = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error !== undefined) entry?.reject(new Error(`${name}: ${message.error}`));
    else entry?.resolve(message.value as never);
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} ended with code ${code}`));
    waiting.clear();
  });
  return {
    name,
    call: (command, args = {}) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        child.send({ id, command, args });
      }),
    rss: () => residentBytes(child.pid!),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.disconnect();
        child.kill();
      }),
  };
}

/** Answers the commands of `startSubject` in the subject's process. */
export function serveSubject(commands: Readonly<Record<string, (args: never) => unknown>>): void {
  // A benchmark that fails must not leave its subjects behind.
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (message: { id: number; command: string; args: never }) => {
    try {
      process.send!({ id: message.id, value: await commands[message.command]!(message.args) });
    } catch (error) {
      process.send!({
        id: message.id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  });
}

/** Sum over a process tree, from /proc (Linux); NaN elsewhere. */
function residentBytes(pid: number): number {
  try {
    let total = 0;
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
      } catch {
        // the process ended meanwhile
      }
    }
    for (const candidate of parents.keys()) {
      let at: number | undefined = candidate;
      while (at !== undefined && at !== pid && at > 1) at = parents.get(at);
      if (at !== pid) continue;
      const status = readFileSync(`/proc/${candidate}/status`, 'utf8');
      total += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    }
    return total;
  } catch {
    return Number.NaN;
  }
}
