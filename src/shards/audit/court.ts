/**
 * Judges one hop's claim: by this machine's own copy of the blocks if it has one; else by another peer, with a third to settle
 * what they disagree on; where there is no other, by a canary.
 *
 * @module shards/audit/court
 */
import { messageOf } from '../../base/index.ts';
import type { Budget } from './budget.ts';
import { Canaries, recorded } from './canaries.ts';
import { type Claim, type Judgement, judge } from './claim.ts';
import { COPIES, disturbed } from './compare.ts';
import { type Executor, ownExecutor, peerExecutor } from './executor.ts';
import type { Found } from './gather.ts';
import { Tally } from './tally.ts';
import type { AuditedPath, AuditorOptions, Verdict } from './types.ts';
import type { Finding, Verdicts } from './verdicts.ts';

type Claimed = Extract<Found, { kind: 'claim' }>;

/** One hop before the court. */
interface Trial {
  /** Who computed, or was asked to. */
  readonly tried: Set<string>;
  /** Why somebody who was asked could not: slow, busy, gone. That says nothing of anybody. */
  failed: unknown;
  /** Ends it without a verdict. */
  readonly signal: AbortSignal;
  readonly path: AuditedPath;
  readonly found: Claimed;
  readonly peer: string;
  readonly width: number;
}

export class Court {
  readonly #options: AuditorOptions;
  readonly #budget: Budget;
  readonly #verdicts: Verdicts;
  readonly #canaries = new Canaries();
  readonly #tally = new Tally();

  constructor(options: AuditorOptions, budget: Budget, verdicts: Verdicts) {
    this.#options = options;
    this.#budget = budget;
    this.#verdicts = verdicts;
  }

  /** Null when there is nobody who could judge. @throws KithError what kept those from it who could */
  async judge(
    path: AuditedPath,
    found: Claimed,
    peer: string,
    width: number,
    signal: AbortSignal,
  ): Promise<Verdict | null> {
    const trial: Trial = { path, found, peer, width, tried: new Set([peer]), failed: null, signal };
    const { claim, span } = found;
    const { random } = this.#options;
    for (;;) {
      await using executor = await this.#executor(trial);
      if (executor === null && trial.failed !== null) throw trial.failed;
      if (executor === null) return this.#byCanary(trial);
      let first: Judgement;
      try {
        first = await judge(claim, executor, width, random);
      } catch (error) {
        if (executor.by === null) throw error;
        this.#couldNot(trial, executor.by, error);
        continue;
      }
      this.#budget.spend(first.computed * (span.to - span.from));
      const { comparison, own } = first;
      const by = [executor.by];
      if (comparison.agrees) {
        const verdict =
          this.#byTally(trial, executor.by, first) ??
          this.#tell(trial, { kind: 'passed', peers: [peer], by, comparison, own });
        if (verdict.kind !== 'passed') return verdict;
        await this.#keepCanary(trial, executor, own);
        return verdict;
      }
      if (executor.by === null)
        return this.#tell(trial, { kind: 'altered', peers: [peer], by, comparison, own });
      // Not before it is settled may the session of the second end.
      return await this.#settle(trial, executor, executor.by, first);
    }
  }

