/**
 * KV cells of a block range, lent to those who run sequences through it. A holder numbers its cells from 0 and names no
 * others, so that nobody reads or disturbs what is not his.
 *
 * Steps of several holders are computed together: those of a few rows (tokens of answers) in one pass, long ones (prompts)
 * alone. After each long one the short ones that wait have their turn, and the other way round. Holders take turns, whatever
 * the number of their leases: the one who had his the longest ago is next, with what came first of his.
 *
 * @module engine/process/leases
 */
import { setImmediate } from 'node:timers/promises';
import { AbortedError, InputError, KithError, LimitError } from '../../base/index.ts';
import { CellTree, createKvCells } from '../kv/index.ts';
import type { KvType } from '../runner/kv-store.ts';
import type { CarriedPart } from '../runner/path-runner.ts';
import { SINGLE_ROWS } from '../runner/single-rows.ts';
import { type ForwardPart, type Runner, wantedRows } from '../runner/types.ts';
import type { BlockSpan } from '../types.ts';

/** Largest magnitude of a hidden state. Squares of larger ones overflow, and what is not finite would reach other holders. */
const MOST_VALUE = 1e15;
/** Rows up to which a step shares its pass with others. */
const SHORT_ROWS = 8;
/** Leases of one model at once. */
const MOST_LEASES = 1024;
/** Steps of one lease that wait: what a long prompt has under way, and as much again. */
const MOST_WAITING = 32;

export interface Step {
  readonly parts: readonly CarriedPart[];
  /** Rows × embedding. */
  readonly hidden: Float32Array;
}

/** What a holder must know of the blocks. */
export interface LeaseTerms {
  /** Rows of a step at most. */
  readonly maxRows: number;
  readonly kvType: KvType;
  /** Bytes of the KV rows of one cell over the blocks of the lease. */
  readonly cellBytes: number;
}

/** KV rows of some cells of a lease, to go on with elsewhere. */
export interface KvCells {
  /** Ascending. */
  readonly cells: Int32Array;
  readonly positions: Int32Array;
  /** The cell that each continues; -1 for none. */
  readonly after: Int32Array;
  /** cells × `cellBytes`, as in runner/kv-rows.ts. */
  readonly rows: Uint8Array;
}

export interface Leases {
  /**
   * Takes `count` cells, for all blocks or some. Leases of one holder share his turns; without one a lease has its own.
   *
   * @throws LimitError `engine.kvCells` when fewer are free; InputError `range_invalid`
   */
  open(count: number, span?: BlockSpan, holder?: string | null): number;
  /** Gives the cells back once what runs on them is done. */
  close(lease: number): void;
  /** Wanted rows × embedding. @throws InputError `cells_invalid`, `lease_unknown`; KithError `forward_invalid` */
  step(lease: number, step: Step, signal: Pick<AbortSignal, 'aborted'>): Promise<Float32Array>;
  /** @throws InputError `lease_unknown` */
  terms(lease: number): LeaseTerms;
  /** Up to `most` written cells from number `from` on; none when there are no more. Between steps. @throws InputError `lease_unknown` */
  read(lease: number, from: number, most: number): Promise<KvCells>;
  /** @throws InputError `lease_unknown`, `cells_invalid`; KithError `kv_invalid` */
  write(lease: number, kv: KvCells): Promise<void>;
  /** Leases that are open. */
  readonly count: number;
  /** Steps that wait or run. */
  readonly waiting: number;
  readonly freeCells: number;
  /** Resolves when no step waits or runs. */
  drain(): Promise<void>;
}

interface Holder {
  leases: number;
  /** Numbers of the last passes with steps of his. */
  long: number;
  short: number;
}

interface Lease {
  readonly holder: Holder;
  readonly span: BlockSpan;
  readonly tree: CellTree;
  /** Cells of the runner, ascending, so that sequences whose cells ascend here ascend there. */
  readonly physical: Int32Array;
  waiting: number;
  running: boolean;
  closed: boolean;
}

/** Whether rounding may depend on the rows beside: `one` row is as it is. */
type Kind = 'one' | 'each' | 'several';

function kindOf({ parts, rows }: Entry): Kind {
  if (parts.some(({ outputs }) => outputs === 'each')) return 'each';
  return rows === 1 ? 'one' : 'several';
}

