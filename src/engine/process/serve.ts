/**
 * The engine process's side of the pipe: one handler per request type. Handlers check shapes, call the host, and
 * answer with exactly one last frame, `reply` or `failure`.
 *
 * @module engine/process/serve
 */

import type { Duplex } from 'node:stream';
import { KithError, messageOf } from '../../base/index.ts';
import type { GenerateEvent } from '../types.ts';
import { openChannel } from './channel.ts';
import { encodeFailure } from './failure.ts';
import { asInt32, type Frame, type FrameMeta } from './frames.ts';
import { createHopDesk, decodeHop, type HopDesk } from './hop.ts';
import type { Host } from './host.ts';
import {
  checkForward,
  checkGenerate,
  decodeConversation,
  decodeForward,
  decodeGenerate,
  decodeLoad,
  decodeOptions,
  decodeRows,
  encodeReplyArray,
} from './job.ts';
import { decodeKvCells, encodeKvCells, MOST_CELLS } from './kv-cells.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { checkTokens, shapeOf } from './shape.ts';

export interface ServeOptions {
  readonly stream: Duplex;
  readonly createHost: (options: ReturnType<typeof decodeOptions>, hops: HopDesk) => Host;
  /** The parent is gone, or sent nonsense: `error` says which. */
  readonly onGone: (error: Error | null) => void;
  /** The parent asked for the end and everything is drained. */
  readonly onShutdown: () => void;
}

/** Whether a request was cancelled. Steps only look, so that none of them makes a signal. */
class Stop {
  #controller: AbortController | null = null;
  aborted = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.aborted = true;
    this.#controller?.abort();
  }
}

interface Answer {
  readonly meta?: FrameMeta;
  readonly payload?: Uint8Array;
}

/** ms between two progress frames of a load. */
const PROGRESS_MS = 100;
const MAX_LEASE = Number.MAX_SAFE_INTEGER;

