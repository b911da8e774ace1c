/**
 * What an owner and a shard say to each other beside hidden states. Each is one CBOR map, without a payload.
 *
 * | k        | from  | further fields |
 * |----------|-------|----------------|
 * | `ready`  | shard | `width` (values of a row), `cells`, `rows` (most of a step) |
 * | `types`  | owner | `types`: how rows are sent on from now on |
 * | `next`   | owner | `peer`, `session`, `addresses`, `replay` (whether the rows so far are sent, too), `from` (first step whose rows are waited for) |
 * | `linked` | shard | `peer`, `ms` that the way to it takes, there and back |
 * | `feeder` | owner | `peer`: who may send steps from now on |
 * | `ping`   | owner | `id` |
 * | `pong`   | shard | `id`, `seen`, `done` (last step that came, that was computed) |
 * | `fail`   | shard | `n` (0: not of one step), `code`, `message` |
 * | `leaving`| shard | `ms` until it ends the session |
 * | `move`   | owner | `peer`, `session`, `addresses`: where the KV rows of this session go |
 * | `moved`  | shard | `cells` that the other has taken, `ms` |
 * | `unmoved`| shard | `code`, `message`: why the other has not taken them |
 *
 * @module shards/wire/control
 */
import { type CborMap, Fields } from '../../base/index.ts';
import { decodeTypes, kindOf, type LinkTypes, MAX_STEP, malformed, SHARD_BOUNDS } from './messages.ts';

/** A session at another shard. */
export interface Whereabouts {
  readonly peer: string;
  readonly session: Uint8Array;
  /** Multiaddrs. */
  readonly addresses: readonly string[];
}

export type Control =
  | { readonly k: 'ready'; readonly width: number; readonly cells: number; readonly rows: number }
  | { readonly k: 'types'; readonly types: LinkTypes }
  | ({ readonly k: 'next'; readonly replay: boolean; readonly from: number } & Whereabouts)
  | { readonly k: 'linked'; readonly peer: string; readonly ms: number }
  | { readonly k: 'feeder'; readonly peer: string }
  | { readonly k: 'ping'; readonly id: number }
  | { readonly k: 'pong'; readonly id: number; readonly seen: number; readonly done: number }
  | { readonly k: 'fail'; readonly n: number; readonly code: string; readonly message: string }
  | { readonly k: 'leaving'; readonly ms: number }
  | ({ readonly k: 'move' } & Whereabouts)
  | { readonly k: 'moved'; readonly cells: number; readonly ms: number }
  | { readonly k: 'unmoved'; readonly code: string; readonly message: string };

const MAX_MS = 1e9;

const whereabouts = (fields: Fields): Whereabouts => ({
  peer: fields.text('peer', 128, 1),
  session: fields.bytes('session', SHARD_BOUNDS.sessionBytes),
  addresses: fields.list('addresses', 16).map((address) => {
    if (typeof address !== 'string' || address.length > 512) throw malformed('an address is no text');
    return address;
  }),
});

const msOf = (fields: Fields): number => fields.amountOrNull('ms', MAX_MS) ?? 0;

const READERS: { readonly [K in Control['k']]: (fields: Fields) => Omit<Extract<Control, { k: K }>, 'k'> } = {
  ready: (fields) => ({
    width: fields.count('width', SHARD_BOUNDS.width),
    cells: fields.count('cells', SHARD_BOUNDS.cells),
    rows: fields.count('rows', MAX_STEP),
  }),
  types: (fields) => ({ types: decodeTypes(fields) }),
  next: (fields) => ({
    ...whereabouts(fields),
    replay: fields.flag('replay'),
    from: fields.count('from', MAX_STEP),
  }),
  linked: (fields) => ({ peer: fields.text('peer', 128, 1), ms: msOf(fields) }),
  feeder: (fields) => ({ peer: fields.text('peer', 128, 1) }),
  ping: (fields) => ({ id: fields.count('id', MAX_STEP) }),
  pong: (fields) => ({
    id: fields.count('id', MAX_STEP),
    seen: fields.count('seen', MAX_STEP),
    done: fields.count('done', MAX_STEP),
  }),
  fail: (fields) => ({
    n: fields.count('n', MAX_STEP),
    code: fields.text('code', 64, 1),
    message: fields.text('message', 1000),
  }),
  leaving: (fields) => ({ ms: msOf(fields) }),
  move: whereabouts,
  moved: (fields) => ({ cells: fields.count('cells', SHARD_BOUNDS.cells), ms: msOf(fields) }),
  unmoved: (fields) => ({ code: fields.text('code', 64, 1), message: fields.text('message', 1000) }),
};

/** @throws InputError `shard_malformed` */
export function decodeControl(metadata: CborMap): Control {
  const k = kindOf(metadata);
  const shown = JSON.stringify(k.slice(0, 20));
  if (!Object.hasOwn(READERS, k)) throw malformed(`there is no message ${shown}`);
  const fields = new Fields(metadata, `the message ${shown}`, malformed);
  fields.text('k', 16);
  const control = { k, ...READERS[k as Control['k']](fields) } as Control;
  fields.end();
  return control;
}
