/**
 * What is said of shards: who is suspected, since when a peer is on the path, and how a verdict reads. Who is found to lie leaves the
 * path.
 *
 * @module shards/audit/verdicts
 */
import { createHash } from 'node:crypto';
import type { Logger } from '../../base/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import { rowDigests } from '../wire/audit.ts';
import type { Comparison } from './compare.ts';
import type { Found } from './gather.ts';
import type { AuditedPath, Verdict, VerdictKind } from './types.ts';

export interface VerdictsOptions {
  readonly model: string;
  readonly onVerdict: (verdict: Verdict) => void;
  readonly log: Logger;
}

/** What a verdict is made of. */
export interface Finding {
  readonly kind: VerdictKind;
  readonly peers: readonly string[];
  readonly by: readonly (string | null)[];
  readonly comparison?: Comparison;
  /** What came of the same input. */
  readonly own?: Float32Array;
  readonly why?: string | null;
}

export class Verdicts {
  readonly #options: VerdictsOptions;
  /** Peers by the number of open questions about them. */
  readonly #marks = new Map<string, number>();
  /** When the peer was first seen on the path: rows that had come of it, and its last step. */
  readonly #since = new Map<string, { readonly came: number; readonly step: number }>();
  #came = 0;
  #lastStep = 0;

  constructor(options: VerdictsOptions) {
    this.#options = options;
  }

  /** Rows came of a path through these shards. @param step the last that was sent */
  came(rows: number, shards: readonly ShardOffer[], step: number): void {
    this.#lastStep = step;
    const first = this.#since.size === 0;
    for (const { peer } of shards)
      if (!this.#since.has(peer)) this.#since.set(peer, { came: this.#came, step: first ? 0 : step });
    this.#came += rows;
  }

  /** The last step before the peer took its place, or was sent rows anew; of one that nothing came of yet the last there was. */
  joined(peer: string): number {
    return this.#since.get(peer)?.step ?? this.#lastStep;
  }

  /** Open questions about it. */
  marks(peer: string): number {
    return this.#marks.get(peer) ?? 0;
  }

  /** Tells a verdict. Who altered rows, or is one of two of whom one did, leaves the path. */
  tell(path: AuditedPath, found: Found, width: number, finding: Finding): Verdict {
    const { model, onVerdict, log } = this.#options;
    const { kind, peers, by, comparison, own, why = null } = finding;
    const { span, rows } = found;
    const digest = createHash('sha256').update(`${model} ${span.from}-${span.to} ${kind}\n`);
    if (found.kind === 'claim')
      for (const values of [found.claim.input, found.claim.output]) digest.update(rowDigests(values, width));
    if (own !== undefined) digest.update(rowDigests(own, width));
    for (const peer of peers) {
      if (kind === 'passed') this.#marks.delete(peer);
      else this.#marks.set(peer, this.marks(peer) + 1);
    }
    const first = Math.min(...peers.map((peer) => this.#since.get(peer)?.came ?? this.#came));
    const verdict: Verdict = {
      ...{ kind, peers, by, span, rows, why },
      measured: comparison?.measured ?? null,
      tolerance: comparison?.tolerance ?? null,
      evidence: digest.digest('hex'),
      affected: kind === 'passed' ? 0 : this.#came - first,
    };
    const { evidence, affected } = verdict;
    const line = { kind, peers, rows, why, evidence, affected };
    if (kind === 'passed') log.debug('rows of a shard were computed again', line);
    else log.warn('an audit found a shard wrong, or could not settle it', line);
    onVerdict(verdict);
    if (kind === 'altered' || kind === 'link') {
      this.resent(path);
      const what = kind === 'link' ? 'rows are not what was sent' : 'its rows were altered';
      for (const peer of peers) path.refuse(peer, `${what}: ${why}`);
    }
    return verdict;
  }

  /** Shards after one that is given up get all rows anew: those that came of them before followed from others. */
  resent(path: AuditedPath): void {
    for (const { peer } of path.shards()) {
      const since = this.#since.get(peer);
      if (since !== undefined) this.#since.set(peer, { ...since, step: this.#lastStep });
    }
  }
}
