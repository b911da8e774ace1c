/**
 * Audits of a path: now and then a sequence is chosen by chance, after it was computed, and one hop's rows of it are computed again
 * by somebody else. No shard can know beforehand which.
 *
 * The hop shows what it sent on, the one before it what it sent to it, and digests say what was received (`links`). Then the
 * claim is judged (`court`). Who is suspected is chosen more often.
 *
 * A shard whose rows are wrong is given up like one that is lost, and what came after it is computed again. Rows that were
 * given already stay given: the verdict says how many.
 *
 * @module shards/audit/auditor
 */
import { messageOf } from '../../base/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import { AUDIT_BOUNDS } from '../wire/audit.ts';
import { Budget } from './budget.ts';
import { Court } from './court.ts';
import { claimOf, type Found } from './gather.ts';
import { type Strand, Trail } from './trail.ts';
import type { AuditedPath, Auditor, AuditorOptions, Verdict } from './types.ts';
import { Verdicts } from './verdicts.ts';

/** Rows whose first run must be paid for before a sequence is chosen. */
const LEAST_ROWS = 32;
/** Marks count so many times as much as having none when a hop is chosen. */
const SUSPICION = 3;
/** How often in a row a shard may not show what it must have, before it is noted. */
const WITHHELD = 3;
/** ms for which an answer waits until it is settled who is right. */
const EXAMINED_MS = 60_000;

export function createAuditor(options: AuditorOptions): Auditor {
  return new PathAuditor(options);
}

class PathAuditor implements Auditor {
  readonly #options: AuditorOptions;
  readonly #budget: Budget;
  readonly #verdicts: Verdicts;
  readonly #court: Court;
  readonly #end = new AbortController();
  #trail: Trail | null = null;
  #path: AuditedPath | null = null;
  /** Chosen, and waiting until it is paid for. */
  #chosen: { readonly strand: Strand; readonly peer: string } | null = null;
  #working: Promise<unknown> | null = null;
  readonly #withheld = new Map<string, number>();
  #lastStep = 0;

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#budget = new Budget(options.share);
    this.#verdicts = new Verdicts(options);
    this.#court = new Court(options, this.#budget, this.#verdicts);
  }

  readonly observer: Auditor['observer'] = {
    sent: (step) => {
      const rows = step.parts.reduce((sum, { count }) => sum + count, 0);
      const { cells, random } = this.#options;
      this.#trail ??= new Trail({ cells, width: step.hidden.length / rows, random });
      this.#trail.sent(step);
      this.#lastStep = step.n;
    },
    came: (n, rows) => {
      const path = this.#path;
      const computed = this.#trail?.came(n, rows) ?? 0;
      if (path === null || computed === 0) return;
      this.#verdicts.came(rows.length / this.#trail!.width, path.shards(), this.#lastStep);
      this.#budget.compute(computed * (path.span.to - path.span.from));
      this.#turn(path, this.#trail!);
    },
  };

  watch(path: AuditedPath): void {
    this.#path = path;
  }

  get figures() {
    return this.#budget.figures;
  }

  resent(): void {
    if (this.#path !== null) this.#verdicts.resent(this.#path);
  }

  async idle(): Promise<void> {
    await this.#working;
  }

  async examine(cell: number): Promise<readonly Verdict[]> {
    while (this.#working !== null) await this.#working;
    const [path, trail] = [this.#path, this.#trail];
    const strand = trail?.strand(cell, this.#options.cells) ?? null;
    if (path === null || trail === null || strand === null) return [];
    const verdicts: Verdict[] = [];
    // An answer waits for it.
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(EXAMINED_MS)]);
    await this.#work(async () => {
      for (const { peer } of path.shards()) {
        verdicts.push(...(await this.#audit(path, trail, strand, peer, signal)));
        if (verdicts.some(({ kind }) => kind === 'altered' || kind === 'link')) return;
      }
    });
    return verdicts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#path = null;
    this.#end.abort();
    await this.#working;
    this.#trail?.[Symbol.dispose]();
    this.#trail = null;
  }

  get #mostRows(): number {
    return Math.min(this.#options.mostRows ?? AUDIT_BOUNDS.cells, AUDIT_BOUNDS.cells);
  }

  /** After each step: begins an audit when one is paid for. */
  #turn(path: AuditedPath, trail: Trail): void {
    const blocks = path.span.to - path.span.from;
    if (this.#working !== null || this.#budget.credit <= 0) return;
    if (this.#chosen !== null && !trail.isLive(this.#chosen.strand)) this.#chosen = null;
    if (this.#chosen === null) {
      if (this.#budget.credit * path.shards().length < LEAST_ROWS * blocks) return;
      const strand = trail.draw(this.#mostRows);
      if (strand === null) return;
      // It waits for what it costs, however long: else long sequences would be looked at less often than short ones.
      this.#chosen = { strand, peer: this.#choose(path.shards()).peer };
      trail.forget();
    }
    const { strand, peer } = this.#chosen;
    const hop = path.shards().find((one) => one.peer === peer);
    if (hop === undefined) this.#chosen = null;
    if (hop === undefined || this.#budget.credit < strand.cells.length * (hop.to - hop.from)) return;
    this.#chosen = null;
    void this.#work(() => this.#audit(path, trail, strand, peer, this.#end.signal));
  }

  #work(work: () => Promise<unknown>): Promise<unknown> {
    this.#working = work().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  #choose(shards: readonly ShardOffer[]): ShardOffer {
    const weights = shards.map(({ peer }) => 1 + SUSPICION * this.#verdicts.marks(peer));
    let left = this.#options.random.float() * weights.reduce((a, b) => a + b, 0);
    const k = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return shards[Math.max(k, 0)]!;
  }

  /** Never rejects: what keeps somebody from showing or computing again in time says nothing of anybody. */
  async #audit(
    path: AuditedPath,
    trail: Trail,
    strand: Strand,
    peer: string,
    signal: AbortSignal,
  ): Promise<Verdict[]> {
    this.#budget.begin();
    try {
      const found = await claimOf(path, trail, strand, peer, (one) => this.#verdicts.joined(one));
      if (found.kind !== 'withheld') this.#withheld.delete(peer);
      const why = 'what one shows that it sent is not what the other says that it received';
      const verdicts = found.links.map((peers) =>
        this.#verdicts.tell(path, found, trail.width, { kind: 'link', peers, by: [], why }),
      );
      const verdict = await this.#findingOf(path, trail, found, peer, signal);
      return verdict === null ? verdicts : [...verdicts, verdict];
    } catch (error) {
      if (!this.#end.signal.aborted)
        this.#options.log.info('an audit was not finished', { peer, reason: messageOf(error) });
      return [];
    }
  }

  async #findingOf(
    path: AuditedPath,
    trail: Trail,
    found: Found,
    peer: string,
    signal: AbortSignal,
  ): Promise<Verdict | null> {
    const { width } = trail;
    if (found.kind === 'claim') return this.#court.judge(path, found, peer, width, signal);
    if (found.kind === 'denied') {
      const { why } = found;
      return this.#verdicts.tell(path, found, width, { kind: 'altered', peers: [peer], by: [null], why });
    }
    if (found.kind === 'nothing') return null;
    const times = (this.#withheld.get(peer) ?? 0) + 1;
    this.#withheld.set(peer, times);
    if (times < WITHHELD) return null;
    this.#withheld.delete(peer);
    const why = `it did not show its rows ${WITHHELD} times in a row`;
    return this.#verdicts.tell(path, found, width, { kind: 'withheld', peers: [peer], by: [], why });
  }
}
