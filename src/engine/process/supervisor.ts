/**
 * Keeps one engine process alive: starts it at first use, notices when it died or hangs, fails what was in flight,
 * starts it again with growing pauses, and gives up for a while when it keeps dying.
 *
 * @module engine/process/supervisor
 */

import { AbortedError, type Clock, formatPlural, KithError, messageOf } from '../../base/index.ts';
import type { Carry } from '../runner/path-runner.ts';
import type { Connection } from './connection.ts';
import { countDeaths, type Deaths } from './deaths.ts';
import type { FrameMeta } from './frames.ts';
import { Life } from './life.ts';
import { type SpawnedEngine, spawnEngine } from './spawn.ts';
import type { EngineLog, SupervisorLimits, SupervisorStatus } from './supervision.ts';

export interface SupervisorOptions {
  readonly log: EngineLog;
  readonly clock: Clock;
  readonly limits: SupervisorLimits;
  /** First message to a new process; its answer is `Session.hello`. */
  readonly hello: FrameMeta;
  readonly spawn?: () => SpawnedEngine;
  /** Who computes the blocks of a model that are not in the process. */
  readonly carryOf?: (model: string) => Carry | null;
}

/** A running engine process. */
export interface Session {
  /** 1 for the first process, one more after each restart: what was loaded in another one is gone. */
  readonly generation: number;
  readonly connection: Connection;
  readonly pid: number;
  /** `Clock.monotonic()` when it was started. */
  readonly startedAt: number;
  readonly hello: FrameMeta;
}

