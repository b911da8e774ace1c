/**
 * The ledger's file: one row for each day, key, agent, backend and model.
 *
 * @module gateway/accounting/store
 */
import { type Database, type Migration, openDatabase } from '../../base/index.ts';
import { TALLIED, type Tally } from './tally.ts';

/** Who and what a row is of. */
export interface RowName {
  readonly tenant: string;
  /** Empty: none was named. */
  readonly agent: string;
  readonly backend: string;
  readonly model: string;
}

export interface StoredRow extends RowName {
  readonly day: number;
  readonly tally: Tally;
}

/** Day of what is older than the days that are told apart. */
export const EARLIER = -1;

/** The columns are the fields of `Tally`; money in billionths. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: 'usage',
    up: `
      CREATE TABLE usage (
        day INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        agent TEXT NOT NULL,
        backend TEXT NOT NULL,
        model TEXT NOT NULL,
        requests INTEGER NOT NULL,
        answered INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        left INTEGER NOT NULL,
        kept INTEGER NOT NULL,
        promptTokens INTEGER NOT NULL,
        cachedTokens INTEGER NOT NULL,
        completionTokens INTEGER NOT NULL,
        uncounted INTEGER NOT NULL,
        unpriced INTEGER NOT NULL,
        cost INTEGER NOT NULL,
        PRIMARY KEY (day, tenant, agent, backend, model)
      ) STRICT, WITHOUT ROWID;`,
  },
];

const NAMED = ['day', 'tenant', 'agent', 'backend', 'model'] as const;
const SUMMED = [...TALLIED, 'cost'] as const;
const upsert = `INSERT INTO usage (${[...NAMED, ...SUMMED].join(', ')})
  VALUES (${[...NAMED, ...SUMMED].map((name) => `:${name}`).join(', ')})
  ON CONFLICT DO UPDATE SET ${SUMMED.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`;

/** A sum of billionths can pass what a number holds: it is read in two parts. */
const COST_PARTS = 'SUM(cost / 1000000000) AS units, SUM(cost % 1000000000) AS nanos';
const SUMS = `${TALLIED.map((name) => `SUM(${name}) AS ${name}`).join(', ')}, ${COST_PARTS}`;

type Summed = { readonly [K in (typeof TALLIED)[number]]: number } & {
  readonly units: number;
  readonly nanos: number;
};

function tallyOf({ units, nanos, ...counts }: Summed): Tally {
  return { ...counts, cost: BigInt(units) * 1_000_000_000n + BigInt(nanos) };
}

export interface LedgerStore {
  /** Adds to what the rows hold; all of it or, when it throws, nothing. */
  add(rows: Iterable<StoredRow>): void;
  /** Rows of the days from `from` to before `to`; null: no bound, and then the earlier ones too. */
  rows(from: number | null, to: number | null): IterableIterator<StoredRow>;
  /** Names that stand in the column on that day. */
  names(column: 'agent' | 'model', day: number): string[];
  count(day: number): number;
  /** Sums by the column, of the days from `from` to before `to`. */
  grouped(
    column: (typeof NAMED)[number],
    from: number | null,
    to: number | null,
  ): { readonly name: string | number; readonly tally: Tally }[];
  /** The day before which nothing has to be told apart: there are `days` newer ones. Null: there are fewer. */
  oldestOf(days: number): number | null;
  /** Takes the rows of the days before `day` together, under the names that `keep` gives them. */
  fold(day: number, keep: (row: RowName) => RowName): void;
  close(): void;
}

export function openStore(path: string, options: { readonly readOnly?: boolean } = {}): LedgerStore {
  const database = openDatabase(path, {
    migrations: MIGRATIONS,
    synchronous: 'NORMAL',
    busyTimeoutMs: 250,
    readOnly: options.readOnly ?? false,
  });
  return createStore(database);
}

function createStore(database: Database): LedgerStore {
  const write = database.prepare<never, Record<string, string | number | bigint>>(upsert);
  const between = 'day >= :from AND day < :to';
  const bounds = (from: number | null, to: number | null) => ({
    from: from ?? EARLIER,
    to: to ?? Number.MAX_SAFE_INTEGER,
  });
  const add = (rows: Iterable<StoredRow>) => {
    for (const { day, tenant, agent, backend, model, tally } of rows)
      write.run({ day, tenant, agent, backend, model, ...tally });
  };
  const count = database.prepare<{ count: number }, [number]>(
    'SELECT COUNT(*) AS count FROM usage WHERE day = ?',
  );
  const rowsBetween = database.prepare<Summed & RowName & { day: number }, { from: number; to: number }>(
    `SELECT ${NAMED.join(', ')}, ${TALLIED.join(', ')}, cost / 1000000000 AS units, cost % 1000000000 AS nanos
     FROM usage WHERE ${between} ORDER BY day`,
  );
  // Steps from day to day along the key, instead of over all rows.
  const oldest = database.prepare<{ day: number | null }, [number]>(
    `WITH RECURSIVE days (day) AS (
       SELECT MAX(day) FROM usage
       UNION ALL
       SELECT (SELECT MAX(day) FROM usage WHERE day < days.day) FROM days WHERE days.day >= 0
     )
     SELECT day FROM days WHERE day >= 0 LIMIT 1 OFFSET ?`,
  );

  function* rows(from: number | null, to: number | null): Generator<StoredRow> {
    for (const { day, tenant, agent, backend, model, ...sums } of rowsBetween.iterate(bounds(from, to)))
      yield { day, tenant, agent, backend, model, tally: tallyOf(sums) };
  }

  return {
    add: (list) => database.transaction(() => add(list)),
    rows,
    names(column, day) {
      const sql = `SELECT DISTINCT ${column} AS name FROM usage WHERE day = ?`;
      return database
        .prepare<{ name: string }, [number]>(sql)
        .all(day)
        .map(({ name }) => name);
    },
    count: (day) => count.get(day)!.count,
    grouped(column, from, to) {
      const sql = `SELECT ${column} AS name, ${SUMS} FROM usage WHERE ${between} GROUP BY ${column}`;
      type Row = Summed & { name: string | number };
      const statement = database.prepare<Row, { from: number; to: number }>(sql);
      return statement.all(bounds(from, to)).map(({ name, ...sums }) => ({ name, tally: tallyOf(sums) }));
    },
    oldestOf: (days) => oldest.get(days - 1)?.day ?? null,
    fold(day, keep) {
      database.transaction(() => {
        const old = [...rows(0, day)];
        database.prepare<never, [number]>('DELETE FROM usage WHERE day >= 0 AND day < ?').run(day);
        add(old.map(({ tally, ...name }) => ({ ...keep(name), day: EARLIER, tally })));
      });
    },
    close: () => database.close(),
  };
}