interface Entry extends Step {
  readonly lease: Lease;
  readonly rows: number;
  readonly signal: Pick<AbortSignal, 'aborted'>;
  readonly resolve: (rows: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/** @param runner of blocks without embedding and head */
export function createLeases(runner: Runner): Leases {
  const { embedding, kvCells, maxRows } = runner.info;
  const kvRows = runner.kvRows!;
  const pool = createKvCells(kvCells);
  const leases = new Map<number, Lease>();
  /** By name. */
  const holders = new Map<string, Holder>();
  let passes = 0;
  const queue: Entry[] = [];
  let last = 0;
  let loop: Promise<void> | null = null;
  let running = 0;
  let shortFirst = true;

  function find(id: number): Lease {
    const lease = leases.get(id);
    if (lease !== undefined) return lease;
    throw new InputError('lease_unknown', `There is no lease ${id} of KV cells.`, { param: 'lease' });
  }

  function check({ parts, hidden }: Step): number {
    const rows = parts.reduce((sum, { count }) => sum + count, 0);
    const wrong = (why: string) => new KithError('forward_invalid', why, { status: 400 });
    if (rows === 0) throw wrong('A step needs at least one row.');
    if (rows > maxRows) throw wrong(`A step has ${rows} rows; ${maxRows} is the most.`);
    if (hidden.length !== rows * embedding)
      throw wrong(`A step of ${rows} rows came with ${hidden.length} values, not ${rows * embedding}.`);
    for (let i = 0; i < hidden.length; i++)
      if (!(Math.abs(hidden[i]!) <= MOST_VALUE))
        throw wrong(`Row ${Math.floor(i / embedding)} of a step is not finite, or too large.`);
    return rows;
  }

  /** Of each holder the first, then of each the second, and so on; those first who had their turn the longest ago. */
  function inTurn(entries: readonly Entry[], kind: 'long' | 'short'): Entry[] {
    const counts = new Map<Holder, number>();
    return entries
      .map((entry) => {
        const { holder } = entry.lease;
        const nth = counts.get(holder) ?? 0;
        counts.set(holder, nth + 1);
        return { entry, nth };
      })
      .sort((a, b) => a.nth - b.nth || a.entry.lease.holder[kind] - b.entry.lease.holder[kind])
      .map(({ entry }) => entry);
  }

  /** Those whose turn it is: of each lease the first that waits. */
  function choose(): Entry[] {
    const only = queue.length === 1 ? queue[0]! : null;
    if (only !== null && !only.signal.aborted) {
      const isLong = only.rows > SHORT_ROWS;
      only.lease.holder[isLong ? 'long' : 'short'] = ++passes;
      shortFirst = isLong;
      return [only];
    }
    for (let i = queue.length - 1; i >= 0; i--) if (queue[i]!.signal.aborted) leave(queue[i]!, aborted());
    const first = new Map<Lease, Entry>();
    for (const entry of queue) if (!first.has(entry.lease)) first.set(entry.lease, entry);
    const turn = [...first.values()];
    const isLong = ({ rows }: Entry) => rows > SHORT_ROWS;
    const [long] = inTurn(turn.filter(isLong), 'long');
    const short = inTurn(
      turn.filter((entry) => !isLong(entry)),
      'short',
    );
    passes++;
    if (long !== undefined && (short.length === 0 || !shortFirst)) {
      shortFirst = true;
      long.lease.holder.long = passes;
      return [long];
    }
    shortFirst = false;
    const chosen: Entry[] = [];
    let room = maxRows;
    let among: Kind = 'one';
    for (const entry of short) {
      // A pass is of one span: others have the next one.
      const { span } = short[0]!.lease;
      if (entry.lease.span.from !== span.from || entry.lease.span.to !== span.to) continue;
      // Rows that are to be as if alone go with others of that kind, and with those that come alone.
      const kind = kindOf(entry);
      if (kind !== 'one' && among !== 'one' && kind !== among) continue;
      if (kind === 'each') room = Math.min(room, SINGLE_ROWS - (maxRows - room));
      if (entry.rows > room) break;
      if (kind !== 'one') among = kind;
      room -= entry.rows;
      chosen.push(entry);
    }
    for (const { lease } of chosen) lease.holder.short = passes;
    return chosen;
  }

  function leave(entry: Entry, error: unknown): void {
    queue.splice(queue.indexOf(entry), 1);
    entry.lease.waiting--;
    entry.reject(error);
  }

  /** The parts with the runner's cells. Notes the rows as written. @throws InputError `cells_invalid` */
  function placed({ lease, parts, hidden }: Entry): ForwardPart[] {
    let at = 0;
    return parts.map((part) => {
      const line = lease.tree.line(part);
      lease.tree.grow(part);
      for (let i = 0; i < line.length; i++) line[i] = lease.physical[line[i]!]!;
      const rows = hidden.subarray(at, at + part.count * embedding);
      at += rows.length;
      const { start, count, outputs } = part;
      return { cells: line, start, count, tokens: null, hidden: rows, outputs };
    });
  }

  async function pass(chosen: readonly Entry[]): Promise<void> {
    const ready: { entry: Entry; parts: ForwardPart[] }[] = [];
    for (const entry of chosen) {
      try {
        ready.push({ entry, parts: placed(entry) });
        queue.splice(queue.indexOf(entry), 1);
        entry.lease.running = true;
      } catch (error) {
        leave(entry, error);
      }
    }
    if (ready.length === 0) return;
    running = ready.length;
    try {
      const { rows } = await runner.forward(
        ready.flatMap(({ parts }) => parts),
        { transient: true, span: ready[0]!.entry.lease.span },
      );
      let at = 0;
      for (const { entry, parts } of ready) {
        const wanted = parts.reduce((sum, part) => sum + wantedRows(part), 0);
        entry.resolve(rows.slice(at, at + wanted * embedding));
        at += wanted * embedding;
      }
    } catch (error) {
      for (const { entry } of ready) entry.reject(error);
    } finally {
      running = 0;
      for (const { lease } of ready.map(({ entry }) => entry)) {
        lease.waiting--;
        lease.running = false;
        if (lease.closed) pool.release(lease.physical, 0, lease.physical.length, true);
      }
    }
  }

  async function run(): Promise<void> {
    // Where nobody else could bring a step none can be joined: to wait for one would be waited for by the whole path.
    let isAlone = leases.size === 1;
    for (;;) {
      // Lets in what came meanwhile, and joins steps that come together.
      if (!isAlone) await setImmediate();
      isAlone = false;
      const chosen = choose();
      if (chosen.length > 0) await pass(chosen);
      if (queue.length === 0) return;
    }
  }

  function wake(): void {
    loop ??= run().finally(() => {
      loop = null;
      // A step that came between the last look and now.
      if (queue.length > 0) wake();
    });
  }

  return {
    open(count, span = runner.info, holder = null) {
      const { from, to } = runner.info;
      if (span.from < from || span.to > to || span.from >= span.to)
        throw new InputError(
          'range_invalid',
          `Blocks [${span.from}, ${span.to}) are not among [${from}, ${to}), which are loaded.`,
          { param: 'span' },
        );
      if (!Number.isInteger(count) || count < 1)
        throw new InputError('cells_invalid', `A lease of ${count} KV cells was asked for.`, {
          param: 'cells',
        });
      const physical = new Int32Array(count <= pool.free ? count : 0);
      if (leases.size >= MOST_LEASES || physical.length < count || !pool.take(count, physical, 0, true))
        throw new LimitError(
          'engine.kvCells',
          kvCells,
          `${count} KV cells were asked for; ${pool.free} of ${kvCells} are free. Ask for fewer, or later.`,
          { status: 503, details: { free: pool.free, asked: count } },
        );
      const name = holder ?? `lease ${last + 1}`;
      const his = holders.get(name) ?? { leases: 0, long: 0, short: 0 };
      his.leases++;
      holders.set(name, his);
      leases.set(++last, {
        holder: his,
        span: { from: span.from, to: span.to },
        tree: new CellTree(count),
        physical,
        waiting: 0,
        running: false,
        closed: false,
      });
      return last;
    },
    close(id) {
      const lease = leases.get(id);
      if (lease === undefined) return;
      leases.delete(id);
      lease.closed = true;
      if (--lease.holder.leases === 0)
        for (const [name, holder] of holders) if (holder === lease.holder) holders.delete(name);
      for (const entry of queue.filter((one) => one.lease === lease)) leave(entry, aborted());
      if (!lease.running) pool.release(lease.physical, 0, lease.physical.length, true);
    },
    step: (id, step, signal) =>
      new Promise((resolve, reject) => {
        const lease = find(id);
        const rows = check(step);
        if (lease.waiting >= MOST_WAITING)
          throw new LimitError('steps', MOST_WAITING, `${lease.waiting} steps of this lease wait already.`);
        if (signal.aborted) throw aborted();
        lease.waiting++;
        queue.push({ ...step, lease, rows, signal, resolve, reject });
        wake();
      }),
    terms(id) {
      const { span } = find(id);
      return { maxRows, kvType: kvRows.type, cellBytes: kvRows.cellBytes(span) };
    },
    async read(id, from, most) {
      const lease = find(id);
      const cells = lease.tree.written(from, most);
      const held = Array.from(cells, (cell) => lease.tree.at(cell));
      const physical = cells.map((cell) => lease.physical[cell]!);
      return {
        cells,
        positions: Int32Array.from(held, ({ position }) => position),
        after: Int32Array.from(held, ({ after }) => after),
        rows: await kvRows.read(physical, lease.span, () => void find(id)),
      };
    },
    async write(id, { cells, positions, after, rows }) {
      const lease = find(id);
      const tree = new CellTree(lease.tree.size);
      const place = (into: CellTree) => {
        for (let i = 0; i < cells.length; i++) into.place(cells[i]!, positions[i]!, after[i]!);
      };
      // Checked before anything is written.
      place(tree);
      if (tree.written(0, cells.length).length !== cells.length)
        throw new InputError('cells_invalid', 'KV rows came twice for a cell.', { param: 'cells' });
      const physical = cells.map((cell) => lease.physical[cell]!);
      await kvRows.write(physical, lease.span, rows, () => void find(id));
      place(lease.tree);
    },
    get count() {
      return leases.size;
    },
    get waiting() {
      return queue.length + running;
    },
    get freeCells() {
      return pool.free;
    },
    drain: async () => loop ?? undefined,
  };
}

const aborted = () => new AbortedError('The step was taken back, or its lease closed.');
