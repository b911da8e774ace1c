/**
 * What others wrote to this node's owner, within bounds that one sender, or many strangers, cannot use up for the rest.
 *
 * @module swarm/messages/inbox
 */
import type { Database } from '../../base/index.ts';
import type { Message } from './message.ts';

export interface InboxMessage {
  readonly id: string;
  /** PeerId of the sender. */
  readonly from: string;
  /** Ms since 1970, by the sender's clock and by this node's. */
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly read: boolean;
  readonly text: string;
}

export interface InboxLimits {
  /** @default 2000 */
  readonly messages?: number;
  /** Of all texts. @default 16 MiB */
  readonly bytes?: number;
  /** Of one sender. @default 200 */
  readonly perPeer?: number;
  /** Of all strangers together. @default 200 */
  readonly strangers?: number;
  /** Ids remembered against replay. @default 50000 */
  readonly met?: number;
}

interface Row {
  id: string;
  peer: string;
  sent: number;
  received: number;
  seen: number;
  text: string;
}

export class Inbox {
  readonly #database: Database;
  readonly #limits: Required<InboxLimits>;

  constructor(database: Database, limits: InboxLimits = {}) {
    this.#database = database;
    this.#limits = {
      messages: 2000,
      bytes: 16 * 1024 * 1024,
      perPeer: 200,
      strangers: 200,
      met: 50_000,
      ...limits,
    };
  }

  /** Whether a message of that id came before, removed or not. */
  hasMet(id: string): boolean {
    return (
      this.#database.prepare<{ id: string }, [string]>('SELECT id FROM met WHERE id = ?').get(id) !==
      undefined
    );
  }

  /**
   * Keeps a message. Where there is no room, the oldest that was read goes, of the sender or the strangers when their
   * share is used up; false when all there is unread.
   */
  add(id: string, message: Message, stranger: boolean, now: number): boolean {
    const size = Buffer.byteLength(message.text);
    return this.#database.transaction(() => {
      if (!this.#makeRoom(message.from, stranger, size)) return false;
      this.#database
        .prepare<never, [string, string, number, number, number, number, string]>(
          `INSERT INTO inbox (id, peer, stranger, sent, received, seen, size, text) VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
        )
        .run(id, message.from, stranger ? 1 : 0, message.sent, now, size, message.text);
      this.#database.prepare<never, [string, number]>('INSERT INTO met VALUES (?, ?)').run(id, message.exp);
      this.#forgetMet(now);
      return true;
    });
  }

  #makeRoom(peer: string, stranger: boolean, size: number): boolean {
    const { messages, bytes, perPeer, strangers } = this.#limits;
    const count = (where: string, ...of: string[]) =>
      this.#database
        .prepare<{ count: number; bytes: number }, string[]>(
          `SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM inbox WHERE ${where}`,
        )
        .get(...of)!;
    const drop = (where: string, ...of: string[]) =>
      this.#database
        .prepare<never, string[]>(
          `DELETE FROM inbox WHERE id = (SELECT id FROM inbox WHERE seen = 1 AND ${where} ORDER BY received LIMIT 1)`,
        )
        .run(...of).changes > 0;
    while (count('peer = ?', peer).count >= perPeer) if (!drop('peer = ?', peer)) return false;
    if (stranger) while (count('stranger = 1').count >= strangers) if (!drop('stranger = 1')) return false;
    for (;;) {
      const all = count('true');
      if (all.count < messages && all.bytes + size <= bytes) return true;
      if (!drop('true')) return false;
    }
  }

  /** A message is refused as expired from `exp` on: its id need not be known longer. */
  #forgetMet(now: number): void {
    this.#database.prepare<never, [number]>('DELETE FROM met WHERE exp <= ?').run(now);
    this.#database
      .prepare<never, [number]>(
        'DELETE FROM met WHERE id IN (SELECT id FROM met ORDER BY exp DESC LIMIT -1 OFFSET ?)',
      )
      .run(this.#limits.met);
  }

  /** Newest first. */
  list(query: { readonly unread: boolean; readonly limit: number }): InboxMessage[] {
    return this.#database
      .prepare<Row, [number, number]>(
        'SELECT * FROM inbox WHERE seen <= ? ORDER BY received DESC, rowid DESC LIMIT ?',
      )
      .all(query.unread ? 0 : 1, query.limit)
      .map(messageOf);
  }

  counts(): { readonly total: number; readonly unread: number } {
    return this.#database
      .prepare<{ total: number; unread: number }>(
        'SELECT count(*) AS total, count(*) - coalesce(sum(seen), 0) AS unread FROM inbox',
      )
      .get()!;
  }

  /** The message, marked as read; null when there is none of that id. */
  read(id: string): InboxMessage | null {
    const row = this.#database
      .prepare<Row, [string]>('UPDATE inbox SET seen = 1 WHERE id = ? RETURNING *')
      .get(id);
    return row === undefined ? null : messageOf(row);
  }

  /** False when there is none of that id. */
  remove(id: string): boolean {
    return this.#database.prepare<never, [string]>('DELETE FROM inbox WHERE id = ?').run(id).changes > 0;
  }
}

function messageOf(row: Row): InboxMessage {
  const { id, peer, sent, received, seen, text } = row;
  return { id, from: peer, sentAt: sent, receivedAt: received, read: seen === 1, text };
}
