/**
 * Audits of a path: now and then a sequence is chosen by chance, after it was computed, and one hop's rows of it are computed again
 * by somebody else. No shard can know beforehand which.
 *
 * The hop shows what it sent on, the one before it what it sent to it, and digests say what was received (`links`). Then the
 * claim is judged (`claim`): by this machine's own copy of the blocks if it has one; else by another peer, with a third to
 * settle what they disagree on; where there is no other, by a canary. Who is suspected is chosen more often.
 *
 * A shard whose rows are wrong is given up like one that is lost, and what came after it is computed again. Rows that were
 * given already stay given: the verdict says how many.
 *
 * @module shards/audit/auditor
 */
import { createHash } from 'node:crypto';
import { messageOf } from '../../base/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import type { BlockSpan } from '../types.ts';
import { AUDIT_BOUNDS, rowDigests } from '../wire/audit.ts';
import { Budget } from './budget.ts';
import { Canaries, recorded } from './canaries.ts';
import { type Claim, judge } from './claim.ts';
import { COPIES, type Comparison, disturbed } from './compare.ts';
import { type Executor, ownExecutor, peerExecutor } from './executor.ts';
import { claimOf, type Found } from './gather.ts';
import { type Strand, Trail } from './trail.ts';
import type { AuditedPath, Auditor, AuditorOptions, Verdict, VerdictKind } from './types.ts';

/** Rows whose first run must be paid for before a sequence is chosen. */
const LEAST_ROWS = 32;
/** Marks count so many times as much as having none when a hop is chosen. */
const SUSPICION = 3;
/** How often in a row a shard may not show what it must have, before it is noted. */
const WITHHELD = 3;

export function createAuditor(options: AuditorOptions): Auditor {
  return new PathAuditor(options);
}

