/**
 * Sums of what was given and taken, by peer and model: of all receipts that ever were, also of those that are not kept any more.
 *
 * @module shards/work/totals
 */
import type { Database } from '../../base/index.ts';
import type { WorkFacts } from './receipt.ts';
import { OTHERS, SUMS, type WorkSide } from './schema.ts';
import { rowsOf } from './types.ts';

export interface WorkTotal {
  readonly side: WorkSide;
  /** `*`: of all that are not listed by themselves any more. */
  readonly peer: string;
  readonly model: string;
  /** Whether both signed: what one side alone says stands in a row of its own. */
  readonly agreed: boolean;
  readonly receipts: number;
  readonly prompt: number;
  readonly decode: number;
  readonly replayed: number;
  /** Each row times the blocks that it went through. */
  readonly rowBlocks: number;
  readonly steps: number;
  readonly ms: number;
}

export interface Change {
  readonly side: WorkSide;
  readonly peer: string;
  readonly facts: WorkFacts;
  readonly agreed: boolean;
  /** Steady ms since 1970. */
  readonly now: number;
  readonly sign: 1 | -1;
}

export interface Totals {
  /** Within a transaction. */
  add(change: Change): void;
  /** @param since of receipts that are kept and not older; ms since 1970. Without it, of all that ever were. */
  list(query: {
    readonly peer?: string;
    readonly side?: WorkSide;
    readonly since?: number;
  }): readonly WorkTotal[];
  /** Rows times blocks that both signed. */
  balance(peer: string): { readonly given: number; readonly taken: number };
}

interface Row extends Omit<WorkTotal, 'agreed' | 'rowBlocks'> {
  readonly agreed: number;
  readonly row_blocks: number;
}

/** Numbers of SQLite beyond it cannot be read. */
const MOST = Number.MAX_SAFE_INTEGER;
const ADDED = ['receipts', ...SUMS] as const;

export function createTotals(database: Database, most: number): Totals {
  const upsert = database.prepare<never, Record<string, string | number>>(
    `INSERT INTO total (side, peer, model, agreed, ${ADDED.join(', ')}, changed)
     VALUES (:side, :peer, :model, :agreed, ${ADDED.map((name) => `MAX(0, :${name})`).join(', ')}, :now)
     ON CONFLICT DO UPDATE SET
       ${ADDED.map((name) => `${name} = MAX(0, MIN(${name} + :${name}, ${MOST}))`).join(', ')}, changed = :now`,
  );
  const empty = database.prepare<never, [string, string]>(
    'DELETE FROM total WHERE side = ? AND peer = ? AND receipts = 0',
  );
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM total');
  const stale = database.prepare<Row, [number]>(
    `DELETE FROM total WHERE (side, peer, model, agreed) IN
       (SELECT side, peer, model, agreed FROM total WHERE peer <> '${OTHERS}' ORDER BY changed LIMIT ?) RETURNING *`,
  );
  const where = '(:peer IS NULL OR peer = :peer) AND (:side IS NULL OR side = :side)';
  const all = database.prepare<Row, Record<string, string | null>>(
    `SELECT * FROM total WHERE ${where} ORDER BY side, peer, model, agreed DESC`,
  );
  const recent = database.prepare<Row, Record<string, string | number | null>>(
    `SELECT side, peer, model, state = 'signed' AS agreed, count(*) AS receipts,
       ${SUMS.map((name) => `MIN(SUM(${name}), ${MOST}) AS ${name}`).join(', ')}
     FROM receipt WHERE ${where} AND kept >= :since
     GROUP BY 1, 2, 3, 4 ORDER BY side, peer, model, agreed DESC`,
  );
  const agreedOf = database.prepare<{ n: number }, [WorkSide, string]>(
    `SELECT MIN(COALESCE(SUM(row_blocks), 0), ${MOST}) AS n FROM total WHERE side = ? AND peer = ? AND agreed = 1`,
  );
  let rows: number | null = null;

  return {
    add({ side, peer, facts, agreed, now, sign }) {
      const { model, prompt, decode, replayed, steps, ms } = facts;
      upsert.run({
        ...{ side, peer, model, agreed: agreed ? 1 : 0, now, receipts: sign },
        ...{ prompt: sign * prompt, decode: sign * decode, replayed: sign * replayed },
        ...{ row_blocks: sign * rowsOf(facts) * (facts.to - facts.from), steps: sign * steps, ms: sign * ms },
      });
      if (sign < 0) empty.run(side, peer);
      // Counting walks the table, so it is done only when it could matter.
      rows = rows === null || rows >= most ? count.get()!.n : rows + 1;
      if (rows <= most) return;
      for (const row of stale.all(Math.max(1, Math.floor(most / 100)) + rows - most))
        upsert.run({
          ...{ side: row.side, peer: OTHERS, model: OTHERS, agreed: row.agreed, now, receipts: row.receipts },
          ...{ prompt: row.prompt, decode: row.decode, replayed: row.replayed },
          ...{ row_blocks: row.row_blocks, steps: row.steps, ms: row.ms },
        });
      rows = null;
    },
    list({
      peer = null,
      side = null,
      since,
    }: {
      peer?: string | null;
      side?: WorkSide | null;
      since?: number;
    }) {
      const found = since === undefined ? all.all({ peer, side }) : recent.all({ peer, side, since });
      return found.map(
        (row): WorkTotal => ({
          ...{ side: row.side, peer: row.peer, model: row.model, agreed: row.agreed === 1 },
          ...{ receipts: row.receipts, prompt: row.prompt, decode: row.decode, replayed: row.replayed },
          ...{ rowBlocks: row.row_blocks, steps: row.steps, ms: row.ms },
        }),
      );
    },
    balance: (peer) => ({ given: agreedOf.get('given', peer)!.n, taken: agreedOf.get('taken', peer)!.n }),
  };
}
