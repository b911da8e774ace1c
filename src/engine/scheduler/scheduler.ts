/**
 * Continuous batching over one runner. Each turn admits what fits, then computes one row of every sequence that
 * decodes and as many prompt rows as the pace allows, then chooses tokens and sends text.
 *
 * Whoever came first (within a priority) is served first: it gets cells before others, and when cells run short
 * the youngest loses its own and is computed again later. So the oldest always moves on and every job ends.
 *
 * @module engine/scheduler/scheduler
 */
import { setImmediate } from 'node:timers/promises';
import { InputError, isKithError, KithError, messageOf } from '../../base/index.ts';
import type { FinishReason } from '../types.ts';
import { checkJob, queueFull, slideBy, waitedTooLong } from './accept.ts';
import { insertInOrder, Job, removeFrom } from './job.ts';
import { createMemory } from './memory.ts';
import { createPace } from './pace.ts';
import { type Rows, splitPasses, toPart } from './passes.ts';
import { createRecentDecoding } from './recent.ts';
import { createSpeculation, type Speculation } from './speculation.ts';
import { createTurns } from './turns.ts';
import type { Scheduler, SchedulerInit, SchedulerJob, SchedulerSink, SchedulerStats } from './types.ts';

export function createScheduler(init: SchedulerInit): Scheduler {
  return new BatchScheduler(init);
}

