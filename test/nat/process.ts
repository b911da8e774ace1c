/**
 * A node of the lab as its runner sees it: a process in a namespace.
 *
 * @module test/nat/process
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Commands, NodeInit } from './node.ts';

const START_MS = 60_000;
const STARTS = 3;
const COMMAND_MS = 120_000;

/** What a node answered instead: its error's code, if it had one. */
export class NodeError extends Error {
  readonly code: string | null;
  constructor(message: string, code: string | null) {
    super(code === null ? message : `${code}: ${message}`);
    this.code = code;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class NodeProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  peer = '';
  addresses: readonly string[] = [];

  private constructor(space: string, init: NodeInit) {
    const args = ['netns', 'exec', space, process.execPath, join(import.meta.dirname, 'node.ts')];
    this.#child = spawn('ip', [...args, JSON.stringify(init)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new NodeError('The node ended.', null));
      this.#waiting.clear();
    });
    // It was killed: what the runner wanted.
    this.#child.stdin.on('error', () => {});
  }

  /** A machine that has no time for it makes a swarm give up its start; what is tested here comes after it. */
  static async start(space: string, init: NodeInit): Promise<NodeProcess> {
    for (let left = STARTS - 1; ; left--)
      try {
        return await NodeProcess.#once(space, init);
      } catch (error) {
        if (left === 0) throw error;
        console.log(`  (a node is started again: ${(error as Error).message})`);
      }
  }

  static async #once(space: string, init: NodeInit): Promise<NodeProcess> {
    const node = new NodeProcess(space, init);
    const ready = node.#wait(0, START_MS);
    createInterface({ input: node.#child.stdout }).on('line', (line) => node.#onLine(line));
    ({ peer: node.peer, addresses: node.addresses } = (await ready) as NodeProcess);
    return node;
  }

  #onLine(line: string): void {
    const answer = JSON.parse(line) as {
      ready?: unknown;
      id?: number;
      value?: unknown;
      error?: string;
      code?: string | null;
    };
    const id = answer.id ?? 0;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (answer.error === undefined) waiting?.resolve(answer.ready ?? answer.value);
    else waiting?.reject(new NodeError(answer.error, answer.code ?? null));
  }

  #wait(id: number, ms: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NodeError(`No answer within ${ms} ms.`, null)), ms);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          then(value);
        };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
    });
  }

  do<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const id = this.#next++;
    const answer = this.#wait(id, COMMAND_MS);
    this.#child.stdin.write(`${JSON.stringify({ id, name, args })}\n`);
    return answer as Promise<Awaited<ReturnType<Commands[Name]>>>;
  }

  /** As a power cut: nothing is said to anybody. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
