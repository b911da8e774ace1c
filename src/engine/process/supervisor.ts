/**
 * Keeps one engine process alive: starts it at first use, notices when it died or hangs, fails what was in flight,
 * starts it again with growing pauses, and gives up for a while when it keeps dying.
 *
 * @module engine/process/supervisor
 */

import type { ChildProcess } from 'node:child_process';
import type { Clock, Logger } from '../../base/index.ts';
import { AbortedError, KithError, messageOf } from '../../base/index.ts';
import { Connection } from './connection.ts';
import type { FrameMeta } from './frames.ts';
import { LineReader } from './lines.ts';
import { type SpawnedEngine, spawnEngine } from './spawn.ts';

/** The part of the log that the engine uses. */
export type EngineLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export interface SupervisorLimits {
  /** ms between two looks at a process that has requests in flight. @default 2000 */
  readonly heartbeatMs: number;
  /** Looks in a row without any byte from the process before it is killed. @default 15 (30 s) */
  readonly silentBeats: number;
  /** The same while a model loads: native code may hold the loop then. @default 90 (3 min) */
  readonly silentBeatsLoading: number;
  /** ms one forward pass may take before the process counts as hung. @default 300000 */
  readonly passMs: number;
  /** ms a new process has to answer the first message. @default 60000 */
  readonly startMs: number;
  /** Deaths within `deathsWindowMs` that open the breaker. @default 5 */
  readonly deaths: number;
  /** @default 60000 */
  readonly deathsWindowMs: number;
  /** ms during which an open breaker refuses to start the process. @default 30000 */
  readonly breakerMs: number;
  /** Pause before the first, second, ... restart within the window, in ms. @default 0, 250, 1000, 2000, 5000 */
  readonly backoffMs: readonly number[];
  /** ms that a stopping process gets to drain. @default 5000 */
  readonly drainMs: number;
}

export const DEFAULT_SUPERVISOR_LIMITS: SupervisorLimits = {
  heartbeatMs: 2000,
  silentBeats: 15,
  silentBeatsLoading: 90,
  passMs: 300_000,
  startMs: 60_000,
  deaths: 5,
  deathsWindowMs: 60_000,
  breakerMs: 30_000,
  backoffMs: [0, 250, 1000, 2000, 5000],
  drainMs: 5000,
};

export interface SupervisorOptions {
  readonly log: EngineLog;
  readonly clock: Clock;
  readonly limits: SupervisorLimits;
  /** First message to a new process; its answer is `Session.hello`. */
  readonly hello: FrameMeta;
  readonly spawn?: () => SpawnedEngine;
}

/** One life of the engine process. */
export interface Session {
  /** 1 for the first process, one more after each restart: what was loaded in another one is gone. */
  readonly generation: number;
  readonly connection: Connection;
  readonly pid: number;
  /** `Clock.monotonic()` when it was started. */
  readonly startedAt: number;
  readonly hello: FrameMeta;
}

export interface SupervisorStatus {
  readonly state: 'idle' | 'starting' | 'running' | 'waiting' | 'broken' | 'closed';
  readonly pid: number | null;
  readonly uptimeMs: number | null;
  /** Times the process was started again after it died. */
  readonly restarts: number;
  /** Why the last process ended, or null. */
  readonly lastCause: string | null;
  /** Resident bytes of the process as it last reported them, or null. */
  readonly rssBytes: number | null;
}

interface Life {
  readonly spawned: SpawnedEngine;
  readonly connection: Connection;
  readonly generation: number;
  readonly startedAt: number;
  /** Why this side killed it, if it did. */
  killedFor: string | null;
  closed: boolean;
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null;
  lost: boolean;
  silent: number;
  seen: number;
  passMs: number;
  rssBytes: number | null;
  beats: number;
  settle: NodeJS.Timeout | null;
  /** Last lines of stderr: a native abort says there what it did not like. */
  readonly tail: string[];
}

const TAIL_LINES = 8;
/** An idle process is asked for its memory at every fifth beat. */
const IDLE_BEATS = 5;

