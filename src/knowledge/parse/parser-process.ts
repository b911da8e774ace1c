/**
 * One life of a parser's process: a file goes in, its batches come out, and what it may do besides is nothing.
 *
 * @module knowledge/parse/parser-process
 */
import { compileCacheFolder, entryBeside, startChild } from '../../base/index.ts';
import { type Batch, type FromWorker, fromPlain, type ToWorker } from './protocol.ts';
import { OVER_MEMORY } from './words.ts';

export interface ParserProcess {
  /** True until the process has ended, or is about to. */
  readonly alive: boolean;
  /** Resident bytes when it was last heard of. */
  readonly resident: number;
  /**
   * Sends a word and waits for the batch that answers it.
   *
   * @throws {ProcessLost} when the process ended, or was ended after `timeMs`;
   * @throws {KithError} what the parser threw.
   */
  ask(message: Exclude<ToWorker, { kind: 'stop' }>, timeMs: number): Promise<Batch>;
  /** Nobody wants the rest of the file. */
  stop(id: number): void;
  /** Ends it now; resolves when it is gone. */
  end(): Promise<void>;
}

const WORKER = entryBeside('./worker', import.meta.url);
/** Time for the process to start, ms. */
const START_LIMIT_MS = 60_000;
/** Part of the memory that the heap may take before V8 says that it is full; the rest is buffers and Node itself. */
const HEAP_SHARE = 0.75;

/** The process reads files and writes none but compiled code; it starts no programs and loads no native code. */
function permissions(): string[] {
  const cache = compileCacheFolder();
  const writes = cache === undefined ? [] : [`--allow-fs-write=${cache}`];
  return ['--permission', '--allow-fs-read=*', '--allow-worker', ...writes];
}

export async function startParser(memoryMb: number): Promise<ParserProcess> {
  let resident = 0;
  const child = await startChild<ToWorker, Exclude<FromWorker, { readonly kind: 'ready' }>>({
    ...{ module: WORKER, args: [String(memoryMb)], execArgv: [...permissions(), '--no-warnings'] },
    ...{ heapMb: Math.floor(HEAP_SHARE * memoryMb), memoryMb, overMemory: OVER_MEMORY },
    startLimitMs: START_LIMIT_MS,
    onMessage: (message) => {
      resident = message.resident;
    },
  });

  return {
    get alive() {
      return child.alive;
    },
    get resident() {
      return resident;
    },
    async ask(message, timeMs) {
      const answer = await child.ask(message, timeMs);
      if (answer.kind === 'failed') throw fromPlain(answer.error);
      return answer;
    },
    stop: (id) => child.tell({ kind: 'stop', id }),
    end: () => child.end(),
  };
}
