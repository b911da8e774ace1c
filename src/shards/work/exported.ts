/**
 * Receipts of work in a file, to be shown to others and checked by anybody: JSON, `{"receipts": [...]}`, each with `receipt`,
 * `shardSignature` and `ownerSignature` (or null) in base64. Other fields are for people and are not looked at.
 *
 * @module shards/work/exported
 */
import { InputError, LimitError, toHex } from '../../base/index.ts';
import { contradict, isSignedBy, nameOf, RECEIPT_BOUNDS, readWork, type WorkFacts } from './receipt.ts';

export const EXPORT_BOUNDS = { bytes: 64 << 20, receipts: 50_000 } as const;

export interface ExportedWork {
  /** Base64 each. */
  readonly receipt: string;
  readonly shardSignature: string;
  readonly ownerSignature: string | null;
}

export interface CheckedWork {
  /** SHA-256 of the receipt, in hexadecimal; of what is none, of its bytes. */
  readonly name: string;
  /** Null for what is no receipt. */
  readonly facts: WorkFacts | null;
  /** `signed` by both, `half` by the shard alone, or `bad`. */
  readonly state: 'signed' | 'half' | 'bad';
  /** What is wrong with it, the end of a sentence; null for nothing. */
  readonly fault: string | null;
}

export interface CheckedExport {
  readonly receipts: readonly CheckedWork[];
  /** Names of receipts of which one shard signed both, and that cannot both be. */
  readonly contradictions: readonly (readonly [string, string])[];
  /** Receipts that others name as the one before them, and that are not in the file: the first of each two nodes aside. */
  readonly missing: number;
  /** How often one came more than once: it counts once. */
  readonly doubled: number;
}

const malformed = (what: string) =>
  new InputError('work_export_malformed', `This is no file with receipts of work: ${what}.`);

/** @throws InputError `work_export_malformed`, LimitError */
export function readExport(text: string): readonly ExportedWork[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
  const list = (value as { receipts?: unknown } | null)?.receipts;
  if (!Array.isArray(list)) throw malformed("it has no list 'receipts'");
  if (list.length > EXPORT_BOUNDS.receipts)
    throw new LimitError(
      'shards.export.receipts',
      EXPORT_BOUNDS.receipts,
      `The file has ${list.length} receipts; at most ${EXPORT_BOUNDS.receipts} are checked at once.`,
    );
  return list.map((item: unknown, index) => {
    const { receipt, shardSignature, ownerSignature = null } = (item ?? {}) as Partial<ExportedWork>;
    if (typeof receipt !== 'string' || typeof shardSignature !== 'string')
      throw malformed(`entry ${index + 1} has no 'receipt' or no 'shardSignature'`);
    if (ownerSignature !== null && typeof ownerSignature !== 'string')
      throw malformed(`'ownerSignature' of entry ${index + 1} is neither text nor null`);
    return { receipt, shardSignature, ownerSignature };
  });
}

function checked(item: ExportedWork): CheckedWork {
  // Base64 of the longest receipt: what is longer is not looked at.
  const bytes = Buffer.from(item.receipt.slice(0, RECEIPT_BOUNDS.bytes * 2), 'base64');
  const name = toHex(nameOf(bytes));
  const bad = (facts: WorkFacts | null, fault: string): CheckedWork => ({ name, facts, state: 'bad', fault });
  let facts: WorkFacts;
  try {
    facts = readWork(bytes);
  } catch {
    return bad(null, 'it is no receipt of work');
  }
  const isBy = (peer: string, signature: string) => isSignedBy(peer, bytes, Buffer.from(signature, 'base64'));
  if (!isBy(facts.shard, item.shardSignature)) return bad(facts, 'the signature is not that of the shard');
  if (item.ownerSignature === null) return { name, facts, state: 'half', fault: null };
  if (!isBy(facts.owner, item.ownerSignature)) return bad(facts, 'the signature is not that of the owner');
  return { name, facts, state: 'signed', fault: null };
}

/** Needs nothing but the file: who signs stands in the receipts. */
export function checkExport(items: readonly ExportedWork[]): CheckedExport {
  const receipts: CheckedWork[] = [];
  const byName = new Map<string, CheckedWork>();
  /** The first receipt of each place that only one can have. */
  const places = new Map<string, CheckedWork & { readonly facts: WorkFacts }>();
  const contradictions: [string, string][] = [];
  let doubled = 0;
  for (const item of items) {
    const one = checked(item);
    const { facts, name } = one;
    if (facts === null || one.state === 'bad') {
      receipts.push(one);
      continue;
    }
    if (byName.has(name)) {
      doubled++;
      continue;
    }
    receipts.push(one);
    byName.set(name, one);
    const between = `${facts.shard} ${facts.owner}`;
    const others = new Set<string>();
    for (const place of [
      `${between} ${toHex(facts.session)} ${facts.part}`,
      `${between} ${toHex(facts.book)} #${facts.sequence}`,
    ]) {
      const other = places.get(place);
      if (other === undefined) places.set(place, { ...one, facts });
      else if (contradict(other.facts, facts)) others.add(other.name);
    }
    for (const other of others) contradictions.push([other, name]);
  }
  return { receipts, contradictions, missing: missingIn([...byName.values()], byName), doubled };
}

function missingIn(sound: readonly CheckedWork[], byName: ReadonlyMap<string, CheckedWork>): number {
  const first = new Map<string, number>();
  for (const { facts } of sound) {
    const between = `${facts!.shard} ${facts!.owner}`;
    first.set(between, Math.min(first.get(between) ?? Number.POSITIVE_INFINITY, facts!.sequence));
  }
  const missing = new Set<string>();
  for (const { facts } of sound) {
    const { previous, shard, owner, sequence } = facts!;
    if (previous === null || sequence === first.get(`${shard} ${owner}`)) continue;
    if (!byName.has(toHex(previous))) missing.add(toHex(previous));
  }
  return missing.size;
}
