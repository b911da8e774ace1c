/**
 * The process in which parsers run: one file at a time. `parser-process.ts` starts it, and ends it when a file takes too long;
 * a thread beside the parser ends it when it takes too much memory.
 *
 * @module knowledge/parse/worker
 */
import { flushCompileCache } from 'node:module';
import { Worker } from 'node:worker_threads';
import { parseFile } from './parse-file.ts';
import type { FromWorker, ParseJob, ToWorker } from './protocol.ts';
import { toPlain } from './protocol.ts';
import type { Parsed } from './types.ts';

/** A batch is sent when it has so many documents, characters, or took so long (ms). */
const BATCH_DOCUMENTS = 64;
const BATCH_CHARACTERS = 1_000_000;
const BATCH_MS = 1_000;

const send = (message: FromWorker): void => {
  process.send?.(message);
};

function charactersOf({ document }: Parsed): number {
  let sum = 0;
  for (const { blocks } of document.sections) for (const { text } of blocks) sum += text.length;
  return sum;
}

/** Set while a batch is out and nobody has asked for more. */
let goOn: ((more: boolean) => void) | null = null;
let current = 0;

async function run(job: ParseJob): Promise<void> {
  const { id } = job;
  let batch: Parsed[] = [];
  let characters = 0;
  let began = performance.now();
  const sendBatch = (done: boolean) => {
    send({ kind: 'batch', id, parsed: batch, done, resident: process.memoryUsage.rss() });
    batch = [];
    characters = 0;
  };
  try {
    for await (const parsed of parseFile(job.source, job.limits, job.type)) {
      batch.push(parsed);
      characters += charactersOf(parsed);
      // A file that is one document ends after it: no need to ask for more.
      if (parsed.page === null) continue;
      const full = batch.length >= BATCH_DOCUMENTS || characters >= BATCH_CHARACTERS;
      if (!full && performance.now() - began < BATCH_MS) continue;
      const answer = Promise.withResolvers<boolean>();
      goOn = answer.resolve;
      sendBatch(false);
      if (!(await answer.promise)) return;
      began = performance.now();
    }
    sendBatch(true);
  } catch (thrown) {
    // What came before the fault is of use.
    if (batch.length > 0) {
      const answer = Promise.withResolvers<boolean>();
      goOn = answer.resolve;
      sendBatch(false);
      if (!(await answer.promise)) return;
    }
    send({ kind: 'failed', id, error: toPlain(thrown), resident: process.memoryUsage.rss() });
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToWorker) => {
  if (message.kind === 'parse') {
    current = message.id;
    void run(message);
    return;
  }
  if (message.id !== current) return;
  const answer = goOn;
  goOn = null;
  answer?.(message.kind === 'more');
});

// Parsers reject promises that nobody waits for; the file's own promise says how it ended.
process.on('unhandledRejection', () => {});

const watchdog = new URL(
  import.meta.url.endsWith('.ts') ? './watchdog.ts' : './watchdog.js',
  import.meta.url,
);
new Worker(watchdog, {
  workerData: { limit: Number(process.argv[2]) * 1024 * 1024, parent: process.ppid },
  resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  env: {},
  execArgv: [],
})
  .once('online', () => {
    send({ kind: 'ready' });
    // It ends by a kill, after which nothing that was compiled would be there for the next start.
    flushCompileCache();
  })
  .unref();
