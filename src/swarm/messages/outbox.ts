/**
 * What this node's owner wrote, until it is delivered, refused, or too old.
 *
 * @module swarm/messages/outbox
 */
import { type Database, LimitError } from '../../base/index.ts';

/** `queued`: tried again until it expires. */
export type OutboxState = 'queued' | 'delivered' | 'refused' | 'expired';

export interface OutboxMessage {
  readonly id: string;
  /** PeerId of the receiver. */
  readonly to: string;
  readonly state: OutboxState;
  /** Why it was refused, or why the last attempt failed; null when nothing failed. */
  readonly code: string | null;
  /** Ms since 1970. */
  readonly sentAt: number;
  readonly expiresAt: number;
  readonly attempts: number;
}

export interface OutboxLimits {
  /** Queued for one receiver. @default 50 */
  readonly perPeer?: number;
  /** Queued. @default 500 */
  readonly queued?: number;
  /** Kept after they were delivered, refused or expired. @default 200 */
  readonly done?: number;
}

export interface Due {
  readonly id: string;
  readonly peer: string;
  readonly attempts: number;
  readonly bytes: Uint8Array;
}

type Row = Omit<OutboxMessage, 'to' | 'sentAt' | 'expiresAt'> & { peer: string; sent: number; exp: number };

const COLUMNS = 'id, peer, state, code, sent, exp, attempts';

export class Outbox {
  readonly #database: Database;
  readonly #limits: Required<OutboxLimits>;

  constructor(database: Database, limits: OutboxLimits = {}) {
    this.#database = database;
    this.#limits = { perPeer: 50, queued: 500, done: 200, ...limits };
  }

  /** @throws {LimitError} when too many wait */
  add(id: string, to: string, sent: number, exp: number, bytes: Uint8Array): void {
    const { perPeer, queued } = this.#limits;
    this.#database.transaction(() => {
      const waiting = this.#database
        .prepare<{ own: number; total: number }, [string]>(
          `SELECT count(*) AS total, coalesce(sum(peer = ?), 0) AS own FROM outbox WHERE state = 'queued'`,
        )
        .get(to)!;
      if (waiting.own >= perPeer) throw full('swarm.messagesPerPeer', perPeer, `for ${to}`);
      if (waiting.total >= queued) throw full('swarm.messagesQueued', queued, 'for all receivers');
      this.#database
        .prepare<never, [string, string, number, number, number, number, Uint8Array]>(
          `INSERT INTO outbox (id, peer, state, code, sent, exp, attempts, due, size, bytes)
           VALUES (?, ?, 'queued', NULL, ?, ?, 0, ?, ?, ?)`,
        )
        .run(id, to, sent, exp, sent, bytes.length, bytes);
    });
  }

  get(id: string): OutboxMessage | null {
    const row = this.#database.prepare<Row, [string]>(`SELECT ${COLUMNS} FROM outbox WHERE id = ?`).get(id);
    return row === undefined ? null : shown(row);
  }

  /** Newest first. */
  list(limit: number): OutboxMessage[] {
    return this.#database
      .prepare<Row, [number]>(`SELECT ${COLUMNS} FROM outbox ORDER BY sent DESC, rowid DESC LIMIT ?`)
      .all(limit)
      .map(shown);
  }

  get queued(): number {
    return this.#database
      .prepare<{ count: number }>(`SELECT count(*) AS count FROM outbox WHERE state = 'queued'`)
      .get()!.count;
  }

  /** What is to be tried at `now`; what is due later than `latest` is due because of a clock that was wrong. */
  due(now: number, latest: number, limit: number): Due[] {
    return this.#database
      .prepare<Due, [number, number, number]>(
        `SELECT id, peer, attempts, bytes FROM outbox
         WHERE state = 'queued' AND (due <= ? OR due > ?) ORDER BY due LIMIT ?`,
      )
      .all(now, latest, limit);
  }

  /** What waits for a peer, oldest first. */
  waitingFor(peer: string): Due[] {
    return this.#database
      .prepare<Due, [string]>(
        `SELECT id, peer, attempts, bytes FROM outbox WHERE state = 'queued' AND peer = ? ORDER BY sent`,
      )
      .all(peer);
  }

  /** Notes a failed attempt and when to try again. */
  postpone(id: string, code: string, due: number): void {
    this.#database
      .prepare<never, [string, number, string]>(
        `UPDATE outbox SET code = ?, due = ?, attempts = attempts + 1 WHERE id = ? AND state = 'queued'`,
      )
      .run(code, due, id);
  }

  finish(id: string, state: Exclude<OutboxState, 'queued' | 'expired'>, code: string | null): void {
    this.#database.transaction(() => {
      this.#database
        .prepare<never, [string, string | null, string]>(
          `UPDATE outbox SET state = ?, code = ?, attempts = attempts + 1, bytes = x'', size = 0 WHERE id = ?`,
        )
        .run(state, code, id);
      this.#forgetDone();
    });
  }

  /** Gives up what is too old. */
  expire(now: number): void {
    this.#database.transaction(() => {
      const { changes } = this.#database
        .prepare<never, [number]>(
          `UPDATE outbox SET state = 'expired', bytes = x'', size = 0 WHERE state = 'queued' AND exp <= ?`,
        )
        .run(now);
      if (changes > 0) this.#forgetDone();
    });
  }

  /** Takes a message back that was not delivered yet. */
  remove(id: string): boolean {
    return this.#database.prepare<never, [string]>('DELETE FROM outbox WHERE id = ?').run(id).changes > 0;
  }

  #forgetDone(): void {
    this.#database
      .prepare<never, [number]>(
        `DELETE FROM outbox WHERE id IN
         (SELECT id FROM outbox WHERE state <> 'queued' ORDER BY sent DESC LIMIT -1 OFFSET ?)`,
      )
      .run(this.#limits.done);
  }
}

function full(name: string, value: number, which: string): LimitError {
  const message = `${value} messages ${which} wait to be delivered already. Wait until some are, or remove them.`;
  return new LimitError(name, value, message);
}

function shown({ peer, sent, exp, ...row }: Row): OutboxMessage {
  return { ...row, to: peer, sentAt: sent, expiresAt: exp };
}