export function serve(options: ServeOptions): void {
  const running = new Map<number, Stop>();
  let host: Host | null = null;
  let closing = false;

  const channel = openChannel({
    stream: options.stream,
    reads: 'requests',
    onFrame: receive,
    onClose: options.onGone,
    onDrain: () => outbox.drained(),
  });
  const outbox: Outbox = createOutbox(channel);
  const hops = createHopDesk((frame) => channel.send(frame));

  function receive(frame: Frame): void {
    if (frame.type === 'ping') {
      channel.send({ type: 'pong', id: 0, end: true, meta: pulse() });
    } else if (frame.type === 'cancel') {
      running.get(frame.id)?.abort();
    } else if (frame.type === 'carried' || frame.type === 'dropped') {
      hops.receive(frame);
    } else if (running.has(frame.id)) {
      throw new KithError('frame_invalid', `Request ${frame.id} is already open.`);
    } else {
      const stop = new Stop();
      running.set(frame.id, stop);
      void answer(frame, stop);
    }
  }

  function pulse(): FrameMeta {
    return { passMs: host?.passMs() ?? 0, rss: process.memoryUsage.rss() };
  }

  /** Never rejects. */
  async function answer(frame: Frame, stop: Stop): Promise<void> {
    const { id } = frame;
    try {
      const { meta, payload } = await handle(frame, stop);
      running.delete(id);
      outbox.frame({
        type: 'reply',
        id,
        end: true,
        ...(meta ? { meta } : {}),
        ...(payload ? { payload } : {}),
      });
    } catch (error) {
      running.delete(id);
      outbox.frame({ type: 'failure', id, end: true, meta: encodeFailure(error) });
    }
    // After its answer went out; a shutdown that failed is one too.
    if (frame.type === 'shutdown') options.stream.end(options.onShutdown);
  }

  function ready(): Host {
    if (host === null) throw new KithError('frame_invalid', 'The first request must be hello.');
    if (closing) throw new KithError('engine_closed', 'The engine is shutting down.', { status: 503 });
    return host;
  }

  async function handle(frame: Frame, stop: Stop): Promise<Answer> {
    switch (frame.type) {
      case 'hello': {
        host ??= options.createHost(decodeOptions(frame.meta), hops);
        return { meta: { ...(await host.hello()), pid: process.pid, node: process.version } };
      }
      case 'load':
        return load(frame, stop.signal);
      case 'unload':
        await ready().unload(shapeOf(frame.meta).string('id', 256));
        return {};
      case 'generate':
        return generate(frame, stop.signal);
      case 'embed': {
        const { model, rows } = decodeRows(frame);
        const hosted = ready().get(model);
        for (const [index, row] of rows.entries()) checkTokens(row, hosted.loaded.vocab, `inputs[${index}]`);
        if (hosted.embed === null) throw wrongTask(model, 'makes no embeddings');
        const { vectors, dimension } = await hosted.embed(rows, stop.signal);
        return encodeReplyArray({ dimension }, vectors);
      }
      case 'rank': {
        // An empty passage has no tokens.
        const { model, rows } = decodeRows(frame, 0);
        const hosted = ready().get(model);
        const [query, ...passages] = rows;
        if (query === undefined) throw new KithError('frame_invalid', 'There is no query to rank for.');
        checkTokens(query, hosted.loaded.vocab, 'query');
        for (const [index, row] of passages.entries())
          checkTokens(row, hosted.loaded.vocab, `documents[${index}]`);
        if (hosted.rank === null) throw wrongTask(model, 'is no reranker');
        const { scores, tokens } = await hosted.rank(query, passages, stop.signal);
        return encodeReplyArray({ tokens }, scores);
      }
      case 'forward': {
        const { model, parts } = decodeForward(frame);
        const hosted = ready().get(model);
        checkForward(parts, hosted.loaded.vocab);
        if (hosted.forward === null) throw wrongTask(model, 'cannot compute single passes');
        const { rows, count, width } = await hosted.forward(parts);
        return encodeReplyArray({ count, width }, rows);
      }
      case 'lease': {
        const shape = shapeOf(frame.meta);
        const cells = shape.integer('cells', 1, 1 << 24);
        const span = shape.has('span') ? shape.record('span') : null;
        const leases = leasesOf(shape);
        const lease = leases.open(
          cells,
          span === null
            ? undefined
            : { from: span.integer('from', 0, 4096), to: span.integer('to', 0, 4096) },
          shape.has('holder') ? shape.string('holder', 128) : null,
        );
        return { meta: { lease, terms: leases.terms(lease) } };
      }
      case 'release': {
        const shape = shapeOf(frame.meta);
        leasesOf(shape).close(shape.integer('lease', 1, MAX_LEASE));
        return {};
      }
      case 'step': {
        const { model: _, ...step } = decodeHop(frame);
        const shape = shapeOf(frame.meta);
        const lease = shape.integer('lease', 1, MAX_LEASE);
        return { payload: bytesOf(await leasesOf(shape).step(lease, step, stop)) };
      }
      case 'kvRead': {
        const shape = shapeOf(frame.meta);
        const [from, most] = [shape.integer('from', 0, 1 << 24), shape.integer('most', 1, MOST_CELLS)];
        return encodeKvCells(await leasesOf(shape).read(shape.integer('lease', 1, MAX_LEASE), from, most));
      }
      case 'kvWrite': {
        const shape = shapeOf(frame.meta);
        await leasesOf(shape).write(shape.integer('lease', 1, MAX_LEASE), decodeKvCells(frame));
        return {};
      }
      case 'tokenize': {
        const shape = shapeOf(frame.meta);
        const hosted = ready().get(shape.string('model', 256));
        const text = new TextDecoder().decode(frame.payload);
        const tokens = hosted.tokenize(text, {
          addSpecial: shape.boolean('addSpecial'),
          parseSpecial: shape.boolean('parseSpecial'),
        });
        return encodeReplyArray({}, tokens);
      }
      case 'detokenize': {
        const hosted = ready().get(shapeOf(frame.meta).string('model', 256));
        const tokens = asInt32(frame.payload);
        checkTokens(tokens, hosted.loaded.vocab, 'tokens');
        return { payload: new TextEncoder().encode(hosted.detokenize(tokens)) };
      }
      case 'prepare': {
        const model = shapeOf(frame.meta).string('model', 256);
        const hosted = ready().get(model);
        if (hosted.prepare === null) throw wrongTask(model, 'has its chat template rendered elsewhere');
        return encodeReplyArray({}, hosted.prepare(decodeConversation(frame)));
      }
      case 'status':
        return {
          meta: { models: ready().status(), rss: process.memoryUsage.rss(), passMs: ready().passMs() },
        };
      case 'shutdown':
        return shutdown(shapeOf(frame.meta).integer('drainMs', 0, 600_000));
      default:
        throw new KithError('frame_invalid', `'${frame.type}' is not a request.`);
    }
  }

  function leasesOf(shape: ReturnType<typeof shapeOf>) {
    const model = shape.string('model', 256);
    const { leases } = ready().get(model);
    if (leases === null) throw wrongTask(model, 'has no KV cells to lend: it is no block range');
    return leases;
  }

  async function load(frame: Frame, signal: AbortSignal): Promise<Answer> {
    let last = 0;
    const hosted = await ready().load(decodeLoad(frame.meta), signal, (done, total) => {
      const now = performance.now();
      if (now - last < PROGRESS_MS && done < total) return;
      last = now;
      outbox.frame({ type: 'progress', id: frame.id, meta: { done, total } });
    });
    return { meta: { loaded: hosted.loaded, tokenizes: hosted.tokenizes } };
  }

  async function generate(frame: Frame, signal: AbortSignal): Promise<Answer> {
    const job = decodeGenerate(frame);
    const hosted = ready().get(job.model);
    checkGenerate(job, hosted.loaded.vocab);
    if (hosted.generate === null) throw wrongTask(job.model, 'does not write text');
    const emit = (event: GenerateEvent): void => outbox.event(frame.id, event);
    await hosted.generate(job, emit, signal);
    return {};
  }

  async function shutdown(drainMs: number): Promise<Answer> {
    closing = true;
    if (host === null) return {};
    const late = AbortSignal.timeout(drainMs);
    const overdue = new Promise<void>((resolve) =>
      late.addEventListener('abort', () => resolve(), { once: true }),
    );
    await Promise.race([host.drain(), overdue]);
    for (const abort of running.values()) abort.abort();
    await Promise.race([
      host[Symbol.asyncDispose](),
      new Promise((resolve) => setTimeout(resolve, drainMs / 4)),
    ]);
    return {};
  }
}

const bytesOf = (rows: Float32Array) => new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);

function wrongTask(model: string, what: string): KithError {
  return new KithError('wrong_model_task', `Model '${model}' ${what}.`, { status: 400, param: 'model' });
}

/** Last resort of the process: what nobody caught goes to stderr in one line, where the parent finds the cause. */
export function reportFatal(error: unknown): void {
  process.stderr.write(`Error: ${messageOf(error)}\n`);
}