export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #limits: SupervisorLimits;
  readonly #deaths: Deaths;
  readonly #stop = new AbortController();
  readonly #heart: NodeJS.Timeout;
  #life: Life | null = null;
  #session: Promise<Session> | null = null;
  #running: Session | null = null;
  #generation = 0;
  #closing: Promise<void> | null = null;
  /** The last process said that it cannot work as it is set up: starting it again would not help. */
  #refusal: { readonly life: Life; readonly error: KithError; readonly until: number } | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#deaths = countDeaths(options.limits, options.clock);
    this.#heart = setInterval(() => {
      // A process that starts has `startMs` for it.
      if (this.#running !== null) this.#life?.beat();
    }, options.limits.heartbeatMs);
    this.#heart.unref();
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
    const running = this.#running;
    return {
      state: this.#state(),
      pid: running?.pid ?? null,
      uptimeMs: running === null ? null : this.#options.clock.monotonic() - running.startedAt,
      restarts: Math.max(0, this.#generation - 1),
      recentDeaths: this.#deaths.recent(),
      lastCause: this.#deaths.lastCause,
      rssBytes: this.#life?.rssBytes ?? null,
    };
  }

  /** Lets the process finish what is in flight for at most `drainMs`, then ends it. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #state(): SupervisorStatus['state'] {
    if (this.#closing !== null) return 'closed';
    if (this.#running !== null) return 'running';
    if (this.#life !== null) return 'starting';
    if (this.#deaths.brokenMs() > 0) return 'broken';
    return this.#session === null ? 'idle' : 'waiting';
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
    this.#checkBreaker();
    const refused = this.#refusal;
    if (refused !== null && this.#options.clock.monotonic() < refused.until) throw refused.error;
    const pause = this.#deaths.pauseMs();
    if (pause > 0) {
      await this.#options.clock.sleep(pause, this.#stop.signal).catch(() => {
        throw closedError();
      });
      this.#checkBreaker();
    }
    if (this.#closing !== null) throw closedError();
    const startedAt = this.#options.clock.monotonic();
    const life = this.#spawn();
    const tooLong = setTimeout(
      () => life.kill(`it did not answer within ${this.#limits.startMs} ms of its start`),
      this.#limits.startMs,
    );
    try {
      const { meta } = await life.connection.call('hello', { meta: this.#options.hello });
      const { connection, pid } = life;
      const session: Session = { generation: this.#generation, connection, pid, startedAt, hello: meta };
      this.#running = session;
      this.#options.log.info('engine process started', { pid, generation: session.generation });
      return session;
    } catch (error) {
      if (error instanceof KithError && error.code !== 'engine_lost') this.#refuse(life, error);
      life.kill(messageOf(error));
      if (error instanceof KithError && error.code === 'engine_lost') {
        throw this.#unavailable(`The engine process ended while it started: ${life.cause}.`, 1);
      }
      throw error;
    } finally {
      clearTimeout(tooLong);
    }
  }

  #spawn(): Life {
    let spawned: SpawnedEngine;
    try {
      spawned = (this.#options.spawn ?? spawnEngine)();
    } catch (cause) {
      this.#recordDeath(`it could not be started: ${messageOf(cause)}`);
      throw this.#unavailable(`The engine process could not be started: ${messageOf(cause)}.`, 1);
    }
    this.#generation++;
    const life: Life = new Life({
      spawned,
      limits: this.#limits,
      log: this.#options.log,
      onEnd: () => this.#lose(life),
      ...(this.#options.carryOf === undefined ? {} : { carryOf: this.#options.carryOf }),
    });
    this.#life = life;
    return life;
  }

  /** A wrong setting is no crash: it counts as no death, and for a while nothing is started that would fail alike. */
  #refuse(life: Life, error: KithError): void {
    this.#generation--;
    this.#refusal = { life, error, until: this.#options.clock.monotonic() + this.#limits.breakerMs };
    this.#options.log.warn('engine process cannot work as it is set up', { err: error.message });
  }

  #lose(life: Life): void {
    const { cause } = life;
    if (this.#life === life) {
      this.#life = null;
      this.#session = null;
      this.#running = null;
    }
    if (this.#closing !== null) {
      life.fail(closedError());
      return;
    }
    if (this.#refusal?.life === life) {
      life.fail(this.#refusal.error);
      return;
    }
    this.#options.log.error('engine process ended', {
      cause,
      pid: life.pid,
      requestsInFlight: life.connection.inFlight,
      lastOutput: life.lastOutput,
    });
    this.#recordDeath(cause);
    const message = `The engine process ended while it worked on this request (${cause}) and is being restarted. Send the request again.`;
    life.fail(new KithError('engine_lost', message, { status: 503, retryAfter: 1, details: { cause } }));
    // Started again at once, so that the next request finds it up.
    if (!this.#deaths.few) return;
    this.#session ??= this.#begin();
    this.#session.catch((error: unknown) => {
      this.#options.log.warn('engine process could not be restarted', { error: messageOf(error) });
    });
  }

  #recordDeath(cause: string): void {
    if (!this.#deaths.record(cause)) return;
    this.#options.log.error('engine process keeps ending; it is not started for a while', {
      pauseMs: this.#limits.breakerMs,
      cause,
    });
  }

  #checkBreaker(): void {
    const seconds = Math.ceil(this.#deaths.brokenMs() / 1000);
    if (seconds === 0) return;
    const { deaths, deathsWindowMs } = this.#limits;
    throw this.#unavailable(
      `The engine process ended ${formatPlural(deaths, 'time')} within ${Math.round(deathsWindowMs / 1000)} s, ` +
        `the last time because of: ${this.#deaths.lastCause}. It is not started again for ${seconds} s. ` +
        'The log has its output; another model, `engine.device` cpu or a shorter `engine.context` may help.',
      seconds,
    );
  }

  #unavailable(message: string, retryAfter: number): KithError {
    const details = { cause: this.#deaths.lastCause };
    return new KithError('engine_unavailable', message, { status: 503, retryAfter, details });
  }

  async #close(): Promise<void> {
    clearInterval(this.#heart);
    this.#stop.abort();
    const life = this.#life;
    if (life === null || life.ended) return;
    const { drainMs } = this.#limits;
    const killer = setTimeout(() => life.kill('it did not end in time'), drainMs);
    // Answered or not: the end of the process is what counts.
    const ended = life.connection.call('shutdown', { meta: { drainMs: Math.floor(drainMs * 0.8) } });
    await ended.catch((error: unknown) => {
      this.#options.log.debug('engine process left without an answer', { error: messageOf(error) });
    });
    await life.gone;
    clearTimeout(killer);
  }
}

function closedError(): KithError {
  return new KithError('engine_closed', 'The engine is shutting down and takes no more requests.', {
    status: 503,
  });
}