class BatchScheduler implements Scheduler {
  readonly #init: SchedulerInit;
  readonly #memory;
  readonly #pace;
  readonly #recent;
  readonly #turns;
  readonly #speculation: Speculation | null;
  /** Tokens one sequence may hold. */
  readonly #limit: number;
  readonly #context: number;
  readonly #jobs = new Map<string, Job>();
  /** Both in order of service. */
  readonly #waiting: Job[] = [];
  readonly #active: Job[] = [];
  /** The first waiting job does not fit although there is a free slot. */
  #blocked = false;
  #closed = false;
  #loop: Promise<void> | null = null;
  /** Rows that the runner computes now. */
  #underWay: readonly Rows[] = [];
  #order = 0;
  readonly #batchHistogram: number[];
  readonly #totals = {
    submitted: 0,
    finished: 0,
    aborted: 0,
    failed: 0,
    refused: 0,
    preemptions: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    slidTokens: 0,
    passes: 0,
    rows: 0,
  };

  constructor(init: SchedulerInit) {
    const { runner, options } = init;
    const { info } = runner;
    if (!info.embeds || !info.heads) {
      throw new KithError(
        'range_incomplete',
        `Blocks ${info.from} to ${info.to} alone cannot generate text.`,
      );
    }
    this.#init = init;
    this.#context = Math.min(options.context ?? info.contextTrained, info.contextTrained);
    this.#limit = Math.min(this.#context, info.kvCells);
    this.#memory = createMemory({
      count: info.kvCells,
      cachedSequences: init.cachedSequences,
      cachedCells: init.cachedCells,
      embedding: info.embedding,
    });
    this.#pace = createPace({
      prefillChunk: Math.max(1, Math.min(options.prefillChunk, info.maxRows)),
      addedMs: init.prefillAddedMs ?? 100,
    });
    this.#recent = createRecentDecoding(init.clock);
    this.#turns = createTurns({
      active: this.#active,
      memory: this.#memory,
      pace: this.#pace,
      preempt: (job) => this.#preempt(job),
    });
    this.#speculation =
      init.speculation === 'auto'
        ? createSpeculation({
            memory: this.#memory,
            eog: init.tokenizer.eog,
            limit: this.#limit,
            maxRows: info.maxRows,
          })
        : null;
    this.#batchHistogram = new Array(options.maxActive + 1).fill(0);
  }

  submit(request: SchedulerJob, sink: SchedulerSink): void {
    const { options, runner, clock, tokenizer } = this.#init;
    if (this.#closed) {
      throw new KithError('model_unloading', 'The model is being unloaded and takes no new requests.', {
        status: 503,
      });
    }
    if (this.#jobs.has(request.id)) {
      throw new InputError('job_duplicate', `A request with the id ${request.id} is under way.`);
    }
    try {
      checkJob(request, { vocab: runner.info.vocab, context: this.#context, kvCells: runner.info.kvCells });
      this.#checkQueue();
    } catch (error) {
      this.#totals.refused++;
      throw error;
    }
    const job = new Job({
      request,
      order: this.#order++,
      maxTokens: Math.min(request.maxTokens ?? options.maxTokens, options.maxTokens),
      submittedAt: clock.monotonic(),
      tokenizer,
      sink,
      onSinkError: (broken, error) => {
        this.#init.log?.error('a sink failed; its job is dropped', {
          job: request.id,
          error: messageOf(error),
        });
        this.#end(broken, 'failed');
      },
    });
    request.sampler.accept(job.tokens.subarray(0, job.count));
    this.#slide(job);
    this.#jobs.set(request.id, job);
    insertInOrder(this.#waiting, job);
    this.#totals.submitted++;
    this.#wake();
  }

  cancel(id: string): boolean {
    const job = this.#jobs.get(id);
    if (job === undefined) return false;
    this.#finish(job, 'aborted', null);
    this.#interruptIfIdle();
    return true;
  }

  /** A pass of which half or more is for nobody is ended; the others' rows are computed again. A long prompt's chunk
   *  can take seconds, and its caller has gone. */
  #interruptIfIdle(): void {
    let rows = 0;
    let useless = 0;
    for (const { job, count } of this.#underWay) {
      rows += count;
      if (job.state === 'done') useless += count;
    }
    if (useless > 0 && useless * 2 >= rows) this.#init.runner.interrupt?.();
  }

  stats(): SchedulerStats {
    const { cells, cache } = this.#memory;
    return {
      active: this.#active.length,
      prefilling: this.#active.filter((job) => job.pending > 1).length,
      waiting: this.#waiting.length,
      kvCells: cells.count,
      freeCells: cells.free,
      cachedCells: cells.count - cells.free - cells.pinned,
      cachedSequences: cache.entries,
      tokensPerSecond: this.#pace.tokensPerSecond,
      decodeTokensPerSecond: this.#recent.tokensPerSecond,
      batchHistogram: [...this.#batchHistogram],
      totals: {
        ...this.#totals,
        ...(this.#speculation?.totals ?? { draftRounds: 0, draftedTokens: 0, acceptedTokens: 0 }),
        evictedCells: cache.evictedCells,
      },
    };
  }

  async drain(): Promise<void> {
    this.#closed = true;
    await this.#loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const job of [...this.#jobs.values()]) {
      this.#fail(
        job,
        new KithError('model_unloading', 'The model was unloaded before the answer was complete.', {
          status: 503,
        }),
      );
    }
    await this.#loop;
    this.#memory.cache.clear();
  }

  /** Turns run while there is work; then nothing is left on the event loop. */
  #wake(): void {
    this.#loop ??= this.#run()
      .catch((cause: unknown) => {
        // A mistake in here, not in a request: nobody may be left waiting for events that never come.
        this.#init.log?.error('the scheduler failed', { error: messageOf(cause) });
        const error = new KithError('scheduler_failed', `The scheduler failed: ${messageOf(cause)}`, {
          cause,
        });
        for (const job of [...this.#jobs.values()]) {
          job.inFlight = false;
          this.#fail(job, error);
        }
      })
      .finally(() => {
        this.#loop = null;
        // A job that came between the last look and now.
        if (this.#jobs.size > 0) this.#wake();
      });
  }

  async #run(): Promise<void> {
    for (;;) {
      // Lets requests and cancellations in, also when a runner answers without leaving the event loop, and joins
      // requests that come together in one pass.
      await setImmediate();
      this.#expire();
      this.#admit();
      if (this.#active.length === 0) {
        const stuck = this.#waiting[0];
        if (stuck === undefined) return;
        this.#fail(
          stuck,
          new KithError('kv_exhausted', 'The request fits the limits but no KV cells could be freed for it.'),
        );
        continue;
      }
      for (const pass of splitPasses(
        this.#withGuesses(this.#turns.choose()),
        this.#init.runner.info.maxRows,
        this.#init.preferredRows,
      )) {
        await this.#pass(pass);
      }
    }
  }

  /** Where cells are short nothing is guessed. */
  #withGuesses(rows: readonly Rows[]): readonly Rows[] {
    return this.#blocked || this.#speculation === null ? rows : this.#speculation.extend(rows);
  }

  #checkQueue(): void {
    const { options } = this.#init;
    const unstarted = this.#waiting.filter((job) => job.admittedAt === null).length;
    const preempted = this.#waiting.length - unstarted;
    const slots = this.#blocked ? 0 : Math.max(0, options.maxActive - this.#active.length - preempted);
    if (unstarted < options.maxQueue + slots) return;
    throw queueFull(
      unstarted,
      options.maxQueue,
      this.#pace.retryAfter(this.#waiting.length, options.maxActive),
    );
  }

  /** Ends what has waited or run too long. */
  #expire(): void {
    const { options, clock } = this.#init;
    const now = clock.monotonic();
    for (const job of [...this.#waiting, ...this.#active]) {
      const timeout = job.request.timeoutMs ?? Number.POSITIVE_INFINITY;
      if (job.admittedAt !== null) {
        const end = Math.min(job.admittedAt + options.maxRunMs, job.submittedAt + timeout);
        if (now >= end) this.#finish(job, 'length', null);
        continue;
      }
      const waited = now - job.submittedAt;
      if (waited < Math.min(options.maxWaitMs, timeout)) continue;
      this.#end(job, 'refused');
      const retryAfter = this.#pace.retryAfter(this.#waiting.length, options.maxActive);
      job.emitError(waitedTooLong(waited, timeout, options.maxWaitMs, retryAfter));
    }
  }

  #admit(): void {
    this.#blocked = false;
    while (this.#active.length < this.#init.options.maxActive) {
      const job = this.#waiting[0];
      if (job === undefined) return;
      if (job.maxTokens === 0) {
        this.#finish(job, 'length', null);
        continue;
      }
      if (!this.#memory.place(job, this.#active)) {
        this.#blocked = true;
        return;
      }
      this.#waiting.shift();
      job.state = 'active';
      job.admittedAt ??= this.#init.clock.monotonic();
      insertInOrder(this.#active, job);
    }
  }

  /** Takes a sequence's cells; its tokens stay and are computed again when there is room. */
  #preempt(job: Job): void {
    removeFrom(this.#active, job);
    // Whoever follows it goes on alone: it may come back as a follower itself.
    for (const other of this.#active) if (other.leader === job) other.leader = null;
    this.#memory.release(job);
    job.state = 'waiting';
    insertInOrder(this.#waiting, job);
    this.#totals.preemptions++;
    this.#init.log?.debug('preempted for want of KV cells', { job: job.request.id, tokens: job.count });
  }

  async #pass(planned: readonly Rows[]): Promise<void> {
    // A sink may have cancelled a job since its rows were chosen.
    const rows = planned.filter(({ job }) => job.state === 'active');
    if (rows.length === 0) return;
    const { runner, clock, options } = this.#init;
    for (const { job } of rows) job.inFlight = true;
    this.#underWay = rows;
    const from = clock.monotonic();
    try {
      const computing = runner.forward(rows.map(toPart), { transient: true });
      for (const { job } of rows) if (job.state === 'active') job.emitStart();
      const result = await computing;
      const ms = clock.monotonic() - from;
      this.#speculation?.pass(rows, ms);
      // Guesses may be wrong: of them nothing is computed until the sampler chose the same.
      for (const { job, start, count, draft } of rows)
        job.written = start + (draft === undefined ? count : 1);
      let row = 0;
      let sampled = 0;
      let prompt = 0;
      let decodes = 0;
      for (const item of rows) {
        const { job, draft, count, output } = item;
        job.inFlight = false;
        const wanted = draft !== undefined ? count : output ? 1 : 0;
        const logits = result.rows.subarray(row * result.width, (row + wanted) * result.width);
        row += wanted;
        if (count > 1 && draft === undefined) prompt += count;
        if (job.state === 'done') this.#memory.release(job);
        else if (draft !== undefined) decodes += this.#check(item, draft, logits);
        else if (output) {
          this.#next(job, logits);
          if (count === 1) decodes++;
          else sampled++;
        }
      }
      this.#speculation?.gave(rows, decodes);
      sampled += decodes;
      this.#pace.pass(decodes, prompt, sampled, ms);
      if (decodes > 0) this.#recent.add(decodes, clock.monotonic() - from);
    } catch (error) {
      if (isKithError(error) && error.code === 'forward_interrupted') this.#undoPass(rows);
      else this.#failPass(rows, error);
    } finally {
      this.#underWay = [];
    }
    this.#totals.passes++;
    for (const { count } of rows) this.#totals.rows += count;
    this.#batchHistogram[Math.min(rows.length, options.maxActive)]!++;
  }

  /** Rows of an interrupted pass: nothing of them is computed. */
  #undoPass(rows: readonly Rows[]): void {
    for (const { job, start } of rows) {
      job.inFlight = false;
      if (job.state === 'done') this.#memory.release(job);
      else job.sequence?.truncate(start);
    }
  }

  #failPass(rows: readonly Rows[], cause: unknown): void {
    this.#init.log?.error('a forward pass failed', { jobs: rows.length, error: messageOf(cause) });
    const error = isKithError(cause)
      ? cause
      : new KithError('compute_failed', `The engine could not compute the next token: ${messageOf(cause)}`, {
          cause,
        });
    for (const { job } of rows) {
      if (!job.inFlight) continue;
      job.inFlight = false;
      if (job.state === 'done') this.#memory.release(job);
      else this.#fail(job, error);
    }
  }

  /** Chooses tokens as long as the guesses are right, and one more. Returns how many. */
  #check({ job, start }: Rows, draft: Int32Array, logits: Float32Array): number {
    const width = logits.length / (draft.length + 1);
    const slid = job.slidTokens;
    let right = 0;
    job.draftedTokens += draft.length;
    for (;;) {
      job.written = start + 1 + right;
      const at = job.count;
      this.#next(job, logits.subarray(right * width, (right + 1) * width));
      const goesOn = job.state === 'active' && job.slidTokens === slid;
      if (!goesOn || right === draft.length || job.tokens[at] !== draft[right]) break;
      right++;
      job.acceptedTokens++;
    }
    job.sequence?.truncate(job.written);
    this.#speculation?.guessed(job, draft.length, right);
    return right + 1;
  }

  /** Chooses the next token of a job from its logits. */
  #next(job: Job, logits: Float32Array): void {
    const { tokenizer, clock } = this.#init;
    try {
      const sampled = job.request.sampler.sample(logits);
      job.lastTokenAt = clock.monotonic();
      job.firstTokenAt ??= job.lastTokenAt;
      if (tokenizer.eog.has(sampled.token)) {
        this.#finish(job, 'stop', null);
        return;
      }
      job.generated++;
      const stop = job.emitToken(sampled);
      if (job.state !== 'active') return;
      if (stop !== null) this.#finish(job, 'stop', stop);
      else if (job.request.ended?.() === true) this.#finish(job, 'stop', null);
      else if (job.generated >= job.maxTokens) this.#finish(job, 'length', null);
      else {
        job.append(sampled.token);
        if (job.count < this.#limit) return;
        if (job.request.overflow === 'slide') this.#slide(job);
        else this.#finish(job, 'length', null);
      }
    } catch (error) {
      this.#fail(
        job,
        isKithError(error) ? error : new KithError('sampling_failed', messageOf(error), { cause: error }),
      );
    }
  }

  #slide(job: Job): void {
    if (job.request.overflow !== 'slide') return;
    const drop = slideBy(job.count, job.keepTokens, this.#limit);
    if (drop === 0) return;
    job.slide(drop);
    this.#totals.slidTokens += drop;
  }

  #finish(job: Job, reason: FinishReason, stop: string | null): void {
    if (job.state === 'done') return;
    this.#end(job, reason === 'aborted' ? 'aborted' : 'finished');
    job.emitFinish(reason, stop, this.#init.clock.monotonic());
  }

  #fail(job: Job, error: KithError): void {
    if (job.state === 'done') return;
    this.#end(job, 'failed');
    job.emitError(error);
  }

  /** Takes a job off every list; its cells at once, or after the pass that uses them. */
  #end(job: Job, how: 'finished' | 'aborted' | 'failed' | 'refused'): void {
    if (job.state === 'done') return;
    job.state = 'done';
    this.#jobs.delete(job.request.id);
    removeFrom(this.#waiting, job);
    removeFrom(this.#active, job);
    if (!job.inFlight) this.#memory.release(job);
    this.#totals[how]++;
    if (how === 'refused') return;
    this.#totals.promptTokens += job.request.tokens.length;
    this.#totals.cachedTokens += job.cachedTokens;
    this.#totals.completionTokens += job.generated;
    if (job.admittedAt !== null) this.#pace.job(this.#init.clock.monotonic() - job.admittedAt);
  }
}
