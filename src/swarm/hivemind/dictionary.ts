/**
 * Dictionaries of the DHT: what many peers keep under one key, each under a subkey and with an expiration of its own.
 * Extension 0x50: `[maxsize, latest expiration, [[subkey, value, expiration]...]]`, where `value` is bytes of MessagePack.
 *
 * @module swarm/hivemind/dictionary
 */
import { HivemindFault } from './fault.ts';
import { decodeMsgpack, Extension, encodeMsgpack, Float, type MsgValue } from './msgpack.ts';

export const DICTIONARY = 0x50;
export const MAX_ENTRIES = 4096;

export interface DictionaryEntry {
  readonly subkey: MsgValue;
  readonly value: Uint8Array;
  /** Seconds since 1970. */
  readonly expiration: number;
}

export interface Dictionary {
  /** Entries its maker keeps at most; Infinity for no bound. */
  readonly maxsize: number;
  readonly entries: readonly DictionaryEntry[];
}

export function encodeDictionary({ maxsize, entries }: Dictionary): Uint8Array {
  const latest = entries.reduce((most, { expiration }) => Math.max(most, expiration), -Infinity);
  const inner = encodeMsgpack([
    Number.isFinite(maxsize) ? maxsize : new Float(Infinity),
    new Float(latest),
    entries.map(({ subkey, value, expiration }) => [subkey, value, new Float(expiration)]),
  ]);
  return encodeMsgpack(new Extension(DICTIONARY, inner));
}

/** @throws {HivemindFault} */
export function decodeDictionary(bytes: Uint8Array): Dictionary {
  const outer = decodeMsgpack(bytes);
  if (!(outer instanceof Extension) || outer.type !== DICTIONARY) throw broken();
  const inner = decodeMsgpack(outer.data);
  if (!Array.isArray(inner) || inner.length !== 3 || !Array.isArray(inner[2])) throw broken();
  const listed = inner[2] as readonly MsgValue[];
  if (listed.length > MAX_ENTRIES) throw new HivemindFault(`A dictionary has over ${MAX_ENTRIES} entries.`);
  const entries = listed.map((entry): DictionaryEntry => {
    if (!Array.isArray(entry) || entry.length !== 3) throw broken();
    const [subkey, value, expiration] = entry as unknown as readonly [MsgValue, MsgValue, MsgValue];
    const seconds = secondsOf(expiration);
    if (!(value instanceof Uint8Array) || seconds === null) throw broken();
    return { subkey, value, expiration: seconds };
  });
  const maxsize = secondsOf(inner[0] as MsgValue);
  if (maxsize === null) throw broken();
  return { maxsize, entries };
}

function secondsOf(value: MsgValue): number | null {
  const number = value instanceof Float ? value.value : value;
  return typeof number === 'number' && !Number.isNaN(number) ? number : null;
}

function broken(): HivemindFault {
  return new HivemindFault('A dictionary is broken.');
}
