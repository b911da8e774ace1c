import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, KithError } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { rootOfIdentity } from '../keys/keys.ts';
import type { PlacedEve } from '../place/reader.ts';
import { sealHead } from '../seal/manifest.ts';
import type { EveTenant, HeadRow } from '../types.ts';
import { setHeads } from './heads.ts';

const id = 'books';
const root = rootOfIdentity(identityOf('bob'));
const keys = root.keysOf(id, 1);
const random = createSeededRandom(4);

const rowOf = (number: number, info = {}): HeadRow => ({
  number,
  bytes: sealHead(
    keys,
    { number, mode: 'sealed', objects: 0, pages: ['ab'.repeat(32)], everywhere: [], info },
    random,
  ),
});
const moved = () => new KithError('storage_head_moved', 'It has another number.', { status: 409 });

/** @param liesFor how often she says that another was before, without a reason */
function eveOf(peer: string, first: HeadRow | null, liesFor = 0): PlacedEve & { row: HeadRow | null } {
  const eve = {
    peer,
    operator: null,
    row: first,
    tenant: {
      peer,
      head: async () => eve.row,
      async setHead(_name: string, head: HeadRow, before: number) {
        if (liesFor-- > 0 || (eve.row?.number ?? 0) !== before) throw moved();
        eve.row = head;
      },
    } as unknown as EveTenant,
  };
  return eve;
}

async function set(eves: readonly PlacedEve[], seen: readonly number[], head: HeadRow) {
  const away = new Map<string, string>();
  const heads = new Map(eves.map(({ peer }, i) => [peer, seen[i]!]));
  const options = { id, root, eves, replicas: 2, onReached: () => undefined };
  return { taken: await setHeads(options, heads, head, away, undefined), away };
}

test('an Eve who says that another was before, and shows nothing of it, holds up nobody', async () => {
  for (const shown of [rowOf(5), null, { number: 9, bytes: rowOf(5).bytes }, { ...rowOf(9), number: 10 }]) {
    const eves = [eveOf('a', shown, Number.POSITIVE_INFINITY), eveOf('b', rowOf(5)), eveOf('c', rowOf(5))];
    const { taken, away } = await set(eves, [5, 5, 5], rowOf(6));
    assert.deepEqual([...taken].sort(), ['b', 'c']);
    assert.deepEqual([...away.keys()], ['a']);
  }
});

test('who shows what another put before is believed', async () => {
  const other = rowOf(6, { kb: 'of the other' });
  const eves = [eveOf('a', other), eveOf('b', rowOf(5)), eveOf('c', rowOf(5))];
  await assert.rejects(set(eves, [5, 5, 5], rowOf(6)), { code: 'storage_head_moved' });
  assert.deepEqual([eves[1]!.row?.number, eves[2]!.row?.number], [5, 5], 'nothing is changed elsewhere');
});

test('an Eve who was brought up to date meanwhile gets the next state on top', async () => {
  const eves = [eveOf('a', rowOf(5)), eveOf('b', rowOf(5)), eveOf('c', rowOf(5))];
  const { taken } = await set(eves, [4, 5, 5], rowOf(6));
  assert.deepEqual([...taken].sort(), ['a', 'b', 'c']);
  assert.ok(eves.every(({ row }) => row?.number === 6));
});
