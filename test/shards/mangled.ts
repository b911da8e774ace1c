/**
 * Messages of the shard protocol with something wrong in most of them: sound ones with fields changed, left out and added, and
 * payloads that are cut, stretched or of other bytes.
 *
 * @module test/shards/mangled
 */
import type { CborMap, CborValue } from '../../src/base/cbor.ts';
import type { Random } from '../../src/base/index.ts';
import { encodeKv, encodeKvOpening } from '../../src/shards/wire/kv.ts';
import { EXACT, encodeOpening, encodeRows, encodeStep } from '../../src/shards/wire/messages.ts';

export interface Mangled {
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

export function mangler(random: Random, model: string, width: number): () => Mangled {
  const below = (most: number) => random.uint32() % most;
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const session = new Uint8Array(16).fill(3);
  const one = { start: 0, count: 1, after: -1, cells: Int32Array.of(0), outputs: 'all' as const };
  const two = { start: 1, count: 2, after: 0, cells: Int32Array.of(1, 2), outputs: 'last' as const };
  const hidden = (rows: number) => Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i));
  const none = new Uint8Array(0);
  const sound: readonly Mangled[] = [
    encodeStep({ n: 1, replay: false, parts: [one], hidden: hidden(1) }, width, EXACT),
    encodeStep({ n: 2, replay: true, parts: [one, two], hidden: hidden(3) }, width, {
      prefill: 'i8',
      decode: 'f16',
    }),
    encodeRows({ n: 1, rows: hidden(1), ms: 2 }, width, 'f16'),
    encodeKv({
      cells: Int32Array.of(0),
      positions: Int32Array.of(0),
      after: Int32Array.of(-1),
      rows: new Uint8Array(64),
    }),
    ...[
      encodeOpening({
        model,
        from: 0,
        to: 3,
        cells: 64,
        session,
        feeder: null,
        donor: null,
        last: true,
        types: EXACT,
      }),
      encodeKvOpening({ session, type: 'f16', bytes: 64 }),
      { k: 'ready', width, cells: 64, rows: 512 },
      { k: 'types', types: ['f32', 'i8'] },
      { k: 'next', peer: 'x', session, addresses: [], replay: false, from: 1 },
      { k: 'linked', peer: 'x', ms: 1.5 },
      { k: 'feeder', peer: 'x' },
      { k: 'ping', id: 1 },
      { k: 'pong', id: 1, seen: 2, done: 2 },
      { k: 'fail', n: 1, code: 'x', message: 'y' },
      { k: 'leaving', ms: 10 },
      { k: 'move', peer: 'x', session, addresses: ['/ip4/127.0.0.1/tcp/1'] },
      { k: 'moved', cells: 4, ms: 1 },
      { k: 'unmoved', code: 'x', message: 'y' },
    ].map((metadata) => ({ metadata: metadata as CborMap, payload: none })),
  ];
  const keys = [...new Set(sound.flatMap(({ metadata }) => Object.keys(metadata)))];
  const values: readonly CborValue[] = [
    ...[null, true, false, 0, 1, -1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 40), Number.NaN, 10n ** 18n],
    ...['', 'x', 'step', 'f32', 'i8', '\u0000', 'é'.repeat(600), session, none, new Uint8Array(17)],
    ...[
      [],
      [[]],
      [[0, 1, -1, 2]],
      [[0, 4_000_000_000, -1, 2]],
      [[-1, 1, 0, 9]],
      ['f32', 'f32'],
      {},
      { k: 'x' },
    ],
    Array.from({ length: 300 }, () => [0, 1, -1, 2]),
  ];
  return () => {
    const { metadata, payload } = pick(sound);
    const changed: Record<string, CborValue> = { ...metadata };
    for (let i = below(4); i > 0; i--) {
      const key = pick(keys);
      if (below(4) === 0) delete changed[key];
      else changed[key] = pick(values);
    }
    if (below(8) === 0) changed.k = pick(['step', 'rows', 'kv', 'next', 'move', 'ping', 'x']);
    const bytes = payload.slice(0, below(3) === 0 ? below(payload.length + 1) : payload.length);
    for (let i = below(6); i > 0 && bytes.length > 0; i--) bytes[below(bytes.length)] = below(256);
    return { metadata: changed, payload: below(10) === 0 ? random.bytes(below(200)) : bytes };
  };
}
