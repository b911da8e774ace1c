/**
 * The life of the swarm thread as the node thread sees it: started, watched, started again after a death with growing
 * pauses, and given up for a while when it dies again and again.
 *
 * @module swarm/thread/life
 */
import { Worker } from 'node:worker_threads';
import { type Clock, entryBeside, KithError } from '../../base/index.ts';
import type { Post, ThreadSettings, ToNode } from './messages.ts';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** So many deaths within the span, and it stays down for the span. */
const DEATHS = 5;
const DEATH_SPAN_MS = 60_000;
const START_MS = 30_000;
const STOP_MS = 5000;
const YOUNG_MB = 4;

export interface LifeEvents {
  message(message: ToNode): void;
  /** Before the thread does anything: what a new one must be told. */
  born(post: Post): void;
  /** The node in it stands. */
  ready(peer: string, addresses: readonly string[]): void;
  /** What was under way in it is lost. */
  died(why: string): void;
}

export type LifeState = 'running' | 'restarting' | 'broken' | 'closed';

export class Life {
  readonly #settings: () => ThreadSettings;
  readonly #heapMb: number;
  readonly #clock: Clock;
  readonly #events: LifeEvents;
  readonly #stopped = new AbortController();
  #worker: Worker | null = null;
  #state: LifeState = 'restarting';
  #deaths: number[] = [];

  constructor(settings: () => ThreadSettings, heapMb: number, clock: Clock, events: LifeEvents) {
    this.#settings = settings;
    this.#heapMb = heapMb;
    this.#clock = clock;
    this.#events = events;
  }

  get state(): LifeState {
    return this.#state;
  }

  /** Resolves when the node in the thread stands. @throws {KithError} `swarm_start_failed` */
  async start(): Promise<void> {
    const why = await this.#spawn();
    if (why === null) return;
    await this.stop();
    throw new KithError('swarm_start_failed', `The network could not be started: ${why}`, { status: 503 });
  }

  readonly post: Post = (message, move = []) => {
    this.#worker?.postMessage(message, move);
  };

  async stop(): Promise<void> {
    this.#state = 'closed';
    this.#stopped.abort();
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  /** Null when it stands, else why not. */
  #spawn(): Promise<string | null> {
    const worker = new Worker(entryBeside('./entry', import.meta.url), {
      workerData: this.#settings(),
      name: 'kith-swarm',
      // A small young generation: buffers of messages die young, but V8 counts their bytes against the old one, and with the
      // default it marked the whole heap every 300 messages. Measured: half of the thread's processor time.
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker = worker;
    this.#events.born((message, move = []) => worker.postMessage(message, move));
    return new Promise((resolve) => {
      let over = false;
      const end = (why: string) => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        resolve(why);
        this.#dead(worker, why);
      };
      const timer = setTimeout(() => {
        end('it took too long');
        void worker.terminate();
      }, START_MS);
      worker.on('message', (message: ToNode) => {
        if (this.#worker !== worker) return;
        if (message.k === 'ready') {
          clearTimeout(timer);
          this.#state = 'running';
          resolve(null);
          this.#events.ready(message.peer, message.addresses);
        } else if (message.k === 'unable') {
          end(message.message);
          void worker.terminate();
        } else this.#events.message(message);
      });
      worker.on('error', (error) => end((error as Error).message));
      worker.on('exit', (code) => end(`its thread ended with ${code}`));
    });
  }

  #dead(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    if (this.#state === 'closed') return;
    const now = this.#clock.monotonic();
    this.#deaths = this.#deaths.filter((at) => now - at < DEATH_SPAN_MS);
    this.#deaths.push(now);
    const broken = this.#deaths.length >= DEATHS;
    this.#state = broken ? 'broken' : 'restarting';
    this.#events.died(why);
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#deaths.length - 1));
    this.#clock.sleep(broken ? DEATH_SPAN_MS : pause, this.#stopped.signal).then(
      () => this.#spawn(),
      () => {
        // Stopped meanwhile.
      },
    );
  }
}

export const STOP_GRACE_MS = STOP_MS;