class PathAuditor implements Auditor {
  readonly #options: AuditorOptions;
  readonly #budget: Budget;
  readonly #canaries = new Canaries();
  readonly #end = new AbortController();
  #trail: Trail | null = null;
  #path: AuditedPath | null = null;
  /** Chosen, and waiting until it is paid for. */
  #chosen: { readonly strand: Strand; readonly peer: string } | null = null;
  #working: Promise<unknown> | null = null;
  /** Peers by the number of open questions about them. */
  readonly #marks = new Map<string, number>();
  readonly #withheld = new Map<string, number>();
  /** When the peer was first seen on the path: rows that had come of it, and its last step. */
  readonly #since = new Map<string, { readonly came: number; readonly step: number }>();
  #lastStep = 0;
  #came = 0;

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#budget = new Budget(options.share);
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
      const first = this.#since.size === 0;
      for (const { peer } of path.shards())
        if (!this.#since.has(peer))
          this.#since.set(peer, { came: this.#came, step: first ? 0 : this.#lastStep });
      this.#came += rows.length / this.#trail!.width;
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

  async idle(): Promise<void> {
    await this.#working;
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
    this.#working = this.#audit(path, trail, strand, peer).finally(() => {
      this.#working = null;
    });
  }

  #choose(shards: readonly ShardOffer[]): ShardOffer {
    const weights = shards.map(({ peer }) => 1 + SUSPICION * (this.#marks.get(peer) ?? 0));
    let left = this.#options.random.float() * weights.reduce((a, b) => a + b, 0);
    const k = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return shards[Math.max(k, 0)]!;
  }

  /** Never rejects. Peers that were refused. */
  async #audit(path: AuditedPath, trail: Trail, strand: Strand, peer: string): Promise<string[]> {
    const { log } = this.#options;
    this.#budget.begin();
    try {
      const joined = this.#since.get(peer)?.step ?? this.#lastStep;
      const found = await claimOf(path, trail, strand, peer, joined);
      if (found.kind !== 'withheld') this.#withheld.delete(peer);
      const refused = found.links.flatMap((link) => this.#link(path, found, link));
      if (found.kind === 'claim') refused.push(...(await this.#judge(path, trail, found, peer)));
      else if (found.kind === 'withheld') this.#noteWithheld(found, peer);
      else if (found.kind === 'denied')
        refused.push(
          ...this.#refuse(path, this.#tell('altered', [peer], [null], found, null, null, found.why)),
        );
      return refused;
    } catch (error) {
      if (!this.#end.signal.aborted)
        log.info('an audit was not finished', { peer, reason: messageOf(error) });
      return [];
    }
  }

  #link(path: AuditedPath, found: Found, peers: readonly [string, string]): string[] {
    const why = 'what one shows that it sent is not what the other says that it received';
    return this.#refuse(path, this.#tell('link', peers, [], found, null, null, why));
  }

  #noteWithheld(found: Found, peer: string): void {
    const times = (this.#withheld.get(peer) ?? 0) + 1;
    this.#withheld.set(peer, times);
    if (times < WITHHELD) return;
    this.#withheld.delete(peer);
    this.#tell(
      'withheld',
      [peer],
      [],
      found,
      null,
      null,
      `it did not show its rows ${WITHHELD} times in a row`,
    );
  }

  async #judge(
    path: AuditedPath,
    trail: Trail,
    found: Extract<Found, { kind: 'claim' }>,
    peer: string,
  ): Promise<string[]> {
    const { claim, span } = found;
    const { random, log } = this.#options;
    const tried = new Set([peer]);
    for (;;) {
      await using executor = await this.#executor(span, claim, trail.width, tried);
      if (executor === null) return this.#byCanary(path, trail, found, peer);
      let first: Awaited<ReturnType<typeof judge>>;
      try {
        first = await judge(claim, executor, trail.width, random);
      } catch (error) {
        if (executor.by === null) throw error;
        log.debug('rows could not be computed again', { peer: executor.by, reason: messageOf(error) });
        continue;
      }
      this.#budget.spend(first.computed * (span.to - span.from));
      const { comparison, own } = first;
      if (comparison.agrees) {
        this.#marks.delete(peer);
        await this.#keepCanary(span, claim, executor, own, tried);
        this.#tell('passed', [peer], [executor.by], found, comparison, own, null);
        return [];
      }
      if (executor.by === null)
        return this.#refuse(
          path,
          this.#tell('altered', [peer], [null], found, comparison, own, comparison.why),
        );
      // Not before it is settled may the session of the second end.
      return await this.#settle(path, trail, found, peer, executor, comparison, own, tried);
    }
  }

  /** Two disagree: a third decides. */
  async #settle(
    path: AuditedPath,
    trail: Trail,
    found: Extract<Found, { kind: 'claim' }>,
    peer: string,
    second: Executor,
    comparison: Comparison,
    own: Float32Array,
    tried: Set<string>,
  ): Promise<string[]> {
    const { claim, span } = found;
    const { random } = this.#options;
    await using third = await this.#executor(span, claim, trail.width, tried);
    const other = second.by!;
    if (third !== null) {
      const all = Array.from({ length: own.length / trail.width }, (_, row) => row);
      const ofSecond = { ...claim, output: own, at: all, build: await second.build() };
      const its = await judge(claim, third, trail.width, random);
      const theirs = await judge(ofSecond, third, trail.width, random);
      this.#budget.spend((its.computed + theirs.computed) * (span.to - span.from));
      if (!its.comparison.agrees && theirs.comparison.agrees) {
        const { why } = its.comparison;
        return this.#refuse(
          path,
          this.#tell('altered', [peer], [other, third.by], found, its.comparison, its.own, why),
        );
      }
      if (its.comparison.agrees && !theirs.comparison.agrees) {
        const { why } = theirs.comparison;
        const by = [peer, third.by];
        return this.#refuse(path, this.#tell('altered', [other], by, found, theirs.comparison, its.own, why));
      }
    }
    this.#tell('contested', [peer, other], [], found, comparison, own, comparison.why);
    return [];
  }

  async #byCanary(path: AuditedPath, trail: Trail, { span }: Found, peer: string): Promise<string[]> {
    const { swarm, model, random } = this.#options;
    const canary = this.#canaries.for(span, peer);
    const offer = path.shards().find((one) => one.peer === peer);
    if (canary === null || offer === undefined) return [];
    const { width } = trail;
    const { cells } = path;
    const { signal } = this.#end;
    await using asked = await peerExecutor({ swarm, model, offer, cells, width, random, signal });
    const output = await asked.compute(canary.pieces, canary.input);
    const at = Array.from({ length: output.length / width }, (_, row) => row);
    const claim: Claim = {
      pieces: canary.pieces,
      input: canary.input,
      output,
      at,
      build: await asked.build(),
    };
    const { comparison } = await judge(claim, recorded(canary), width, random);
    this.#budget.spend(at.length * (span.to - span.from));
    const found: Found = { kind: 'claim', claim, span, rows: at.length, links: [] };
    if (comparison.agrees) {
      this.#tell('passed', [peer], [null], found, comparison, canary.outputs[0]!, null);
      return [];
    }
    const verdict = this.#tell(
      'altered',
      [peer],
      [null],
      found,
      comparison,
      canary.outputs[0]!,
      comparison.why,
    );
    return this.#refuse(path, verdict);
  }

  /** Who computes again: this machine if it can, else a peer that was not tried yet. */
  async #executor(
    span: BlockSpan,
    claim: Claim,
    width: number,
    tried: Set<string>,
  ): Promise<Executor | null> {
    const { swarm, model, random, own, build = '', second, log } = this.#options;
    const { signal } = this.#end;
    const cells = claim.input.length / width;
    const lease = (await own?.(span, cells)) ?? null;
    if (lease !== null) return ownExecutor(lease, build, width, signal);
    for (;;) {
      const offer = await second(span, tried);
      if (offer === null || tried.has(offer.peer)) return null;
      tried.add(offer.peer);
      try {
        return await peerExecutor({ swarm, model, offer, cells, width, random, signal });
      } catch (error) {
        if (signal.aborted) throw error;
        log.debug('a second peer could not be asked', { peer: offer.peer, reason: messageOf(error) });
      }
    }
  }

  /** For a time when nobody else serves these blocks. */
  async #keepCanary(
    span: BlockSpan,
    { pieces, input }: Claim,
    executor: Executor,
    own: Float32Array,
    seen: ReadonlySet<string>,
  ): Promise<void> {
    const cost = (input.length / own.length) * COPIES * (span.to - span.from);
    if (!this.#canaries.wants(span) || this.#budget.credit < cost) return;
    const { random } = this.#options;
    const outputs = [own];
    for (let i = 0; i < COPIES; i++) outputs.push(await executor.compute(pieces, disturbed(input, random)));
    this.#budget.spend(cost);
    this.#canaries.keep({ span, pieces, input, outputs, build: await executor.build(), seen: new Set(seen) });
  }

  #refuse(path: AuditedPath, { peers, kind, why }: Verdict): string[] {
    const reason = kind === 'link' ? `rows are not what was sent: ${why}` : `its rows were altered: ${why}`;
    for (const peer of peers) path.refuse(peer, reason);
    return [...peers];
  }

  #tell(
    kind: VerdictKind,
    peers: readonly string[],
    by: readonly (string | null)[],
    found: Found,
    comparison: Comparison | null,
    own: Float32Array | null,
    why: string | null,
  ): Verdict {
    const { model, onVerdict, log } = this.#options;
    const { span, rows } = found;
    const digest = createHash('sha256').update(`${model} ${span.from}-${span.to} ${kind}\n`);
    const width = this.#trail?.width ?? 1;
    if (found.kind === 'claim')
      for (const values of [found.claim.input, found.claim.output]) digest.update(rowDigests(values, width));
    if (own !== null) digest.update(rowDigests(own, width));
    if (kind !== 'passed') for (const peer of peers) this.#marks.set(peer, (this.#marks.get(peer) ?? 0) + 1);
    const first = Math.min(...peers.map((peer) => this.#since.get(peer)?.came ?? this.#came));
    const verdict: Verdict = {
      kind,
      peers,
      by,
      span,
      rows,
      measured: comparison?.measured ?? null,
      tolerance: comparison?.tolerance ?? null,
      why,
      evidence: digest.digest('hex'),
      affected: kind === 'passed' ? 0 : this.#came - first,
    };
    const { evidence, affected } = verdict;
    const line = { kind, peers, rows, why, evidence, affected };
    if (kind === 'passed') log.debug('rows of a shard were computed again', line);
    else log.warn('rows of a shard were computed again', line);
    onVerdict(verdict);
    return verdict;
  }
}
