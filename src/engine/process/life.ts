/**
 * One life of the engine process: from its start to the moment when both its exit and the end of its pipe are known.
 *
 * @module engine/process/life
 */

import { type KithError, messageOf } from '../../base/index.ts';
import type { Carry } from '../runner/path-runner.ts';
import { Connection } from './connection.ts';
import { LineReader } from './lines.ts';
import type { SpawnedEngine } from './spawn.ts';
import type { EngineLog, SupervisorLimits } from './supervision.ts';

const TAIL_LINES = 8;
/** An idle process is asked for its memory at every fifth beat. */
const IDLE_BEATS = 5;
/** ms between the exit and the end of the pipe, whichever comes first, after which the other is not waited for. */
const SETTLE_MS = 500;

export interface LifeOptions {
  readonly spawned: SpawnedEngine;
  readonly limits: SupervisorLimits;
  readonly log: EngineLog;
  /** Called once, when nothing more can come from the process. */
  readonly onEnd: () => void;
  readonly carryOf?: (model: string) => Carry | null;
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

export class Life {
  readonly connection: Connection;
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
  readonly #options: LifeOptions;
  readonly #resolveGone: () => void;
  /** Why this side killed it, if it did. */
  #killedFor: string | null = null;
  #pipeClosed = false;
  #exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null;
  #ended = false;
  #settle: NodeJS.Timeout | null = null;
  /** Last lines of stderr: a native abort says there what it did not like. */
  readonly #tail: string[] = [];
  #silent = 0;
  #seen = 0;
  #idleBeats = 0;
  #passMs = 0;
  #rssBytes: number | null = null;

  constructor(options: LifeOptions) {
    this.#options = options;
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    this.#resolveGone = gone.resolve;
    const { child, pipe } = options.spawned;
    this.pid = child.pid ?? 0;
    this.connection = new Connection({
      stream: pipe,
      onClose: (error) => {
        this.#pipeClosed = true;
        // A process without its pipe is of no use, and it ends by itself unless native code holds it.
        // A reset may come before the exit of a process that died with bytes unread: then its exit says why.
        if (error !== null && !isReset(error)) this.#killedFor ??= `its connection failed: ${error.message}`;
        child.kill('SIGKILL');
        this.#trySettle();
      },
      ...(options.carryOf === undefined ? {} : { carryOf: options.carryOf }),
      onPong: (meta) => {
        this.#passMs = typeof meta.passMs === 'number' ? meta.passMs : 0;
        if (typeof meta.rss === 'number') this.#rssBytes = meta.rss;
      },
    });
    child.once('error', (error) => {
      this.#killedFor ??= `it could not be started: ${messageOf(error)}`;
      // Without a process no 'exit' follows.
      if (child.pid === undefined) this.#exited(null, null);
    });
    child.once('exit', (code, signal) => this.#exited(code, signal));
    this.#readOutput();
  }

  get ended(): boolean {
    return this.#ended;
  }

  get rssBytes(): number | null {
    return this.#rssBytes;
  }

  get lastOutput(): string {
    return this.#tail.join('\n');
  }

  /** Ends it at once; `cause` goes into the errors of what was in flight. */
  kill(cause: string): void {
    if (this.#ended) return;
    this.#killedFor ??= cause;
    this.#options.spawned.child.kill('SIGKILL');
  }

  /** Why it ended, as the end of a sentence. */
  get cause(): string {
    if (this.#killedFor !== null) return this.#killedFor;
    // Native code says in its last line why it aborts, after the path of a source file on the machine that built it.
    const aborted = this.#exit?.signal === 'SIGABRT';
    const line = aborted ? this.#tail.at(-1) : this.#tail.findLast((each) => /GGML_ASSERT|Error/.test(each));
    const why =
      line === undefined ? '' : `: ${line.replace(/^\S*[/\\](?=[^/\\\s]+:\d+:)/, '').slice(0, 300)}`;
    if (this.#exit === null) return `it closed its connection${why}`;
    if (this.#exit.signal !== null) return `signal ${this.#exit.signal}${why}`;
    return `exit code ${this.#exit.code}${why}`;
  }

  /** Rejects everything in flight. */
  fail(error: KithError): void {
    this.connection.fail(error);
  }

  /**
   * One heartbeat. It counts beats, not time: after a suspended machine or a blocked loop of our own, one beat has
   * passed, whatever the clock says.
   */
  beat(): void {
    const { connection } = this;
    const { limits } = this.#options;
    if (this.#ended) return;
    if (connection.inFlight === 0) {
      this.#silent = 0;
      this.#passMs = 0;
      // Only for its memory figure: nothing waits for an idle process.
      if (this.#idleBeats++ % IDLE_BEATS === 0) connection.ping();
      return;
    }
    this.#silent = connection.received === this.#seen ? this.#silent + 1 : 0;
    this.#seen = connection.received;
    const patience = connection.isWaitingFor('load') ? limits.silentBeatsLoading : limits.silentBeats;
    if (this.#silent > patience) {
      this.kill(`it did not answer for ${Math.round((this.#silent * limits.heartbeatMs) / 100) / 10} s`);
    } else if (this.#passMs > limits.passMs) {
      this.kill(`one forward pass took longer than ${limits.passMs} ms`);
    } else {
      connection.ping();
    }
  }

  #readOutput(): void {
    const { log, spawned } = this.#options;
    const out = new LineReader((line) => log.debug('engine process', { stream: 'stdout', line }));
    const err = new LineReader((line) => {
      this.#tail.push(line);
      if (this.#tail.length > TAIL_LINES) this.#tail.shift();
      log.warn('engine process', { stream: 'stderr', line });
    });
    spawned.child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    spawned.child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    spawned.child.stdout?.on('end', () => out.end());
    spawned.child.stderr?.on('end', () => err.end());
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#exit = { code, signal };
    this.#trySettle();
  }

  /** The exit says why, the end of the pipe that nothing more can come: both are wanted. */
  #trySettle(): void {
    if (this.#ended) return;
    if (this.#exit !== null && this.#pipeClosed) {
      // stderr may be a tick behind; what a native abort printed belongs into the cause.
      setImmediate(() => this.#end());
    } else {
      this.#settle ??= setTimeout(() => this.#end(), SETTLE_MS);
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#settle !== null) clearTimeout(this.#settle);
    this.#options.onEnd();
    this.#resolveGone();
  }
}
