/**
 * Searching perturbed vectors: one Eve names more rows than are wanted, with the vectors that were sealed beside them; those put them in their true
 * order here, and the passages of the first are fetched.
 *
 * She learns nearly all: about where the question lies, which rows are near it, which passages are read. What she gives back was sealed by who has the
 * keys: the owner, or an Eve who was given a grant. That she left out rows nobody notices.
 *
 * @module vault/perturbed/search
 */
import { type Clock, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { CollectionKeys } from '../keys/keys.ts';
import { firstAnswer } from '../place/first-answer.ts';
import { type PlacedEve, readBlock } from '../place/reader.ts';
import { placesFor } from '../place/rendezvous.ts';
import { damaged } from '../seal/record.ts';
import { openRow, type TableForm } from '../split/rows.ts';
import type { SplitHit, SplitSearcher } from '../split/search.ts';
import { VAULT_WIRE } from '../wire/messages.ts';
import { blockKey, openVector, rowBytesOf } from './form.ts';
import type { PerturbedIndex } from './index-file.ts';
import { nearBytes } from './nearest.ts';
import { OVER_FETCH } from './parameters.ts';
import { createPerturber } from './sap.ts';

export interface PerturbedSearchOptions {
  readonly keys: CollectionKeys;
  readonly index: PerturbedIndex;
  /** Each has all of it. */
  readonly eves: readonly PlacedEve[];
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly hedgeMs?: number;
  readonly onFault?: (peer: string, why: string) => void;
  /** Rows that are named for a hit. @default 8 */
  readonly overFetch?: number;
}

/** Passages that are asked for at a time: an Eve has others to answer. */
const AT_ONCE = 4;
/** Rows of one passage: what refers to itself ends. */
const MOST_PIECES = 512;

interface Candidate {
  readonly at: number;
  readonly distance: number;
  readonly vector: Float32Array;
}

export function createPerturbedSearcher(options: PerturbedSearchOptions): SplitSearcher {
  const { keys, index, eves, clock, hedgeMs, onFault, overFetch = OVER_FETCH.factor } = options;
  const { dimension } = index;
  const rowKey = keys.key('rows');
  const perturber = createPerturber(keys.key('perturb'), dimension);
  const rowBytes = rowBytesOf(dimension);
  let before = 0;
  const parts = Array.from({ length: Math.ceil(index.blocks.length / VAULT_WIRE.asked) }, (_, i) => {
    const blocks = index.blocks.slice(i * VAULT_WIRE.asked, (i + 1) * VAULT_WIRE.asked).map((block) => {
      const first = before;
      before += block.count;
      return { ...block, first, key: blockKey(rowKey, block.name) };
    });
    return {
      blocks,
      ids: blocks.map(({ id }) => id),
      rows: blocks.reduce((sum, { count }) => sum + count, 0),
    };
  });

  /** @throws KithError `vault_unreachable` */
  function askPart(
    { blocks, ids, rows }: (typeof parts)[number],
    question: Float32Array,
    k: number,
    signal: AbortSignal | undefined,
  ): Promise<Candidate[]> {
    const asked = Math.min(k, rows);
    return firstAnswer(
      placesFor(ids[0]!, eves, 1),
      async ({ tenant }, both) => {
        const found = await tenant.nearest(ids, { dimension, rowBytes, k: asked }, question, both);
        if (found.length !== asked) throw damaged('what is near');
        return found.map(({ block, row, distance, rest }) => {
          const { key, first, count } = blocks[block]!;
          if (row >= count) throw damaged(`row ${row}`);
          return { at: first + row, distance, vector: openVector(key, row, rest, dimension) };
        });
      },
      {
        ...{ hedgeMs, clock, signal, onFailed: ({ peer }, error) => onFault?.(peer, messageOf(error)) },
        none: (causes) =>
          new KithError('vault_unreachable', `No Eve answered: ${causes.join('; ')}.`, { status: 503 }),
      },
    );
  }

  async function textOf(table: TableForm, at: number, signal: AbortSignal | undefined) {
    const pieces: Uint8Array[] = [];
    for (let row: number | null = at; row !== null; ) {
      if (pieces.length === MOST_PIECES) throw damaged(`row ${row}`);
      const place: number = row;
      const block = table.blocks[Math.floor(place / table.rows)];
      if (block === undefined) throw damaged(`row ${place}`);
      const stretch = { at: (place % table.rows) * table.rowBytes, length: table.rowBytes };
      const opened: ReturnType<typeof openRow> = await readBlock(
        eves,
        block,
        stretch,
        (sealed) => openRow(rowKey, table.name, place, sealed),
        {
          ...{ replicas: 1, clock, signal, onFault: (peer, fault) => onFault?.(peer, fault) },
          ...(hedgeMs === undefined ? {} : { hedgeMs }),
        },
      );
      pieces.push(opened.bytes);
      row = opened.next;
    }
    return { text: Uint8Array.from(Buffer.concat(pieces)), rows: pieces.length };
  }

  return {
    async search(query, k, signal) {
      const began = clock.monotonic();
      const question = perturber.perturb(query);
      const named = Math.min(OVER_FETCH.most, Math.max(OVER_FETCH.least, k * overFetch));
      const asked = clock.monotonic();
      const answers = await Promise.all(parts.map((part) => askPart(part, question, named, signal)));
      const scoresMs = clock.monotonic() - asked;
      throwIfAborted(signal);
      const found = answers.flat();
      const near = found.sort((a, b) => a.distance - b.distance || a.at - b.at).slice(0, named);
      const best = near
        .map(({ at, vector }) => ({ at, score: dot(vector, query) }))
        .sort((a, b) => b.score - a.score || a.at - b.at)
        .slice(0, k);
      const fetching = clock.monotonic();
      const hits: SplitHit[] = [];
      let textRows = 0;
      for (let i = 0; i < best.length; i += AT_ONCE) {
        const texts = await Promise.all(
          best.slice(i, i + AT_ONCE).map(({ at }) => textOf(index.texts!, at, signal)),
        );
        for (const [j, { text, rows }] of texts.entries()) {
          hits.push({ ...best[i + j]!, text });
          textRows += rows;
        }
      }
      const ended = clock.monotonic();
      return {
        hits,
        times: {
          ...{ bob: ended - began - scoresMs - (ended - fetching), scores: scoresMs, rows: 0 },
          texts: ended - fetching,
          bytesUp: parts.length * question.byteLength,
          bytesDown:
            found.length * nearBytes({ dimension, rowBytes }) + textRows * (index.texts?.rowBytes ?? 0),
        },
      };
    },
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