export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #limits: SupervisorLimits;
  #life: Life | null = null;
  #session: Promise<Session> | null = null;
  #running: Session | null = null;
  #generation = 0;
  #restarts = 0;
  /** `Clock.monotonic()` of deaths within the window. */
  #deaths: number[] = [];
  #brokenUntil = 0;
  #lastCause: string | null = null;
  #closing: Promise<void> | null = null;
  readonly #stop = new AbortController();
  readonly #beat: NodeJS.Timeout;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#beat = setInterval(() => this.#look(), options.limits.heartbeatMs);
    this.#beat.unref();
  }

  /** The running process, or null. */
  get current(): Session | null {
    return this.#running;
  }

  /**
   * The running process; starts one when there is none. Throws `engine_unavailable` (503) while the breaker is open
   * or when the process cannot be started.
   */
  async session(signal?: AbortSignal): Promise<Session> {
    if (this.#closing !== null) throw closedError();
    this.#session ??= this.#begin();
    const session = this.#session;
    if (signal === undefined) return session;
    if (signal.aborted) throw new AbortedError(undefined, { cause: signal.reason });
    return await new Promise<Session>((resolve, reject) => {
      const onAbort = (): void => reject(new AbortedError(undefined, { cause: signal.reason }));
      signal.addEventListener('abort', onAbort, { once: true });
      session.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  status(): SupervisorStatus {
    const now = this.#options.clock.monotonic();
    const running = this.#running;
    const state =
      this.#closing !== null
        ? 'closed'
        : running !== null
          ? 'running'
          : this.#life !== null
            ? 'starting'
            : this.#brokenUntil > now
              ? 'broken'
              : this.#session !== null
                ? 'waiting'
                : 'idle';
    return {
      state,
      pid: running?.pid ?? null,
      uptimeMs: running === null ? null : now - running.startedAt,
      restarts: this.#restarts,
      lastCause: this.#lastCause,
      rssBytes: this.#life?.rssBytes ?? null,
    };
  }

  /** Kills the process as hung or broken; it is started again like after any death. */
  kill(cause: string): void {
    const life = this.#life;
    if (life === null || life.lost) return;
    life.killedFor ??= cause;
    life.spawned.child.kill('SIGKILL');
  }

  /** Lets the process finish what is in flight for at most `drainMs`, then ends it. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #begin(): Promise<Session> {
    const promise = this.#start();
    // A failed start is forgotten, so that the next request tries again (or meets the breaker).
    promise.catch(() => {
      if (this.#session === promise) this.#session = null;
    });
    return promise;
  }

  async #start(): Promise<Session> {
    const { clock } = this.#options;
    this.#checkBreaker();
    const deaths = this.#recentDeaths();
    if (deaths > 0) {
      const steps = this.#limits.backoffMs;
      await clock.sleep(steps[Math.min(deaths, steps.length) - 1] ?? 0, this.#stop.signal).catch(() => {
        throw closedError();
      });
      this.#checkBreaker();
    }
    if (this.#closing !== null) throw closedError();
    const life = this.#spawn();
    const tooLong = setTimeout(
      () => this.kill(`it did not answer within ${this.#limits.startMs} ms of its start`),
      this.#limits.startMs,
    );
    try {
      const answer = await life.connection.call('hello', { meta: this.#options.hello });
      const session: Session = {
        generation: life.generation,
        connection: life.connection,
        pid: life.spawned.child.pid ?? 0,
        startedAt: life.startedAt,
        hello: answer.meta,
      };
      this.#running = session;
      this.#options.log.info('engine process started', { pid: session.pid, generation: session.generation });
      return session;
    } catch (error) {
      life.killedFor ??= messageOf(error);
      life.spawned.child.kill('SIGKILL');
      if (error instanceof KithError && error.code === 'engine_lost') {
        throw this.#unavailable(
          `The engine process ended while it started: ${this.#lastCause ?? messageOf(error)}.`,
          1,
        );
      }
      throw error;
    } finally {
      clearTimeout(tooLong);
    }
  }

  #spawn(): Life {
    const { clock, log } = this.#options;
    let spawned: SpawnedEngine;
    try {
      spawned = (this.#options.spawn ?? spawnEngine)();
    } catch (cause) {
      this.#recordDeath(`it could not be started: ${messageOf(cause)}`);
      throw this.#unavailable(`The engine process could not be started: ${messageOf(cause)}.`, 1);
    }
    const { child, pipe } = spawned;
    const life: Life = {
      spawned,
      generation: ++this.#generation,
      startedAt: clock.monotonic(),
      connection: new Connection({
        stream: pipe,
        onClose: (error) => this.#pipeClosed(life, error),
        onPong: (meta) => {
          life.passMs = typeof meta.passMs === 'number' ? meta.passMs : 0;
          if (typeof meta.rss === 'number') life.rssBytes = meta.rss;
        },
      }),
      killedFor: null,
      closed: false,
      exit: null,
      lost: false,
      silent: 0,
      seen: 0,
      passMs: 0,
      rssBytes: null,
      beats: 0,
      settle: null,
      tail: [],
    };
    if (this.#generation > 1) this.#restarts++;
    this.#life = life;
    child.once('error', (error) => {
      life.killedFor ??= `it could not be started: ${messageOf(error)}`;
      // Without a process no 'exit' follows.
      if (child.pid === undefined) this.#exited(life, null, null);
    });
    child.once('exit', (code, signal) => this.#exited(life, code, signal));
    this.#readOutput(life, child, log);
    return life;
  }

  #readOutput(life: Life, child: ChildProcess, log: EngineLog): void {
    const out = new LineReader((line) => log.debug('engine process', { stream: 'stdout', line }));
    const err = new LineReader((line) => {
      life.tail.push(line);
      if (life.tail.length > TAIL_LINES) life.tail.shift();
      log.debug('engine process', { stream: 'stderr', line });
    });
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdout?.on('end', () => out.end());
    child.stderr?.on('end', () => err.end());
  }

  #pipeClosed(life: Life, error: Error | null): void {
    life.closed = true;
    // A process without its pipe is of no use, and it ends by itself unless native code holds it.
    if (error !== null) life.killedFor ??= `its connection failed: ${error.message}`;
    life.spawned.child.kill('SIGKILL');
    this.#settle(life);
  }

  #exited(life: Life, code: number | null, signal: NodeJS.Signals | null): void {
    life.exit = { code, signal };
    this.#settle(life);
  }

  /** Both the exit and the end of the pipe are wanted: the first says why, the second that nothing more can come. */
  #settle(life: Life): void {
    if (life.lost) return;
    if (life.exit !== null && life.closed) {
      if (life.settle !== null) clearTimeout(life.settle);
      // stderr may be a tick behind; what a native abort printed belongs into the cause.
      setImmediate(() => this.#lose(life));
      return;
    }
    life.settle ??= setTimeout(() => this.#lose(life), 500);
  }

  #lose(life: Life): void {
    if (life.lost) return;
    life.lost = true;
    const cause = describeEnd(life);
    const expected = this.#closing !== null;
    if (this.#life === life) {
      this.#life = null;
      this.#session = null;
      this.#running = null;
    }
    if (!expected) {
      this.#recordDeath(cause);
      this.#options.log.error('engine process ended', {
        cause,
        pid: life.spawned.child.pid ?? null,
        requestsInFlight: life.connection.inFlight,
        lastOutput: life.tail.join('\n'),
      });
    }
    life.connection.fail(
      expected
        ? closedError()
        : new KithError(
            'engine_lost',
            `The engine process ended while it worked on this request (${cause}) and is being restarted. Send the request again.`,
            { status: 503, retryAfter: 1, details: { cause } },
          ),
    );
    // Started again at once, so that the next request finds it up. Not when it never came up: then on demand only.
    if (!expected && this.#recentDeaths() < this.#limits.deaths) {
      this.#session ??= this.#begin();
      this.#session.catch((error: unknown) => {
        this.#options.log.warn('engine process could not be restarted', { error: messageOf(error) });
      });
    }
  }

  #recordDeath(cause: string): void {
    const now = this.#options.clock.monotonic();
    this.#lastCause = cause;
    this.#deaths.push(now);
    if (this.#recentDeaths() >= this.#limits.deaths) {
      this.#brokenUntil = now + this.#limits.breakerMs;
      this.#options.log.error('engine process keeps ending; not starting it for a while', {
        deaths: this.#deaths.length,
        pauseMs: this.#limits.breakerMs,
        cause,
      });
    }
  }

  #recentDeaths(): number {
    const since = this.#options.clock.monotonic() - this.#limits.deathsWindowMs;
    this.#deaths = this.#deaths.filter((at) => at > since);
    return this.#deaths.length;
  }

  #checkBreaker(): void {
    const left = this.#brokenUntil - this.#options.clock.monotonic();
    if (left <= 0) return;
    throw this.#unavailable(
      `The engine process ended ${this.#limits.deaths} times within ${Math.round(this.#limits.deathsWindowMs / 1000)} s, ` +
        `the last time because ${this.#lastCause}. It is not started again for ${Math.ceil(left / 1000)} s. ` +
        'See the log for its output; another model, `device: cpu` or a shorter context may help.',
      Math.ceil(left / 1000),
    );
  }

  #unavailable(message: string, retryAfter: number): KithError {
    return new KithError('engine_unavailable', message, {
      status: 503,
      retryAfter,
      details: { cause: this.#lastCause ?? '' },
    });
  }

  /**
   * One heartbeat. It counts beats, not time: after a suspended machine or a blocked loop of our own, one beat has
   * passed, whatever the clock says.
   */
  #look(): void {
    const life = this.#life;
    // A process that starts has `startMs` for it.
    if (life === null || life.lost || this.#running === null) return;
    const { connection } = life;
    if (connection.inFlight === 0) {
      life.silent = 0;
      life.passMs = 0;
      // Only for its memory figure: nothing waits for an idle process.
      if (life.beats++ % IDLE_BEATS === 0) connection.ping();
      return;
    }
    if (connection.received !== life.seen) life.silent = 0;
    else life.silent++;
    life.seen = connection.received;
    const patience = connection.isWaitingFor('load')
      ? this.#limits.silentBeatsLoading
      : this.#limits.silentBeats;
    if (life.silent > patience) {
      this.kill(`it did not answer for ${Math.round((life.silent * this.#limits.heartbeatMs) / 100) / 10} s`);
    } else if (life.passMs > this.#limits.passMs) {
      this.kill(`one forward pass took longer than ${this.#limits.passMs} ms`);
    } else {
      connection.ping();
    }
  }

  async #close(): Promise<void> {
    clearInterval(this.#beat);
    this.#stop.abort();
    const life = this.#life;
    if (life === null || life.lost) return;
    const { child } = life.spawned;
    const ended = new Promise<void>((resolve) => {
      if (life.exit !== null) resolve();
      else child.once('exit', () => resolve());
    });
    const killer = setTimeout(() => child.kill('SIGKILL'), this.#limits.drainMs);
    life.connection
      .call('shutdown', { meta: { drainMs: Math.floor(this.#limits.drainMs * 0.8) } })
      .catch((error: unknown) =>
        this.#options.log.debug('engine process left without an answer', { error: messageOf(error) }),
      );
    await ended;
    clearTimeout(killer);
    this.#lose(life);
  }
}

function describeEnd(life: Life): string {
  if (life.killedFor !== null) return life.killedFor;
  const assertion = life.tail.findLast((line) => line.includes('GGML_ASSERT') || line.includes('Error'));
  const why = assertion === undefined ? '' : `: ${assertion.slice(0, 300)}`;
  if (life.exit === null) return `it closed its connection${why}`;
  if (life.exit.signal !== null) return `signal ${life.exit.signal}${why}`;
  return `exit code ${life.exit.code}${why}`;
}

function closedError(): KithError {
  return new KithError('engine_closed', 'The engine is shutting down and takes no more requests.', {
    status: 503,
  });
}
