/**
 * One life of the text thread's process. It knows nothing of models; `thread.ts` does.
 *
 * A process, not a worker: a template can fill the heap inside one built-in call (a large `replace`, say).
 *
 * @module engine/text/thread-process
 */
import { entryBeside, KithError, messageOf, ProcessLost, startChild } from '../../base/index.ts';
import {
  type Envelope,
  type Forget,
  fromPlain,
  Paused,
  type ThreadMessage,
  type ThreadRequest,
  type ThreadResults,
} from './protocol.ts';

/** Why a request got no answer. */
export class ThreadLost extends Error {
  readonly why: 'time' | 'memory' | 'crash';
  constructor(why: ThreadLost['why'], message: string) {
    super(message);
    this.why = why;
  }
}

export interface ThreadLife {
  /** True until the process has ended. */
  readonly alive: boolean;
  /** Models opened in this life. */
  readonly opened: Set<string>;
  /**
   * Sends one request; the one before must have been answered.
   *
   * @throws {ThreadLost} when the process ended, or was ended after `limitMs`;
   * @throws {KithError} what the process answered.
   */
  ask<R extends ThreadRequest>(request: R, limitMs: number): Promise<ThreadResults[R['op']] | Paused>;
  /** Nobody wants the rest of this work any more. */
  forget(ticket: number): void;
  /** Resolves when the process is gone. */
  end(): Promise<void>;
}

type Answer = Exclude<ThreadMessage, { readonly kind: 'ready' }>;

const CHILD = entryBeside('./child', import.meta.url);

/** Time for the process to start, ms. */
const START_LIMIT_MS = 30_000;

/** In the words of the text thread; anything else as it is. */
function inItsWords(thrown: unknown): unknown {
  if (!(thrown instanceof ProcessLost)) return thrown;
  const { why, message } = thrown;
  switch (why) {
    case 'start':
      return new ThreadLost('time', `its process did not start within ${START_LIMIT_MS} ms`);
    case 'ended':
      return new ThreadLost('crash', `its process ended with ${message}`);
    case 'error':
    case 'closed':
      return new ThreadLost('crash', message);
    default:
      return new ThreadLost(why, message);
  }
}

export async function startThread(memoryMb: number): Promise<ThreadLife> {
  const child = await startChild<Envelope | Forget, Answer>({
    ...{ module: CHILD, heapMb: memoryMb, memoryMb, startLimitMs: START_LIMIT_MS },
  }).catch((thrown: unknown) => {
    throw inItsWords(thrown);
  });
  const opened = new Set<string>();
  let nextId = 1;

  return {
    get alive() {
      return child.alive;
    },
    opened,
    async ask<R extends ThreadRequest>(
      request: R,
      limitMs: number,
    ): Promise<ThreadResults[R['op']] | Paused> {
      if (!child.alive) throw new ThreadLost('crash', 'its process has ended');
      const envelope: Envelope = { id: nextId++, request, limitMs };
      const answer = await child.ask(envelope, limitMs).catch((thrown: unknown) => {
        if (thrown instanceof ProcessLost) throw inItsWords(thrown);
        // Only what cannot be copied gets here (functions, for instance): never anything parsed from JSON.
        throw new KithError('text_failed', `The request cannot be sent: ${messageOf(thrown)}`, {
          cause: thrown,
        });
      });
      if (answer.kind === 'error') throw fromPlain(answer.error);
      if (answer.kind === 'paused') return new Paused(answer.ticket, answer.ms);
      return answer.result as ThreadResults[R['op']];
    },
    forget(ticket) {
      child.tell({ forget: ticket });
    },
    end: () => child.end(),
  };
}