  /** What each audit lets pass may be too much in all of them. */
  #byTally(trial: Trial, executor: string | null, { comparison, own }: Judgement): Verdict | null {
    const { found, peer } = trial;
    if (comparison.tails === undefined) return null;
    const evidence = this.#tally.note(found.span, peer, executor, comparison.tails, found.steps);
    if (evidence === null) return null;
    const { by } = evidence;
    const why = `of ${evidence.rows} rows in several audits more lie far out than of copies of the same inputs`;
    // Of what one other alone says neither of the two is condemned.
    return executor === null || by.includes(null) || by.length > 1
      ? this.#tell(trial, { kind: 'altered', peers: [peer], by, comparison: { ...comparison, why }, own })
      : this.#tell(trial, {
          kind: 'contested',
          peers: [peer, executor],
          by: [],
          comparison: { ...comparison, why },
          own,
        });
  }

  /** Two disagree: a third decides. */
  async #settle(
    trial: Trial,
    second: Executor,
    other: string,
    { comparison, own }: Judgement,
  ): Promise<Verdict> {
    const { found, peer, width } = trial;
    const { claim, span } = found;
    const { random } = this.#options;
    for (;;) {
      await using third = await this.#executor(trial);
      // It is audited again, when those who could settle it have time.
      if (third === null && trial.failed !== null) throw trial.failed;
      if (third === null) break;
      const all = Array.from({ length: own.length / width }, (_, row) => row);
      const ofSecond = { ...claim, output: own, at: all, build: await second.build() };
      let its: Judgement;
      let theirs: Judgement;
      try {
        its = await judge(claim, third, width, random);
        theirs = await judge(ofSecond, third, width, random);
      } catch (error) {
        if (third.by === null) throw error;
        this.#couldNot(trial, third.by, error);
        continue;
      }
      this.#budget.spend((its.computed + theirs.computed) * (span.to - span.from));
      // To one that rounds otherwise both can be right where to each other they cannot: another may tell.
      if (its.comparison.agrees && theirs.comparison.agrees) continue;
      if (its.comparison.agrees === theirs.comparison.agrees) break;
      const isSecond = its.comparison.agrees;
      const shown = isSecond ? theirs : its;
      return this.#tell(trial, {
        ...{ kind: 'altered', peers: [isSecond ? other : peer], by: [isSecond ? peer : other, third.by] },
        ...{ comparison: shown.comparison, own: its.own },
      });
    }
    return this.#tell(trial, { kind: 'contested', peers: [peer, other], by: [], comparison, own });
  }

  async #byCanary(trial: Trial): Promise<Verdict | null> {
    const { path, found, peer, width } = trial;
    const { span } = found;
    const { swarm, model, random } = this.#options;
    const canary = this.#canaries.for(span, peer);
    const offer = path.shards().find((one) => one.peer === peer);
    if (canary === null || offer === undefined) return null;
    const { cells } = path;
    await using asked = await peerExecutor({
      ...{ swarm, model, offer, cells, width, random },
      signal: trial.signal,
    });
    const output = await asked.compute(canary.pieces, canary.input);
    const at = Array.from({ length: output.length / width }, (_, row) => row);
    const { pieces, input } = canary;
    const claim: Claim = { pieces, input, output, at, build: await asked.build() };
    const { comparison } = await judge(claim, recorded(canary), width, random);
    this.#budget.spend(at.length * (span.to - span.from));
    const shown: Claimed = { kind: 'claim', claim, steps: [], span, rows: at.length, links: [] };
    return this.#tell(
      { ...trial, found: shown },
      {
        ...{ kind: comparison.agrees ? 'passed' : 'altered', peers: [peer], by: canary.by },
        ...{ comparison, own: canary.outputs[0]! },
      },
    );
  }

  /** Who computes again: this machine if it can, else a peer that was not tried yet. */
  async #executor(trial: Trial): Promise<Executor | null> {
    const { swarm, model, random, own, second } = this.#options;
    const { found, width, tried, signal } = trial;
    const { span, claim } = found;
    const heard = this.#tally.witnesses(trial.peer).filter((who) => who !== null);
    const cells = claim.input.length / width;
    const lease = (await own?.(span, cells)) ?? null;
    if (lease !== null) return ownExecutor(lease, (await this.#options.build?.()) ?? '', width, signal);
    for (;;) {
      const offer = (await second(span, new Set([...tried, ...heard]))) ?? (await second(span, tried));
      if (offer === null || tried.has(offer.peer)) return null;
      tried.add(offer.peer);
      try {
        return await peerExecutor({ swarm, model, offer, cells, width, random, signal });
      } catch (error) {
        this.#couldNot(trial, offer.peer, error);
      }
    }
  }

  #couldNot(trial: Trial, peer: string, error: unknown): void {
    if (trial.signal.aborted) throw error;
    trial.failed = error;
    this.#options.log.debug('a peer could not compute again', { peer, reason: messageOf(error) });
  }

  /** For a time when nobody else serves these blocks. */
  async #keepCanary(
    { found, peer, width, tried }: Trial,
    executor: Executor,
    own: Float32Array,
  ): Promise<void> {
    const { span, claim } = found;
    const { pieces, input } = claim;
    const cost = (input.length / width) * COPIES * (span.to - span.from);
    // A debt, like other copies; but not one upon another.
    if (!this.#canaries.wants(span) || this.#budget.credit < -2 * cost) return;
    const { random } = this.#options;
    const outputs = [own];
    for (let i = 0; i < COPIES; i++) outputs.push(await executor.compute(pieces, disturbed(input, random)));
    this.#budget.spend(cost);
    const by = executor.by === null ? [null] : [peer, executor.by];
    const build = await executor.build();
    this.#canaries.keep({ span, pieces, input, outputs, build, by, seen: new Set(tried) });
  }

  #tell({ path, found, width }: Trial, finding: Finding): Verdict {
    const why = finding.kind === 'passed' ? null : (finding.comparison?.why ?? null);
    return this.#verdicts.tell(path, found, width, { ...finding, why });
  }
}
