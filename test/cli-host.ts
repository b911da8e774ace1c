/**
 * A process that runs one command of the command line after the other, each with an environment of its own: what a
 * process of its own would say and exit with, without the start of one. It says `{ code, out, err }` for every
 * `{ args, env }`.
 *
 * @module test/cli-host
 */
import { inspect } from 'node:util';
import { main } from '../src/cli/program.ts';
import type { Result } from './cli-support.ts';

export interface Asked {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

class Exit extends Error {}

let end: ((code: number) => void) | null = null;
const said = { out: '', err: '' };

function takes(stream: 'out' | 'err'): typeof process.stdout.write {
  return (chunk: string | Uint8Array, ...rest: unknown[]) => {
    said[stream] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  };
}
process.stdout.write = takes('out');
process.stderr.write = takes('err');
process.exit = (code) => {
  end?.(Number(code ?? 0));
  throw new Exit('A command ended the process.');
};
/** What would have been the last words of a process: nothing of it is lost. */
function crash(error: unknown): void {
  if (error instanceof Exit) return;
  said.err += `${inspect(error)}\n`;
  end?.(1);
}
process.on('uncaughtException', crash);

async function run({ args, env }: Asked): Promise<Result> {
  Object.assign(said, { out: '', err: '' });
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  const ended = Promise.withResolvers<number>();
  end = ended.resolve;
  main(['node', 'kith', ...args]).catch(crash);
  const code = await ended.promise;
  end = null;
  // A process would have taken its listeners with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  process.stdout.removeAllListeners('error');
  return { code, ...said };
}

let last = Promise.resolve();
process.on('message', (asked: Asked) => {
  last = last.then(async () => {
    process.send!(await run(asked));
  });
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
