/**
 * The receipts of work of a node: the book that its sessions write to, and as its owner sees it.
 *
 * @module node/shards/work
 */
import { join } from 'node:path';
import { messageOf, toHex } from '../../base/index.ts';
import type { ModelStore } from '../../models/index.ts';
import type { WorkDesk } from '../../server/index.ts';
import { nameOfWork, openWorkBook, type WorkBook, type WorkBookOptions } from '../../shards/index.ts';
import type { ShardParts } from './types.ts';

/** Where it cannot be written, what is of this run is kept in memory. */
export function openNodeWork({
  config,
  identity,
  trust,
  clock,
  random,
  log,
}: Pick<ShardParts, 'config' | 'identity' | 'trust' | 'clock' | 'random' | 'log'>): WorkBook {
  const options: Omit<WorkBookOptions, 'path'> = {
    ...{ identity, clock, random, log },
    onContradiction({ peer, first, second }) {
      // The same two are one incident, in whatever order they came.
      const names = [first, second].map(({ receipt }) => nameOfWork(receipt)).sort(Buffer.compare);
      trust.incident(peer, 'contradicting_receipts', `work ${toHex(nameOfWork(Buffer.concat(names)))}`);
    },
    onForged: (peer) => trust.observe(peer, 'conduct', 0),
  };
  try {
    return openWorkBook({ ...options, path: join(config.home, 'shards', 'work.sqlite') });
  } catch (error) {
    log.error('Receipts of work cannot be kept on the disk; those of this run are kept in memory.', {
      err: messageOf(error),
    });
    return openWorkBook({ ...options, path: ':memory:' });
  }
}

export function workDesk(store: WorkBook['store'], models: Pick<ModelStore, 'list'>): WorkDesk {
  return {
    async receipts({ limit, ...query }) {
      const ids = new Map((await models.list()).map(({ manifest }) => [manifest.sha256, manifest.id]));
      const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
      const { receipts, total } = store.list({ ...query, limit });
      return {
        total,
        receipts: receipts.map(({ facts, receipt, shardSignature, ownerSignature, ...one }) => ({
          name: toHex(nameOfWork(receipt)),
          ...{ side: one.side, peer: one.peer, state: one.state, reason: one.reason },
          ...{ model: facts.model, modelId: ids.get(facts.model) ?? null, blocks: [facts.from, facts.to] },
          ...{ sequence: facts.sequence, part: facts.part },
          ...{ prompt: facts.prompt, decode: facts.decode, replayed: facts.replayed },
          ...{ steps: facts.steps, ms: facts.ms, begun: facts.begun, ended: facts.ended },
          missingOne: one.isMissingOne,
          ...{ receipt: text(receipt), shardSignature: text(shardSignature) },
          ownerSignature: ownerSignature === null ? null : text(ownerSignature),
        })),
        totals: store.totals.list(query).map((sum) => ({ ...sum, modelId: ids.get(sum.model) ?? null })),
        contradictions: store.contradictions(query.peer).map(({ peer, at, first, second }) => ({
          ...{ peer, at },
          first: { receipt: text(first.receipt), shardSignature: text(first.signature) },
          second: { receipt: text(second.receipt), shardSignature: text(second.signature) },
        })),
      };
    },
  };
}
