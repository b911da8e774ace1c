/**
 * What audits may cost: a share of the rows × blocks that the path computes. An audit begins when its first run is paid for; what it
 * needs beyond that (disturbed copies, a third opinion) is a debt that later rows pay, so that over time the share holds.
 *
 * @module shards/audit/budget
 */
export interface AuditFigures {
  /** Rows × blocks that the path computed. */
  readonly computed: number;
  /** Rows × blocks that audits computed again. */
  readonly audited: number;
  /** Of the two. */
  readonly share: number;
  readonly audits: number;
}

export class Budget {
  readonly #share: number;
  #computed = 0;
  #audited = 0;
  #audits = 0;

  /** @param share 0 to 1 */
  constructor(share: number) {
    this.#share = share;
  }

  compute(cost: number): void {
    this.#computed += cost;
  }

  spend(cost: number): void {
    this.#audited += cost;
  }

  begin(): void {
    this.#audits++;
  }

  /** Rows × blocks that may be computed again now; below 0: a debt. */
  get credit(): number {
    return this.#computed * this.#share - this.#audited;
  }

  get figures(): AuditFigures {
    const [computed, audited, audits] = [this.#computed, this.#audited, this.#audits];
    return { computed, audited, share: computed === 0 ? 0 : audited / computed, audits };
  }
}
