/** A whole node as a process of its own, as `kith start` runs it. @module bench/lib/own-node */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setInFile } from '../../src/base/index.ts';
import { createModelStore } from '../../src/models/index.ts';

export interface OwnNode extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Of the engine's process. */
  enginePid(): Promise<number>;
}

/** Starts a node whose default model is the file, under the id `subject`, and waits until it answers. */
export async function startOwnNode(
  model: string,
  settings: Readonly<Record<string, string>>,
): Promise<OwnNode> {
  const home = await mkdtemp(join(tmpdir(), 'kith-bench-'));
  {
    await using store = createModelStore({ home });
    await store.add(model, { id: 'subject', link: true, task: 'chat' });
  }
  const all = { 'models.default': 'subject', 'server.port': '0', 'log.level': 'warn', ...settings };
  for (const [key, value] of Object.entries(all)) await setInFile(home, key, value);
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KITH_')));
  const child = spawn(process.execPath, [main, 'start', '--json', '--home', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  const kill = () => child.kill();
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
    }
    await rm(home, { recursive: true, force: true });
  };
  try {
    const up = await new Promise<{ url: string; port: number; pid: number }>((resolve, reject) => {
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk;
        for (const line of out.split('\n').slice(0, -1)) {
          const event = JSON.parse(line) as { event: string; url: string; port: number; pid: number };
          if (event.event === 'up') resolve(event);
        }
      });
      child.once('exit', (code) => reject(new Error(`The node ended with code ${code}.`)));
    });
    const detailed = async () =>
      (await (await fetch(`${up.url}/health/detailed`)).json()) as {
        status: string;
        message: string | null;
        engine: { pid: number };
      };
    for (;;) {
      const { status, message } = await detailed();
      if (status === 'ok') break;
      if (status !== 'starting') throw new Error(`The node is ${status}: ${message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return {
      ...up,
      enginePid: async () => (await detailed()).engine.pid,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
