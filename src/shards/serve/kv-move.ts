/**
 * KV rows of a session go from one shard to another, with the rows that were sent on, so that the other goes on as if it
 * had computed them. Both sides look at what the other says: types and sizes must be the same, cells are those of the
 * session and no others, and values are finite.
 *
 * @module shards/serve/kv-move
 */
import { KithError } from '../../base/index.ts';
import type { CellLease } from '../../engine/index.ts';
import type { Session, Swarm } from '../../swarm/index.ts';
import type { RowLog } from '../row-log.ts';
import type { Whereabouts } from '../wire/control.ts';
import { cellsAtOnce, decodeKv, decodeTaken, encodeKv, encodeKvOpening, type KvOpening } from '../wire/kv.ts';
import { decodeStep, EXACT, encodeStep, KV_METHOD, kindOf, malformed } from '../wire/messages.ts';

export interface Moving {
  readonly lease: CellLease;
  /** Rows that were sent on; null at the last shard. */
  readonly log: RowLog | null;
  /** Values of a row. */
  readonly width: number;
  readonly signal: AbortSignal;
  /** Throws when steps have come since: what is written now would be behind them. */
  readonly mayWrite: () => void;
}

/** @returns cells that the other has taken. @throws KithError what it says, or why it cannot be reached */
export async function giveKv(
  { lease, log, width, signal }: Moving,
  swarm: Pick<Swarm, 'openSession' | 'learn'>,
  { peer, session, addresses }: Whereabouts,
): Promise<number> {
  const { kvType, cellBytes } = lease.terms;
  if (addresses.length > 0) await swarm.learn(peer, addresses);
  const opening = encodeKvOpening({ session, type: kvType, bytes: cellBytes });
  const way = await swarm.openSession(peer, KV_METHOD, opening, { signal });
  try {
    const most = cellsAtOnce(cellBytes);
    for (let from = 0; ; ) {
      const kv = await lease.readKv(from, most, signal);
      if (kv.cells.length === 0) break;
      const { metadata, payload } = encodeKv(kv);
      await way.send(metadata, payload);
      from = kv.cells.at(-1)! + 1;
    }
    if (log !== null)
      for (const step of log.steps()) {
        const { metadata, payload } = encodeStep({ ...step, replay: true }, width, EXACT);
        await way.send(metadata, payload);
      }
    await way.end();
    const answer = await way.receive({ signal });
    if (answer === null) throw malformed('the KV rows were not taken');
    return decodeTaken(answer.metadata);
  } finally {
    way.cancel();
  }
}

/** @returns cells taken over. @throws KithError `kv_unlike`, `kv_invalid`, `shard_malformed`, `cells_invalid` */
export async function takeKv(
  { lease, log, width, signal, mayWrite }: Moving,
  { type, bytes }: Omit<KvOpening, 'session'>,
  way: Session,
): Promise<number> {
  const { kvType, cellBytes } = lease.terms;
  if (type !== kvType || bytes !== cellBytes)
    throw new KithError(
      'kv_unlike',
      `KV rows here are ${kvType} of ${cellBytes} bytes; those offered are ${type} of ${bytes}.`,
      { status: 409 },
    );
  let cells = 0;
  let rows = 0;
  for await (const message of way) {
    mayWrite();
    if (kindOf(message.metadata) === 'step') {
      const step = decodeStep(message, width);
      for (const part of step.parts) {
        rows += part.count;
        if (part.cells.some((cell) => cell < 0 || cell >= lease.cells))
          throw malformed('a cell is not there');
      }
      // Each cell was written by one step last.
      if (log === null || rows > lease.cells) throw malformed('there are more rows than cells');
      log.record(step);
      continue;
    }
    const kv = decodeKv(message, cellBytes);
    cells += kv.cells.length;
    if (cells > lease.cells) throw malformed('there are more KV rows than cells');
    await lease.writeKv(kv, signal);
  }
  await way.send({ k: 'taken', cells });
  await way.end();
  return cells;
}
