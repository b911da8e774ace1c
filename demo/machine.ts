/**
 * A Kith node as a machine of its own: a home, a process group, a port. Ends with the demo.
 *
 * @module demo/machine
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const KITH = new URL('../src/cli/main.ts', import.meta.url).pathname;
const run = promisify(execFile);

/** What `run/node.json` of a home tells. */
interface RunFile {
  readonly url: string;
  readonly token: string;
}

export class Machine implements AsyncDisposable {
  readonly name: string;
  readonly home: string;
  peer = '';
  #process: ChildProcess | null = null;
  #gone: Promise<unknown> = Promise.resolve();
  #run: RunFile | null = null;

  constructor(name: string, home: string) {
    this.name = name;
    this.home = home;
  }

  /** Makes its key. */
  async create(): Promise<void> {
    await this.kith('identity', 'create');
    const shown = JSON.parse(await this.kith('identity', 'show', '--json')) as { peer_id: string };
    this.peer = shown.peer_id;
  }

  /** Starts the node; resolves when it answers. @param settings by their names in the configuration */
  async start(settings: Readonly<Record<string, string>>): Promise<void> {
    const env = { ...process.env, NO_COLOR: '1' };
    for (const [key, value] of Object.entries(settings)) await this.kith('config', 'set', key, value);
    const child = spawn(process.execPath, [KITH, 'start', '--home', this.home], {
      env,
      // A group of its own: killed as a machine is that loses its power.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr!.on('data', (data) => {
      said = `${said}${data}`.slice(-4000);
    });
    this.#process = child;
    this.#gone = new Promise((resolve) => child.once('exit', resolve));
    await waitFor(`${this.name} to start`, async () => {
      if (child.exitCode !== null) throw new Error(`${this.name} did not start:\n${said}`);
      this.#run = await this.#runFile();
      return (
        this.#run !== null &&
        (await fetch(`${this.#run.url}/health`).then(
          () => true,
          () => false,
        ))
      );
    });
  }

  get url(): string {
    return this.#run!.url;
  }

  /** A request with the rights of its owner. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { url, token } = this.#run!;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${this.name} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Runs a command for its home; gives what it prints. */
  async kith(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [KITH, ...args, '--home', this.home], {
      env: { ...process.env, NO_COLOR: '1' },
      maxBuffer: 16 << 20,
    });
    return stdout;
  }

  /** kill -9 of all its processes at once. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
    await this.#gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #runFile(): Promise<RunFile | null> {
    return readFile(join(this.home, 'run', 'node.json'), 'utf8').then(
      (text) => JSON.parse(text) as RunFile,
      () => null,
    );
  }
}

/** Looks again and again until it is so. @throws Error after `ms` */
export async function waitFor(what: string, look: () => Promise<boolean>, ms = 120_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`Waited ${ms / 1000} s for ${what}, in vain.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
