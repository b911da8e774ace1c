/**
 * Values of the DHT as JSON, for people and their programs. Bytes become `0x...`, what JSON cannot say becomes text, so that
 * two values may look the same here: nothing goes back from JSON into the DHT by this way.
 *
 * @module swarm/hivemind/json
 */
import { toHex } from '../../base/index.ts';
import { Extension, Float, type MsgValue, Tuple } from './msgpack.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export function toJson(value: MsgValue): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Float) return Number.isFinite(value.value) ? value.value : String(value.value);
  if (value instanceof Uint8Array) return hexOf(value);
  if (value instanceof Tuple) return value.items.map(toJson);
  if (value instanceof Extension) return { extension: value.type, data: hexOf(value.data) };
  if (value instanceof Map) {
    const out = Object.create(null) as Record<string, Json>;
    for (const [key, item] of value as ReadonlyMap<string | Uint8Array, MsgValue>)
      out[typeof key === 'string' ? key : hexOf(key)] = toJson(item);
    return out;
  }
  return (value as readonly MsgValue[]).map(toJson);
}

/** JSON as a value that Python reads back: whole numbers are integers, others floats. */
export function fromJson(value: Json): MsgValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : new Float(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(fromJson);
  return new Map(Object.entries(value as Record<string, Json>).map(([key, item]) => [key, fromJson(item)]));
}

function hexOf(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}
