/**
 * `trust/policy.yaml` as text: what it says, with the line of everything wrong.
 *
 * | Key | Value | Default |
 * |---|---|---|
 * | `profile` | `default` or `reference` | `default` |
 * | `strict` | `true`, `false` | `false` |
 * | `statusGraceDays` | 0 to 30: how long a credential counts half whose status cannot be learned | 7 |
 * | `issuers` | list of `issuerDid`, `types`, and if wanted `notBefore`, `notAfter` | none |
 * | `roots` | list of a DID, or of `did` and `group` (1, 2, 3) | none |
 *
 * @module trust/policy/policy-text
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { InputError, messageOf } from '../../base/index.ts';
import {
  CREDENTIAL_TYPES,
  type CredentialType,
  didOf,
  peerIdOf,
  publicKeyOfDid,
} from '../../identity/index.ts';
import { STATUS_GRACE_DAYS } from '../score/credentials.ts';
import { PROFILES, type Profile } from '../types.ts';

export const POLICY_MAX_BYTES = 65_536;
const MAX_ENTRIES = 256;
const MAX_GRACE_DAYS = 30;
export const ROOT_GROUPS = 3;

/** Types that count by the standing of who signs them: no policy has to name their issuers. */
export const OPEN_TYPES: readonly CredentialType[] = ['PeerEndorsement', 'Throughput'];
export const ISSUED_TYPES: readonly CredentialType[] = CREDENTIAL_TYPES.filter(
  (type) => !OPEN_TYPES.includes(type),
);

export interface PolicyIssuer {
  /** `did:key:z6Mk…` */
  readonly issuerDid: string;
  readonly types: readonly CredentialType[];
  /** ms since 1970; null: always. */
  readonly notBefore: number | null;
  readonly notAfter: number | null;
}

export interface PolicyRoot {
  readonly did: string;
  readonly peerId: string;
  /** 1 to 3 for the strict policy. */
  readonly group: number;
}

export interface PolicyContents {
  readonly profile: Profile;
  readonly strict: boolean;
  readonly statusGraceDays: number;
  readonly issuers: readonly PolicyIssuer[];
  readonly roots: readonly PolicyRoot[];
}

/** Throws InputError `trust_policy_invalid` with a line for each thing wrong. `path` is for messages. */
export function readPolicyText(text: string, path: string): PolicyContents {
  const reading = new Reading(path);
  const contents = reading.read(text);
  if (reading.problems.length > 0) throw invalidPolicy(reading.problems);
  return contents;
}

export function invalidPolicy(problems: readonly string[]): InputError {
  const shown = problems.slice(0, 10).join('\n');
  const more = problems.length > 10 ? `\nand ${problems.length - 10} more` : '';
  return new InputError('trust_policy_invalid', `The trust policy cannot be used.\n${shown}${more}`);
}

class Reading {
  readonly problems: string[] = [];
  readonly #path: string;
  readonly #lines = new LineCounter();

  constructor(path: string) {
    this.#path = path;
  }

  read(text: string): PolicyContents {
    const empty: PolicyContents = {
      profile: 'default',
      strict: false,
      statusGraceDays: STATUS_GRACE_DAYS,
      issuers: [],
      roots: [],
    };
    let document: ReturnType<typeof parseDocument>;
    try {
      document = parseDocument(text, {
        uniqueKeys: true,
        version: '1.2',
        schema: 'core',
        lineCounter: this.#lines,
      });
    } catch (error) {
      // The parser recurses: deep nesting ends in a RangeError.
      this.problems.push(`${this.#path}: it cannot be parsed: ${messageOf(error)}`);
      return empty;
    }
    for (const error of document.errors)
      this.problems.push(
        `${this.#path}:${error.linePos?.[0].line ?? 1}: YAML: ${error.message.split('\n')[0]}`,
      );
    const { contents } = document;
    if (this.problems.length > 0 || contents === null || isNothing(contents)) return empty;
    const map = this.#map(contents, ['profile', 'strict', 'statusGraceDays', 'issuers', 'roots']);
    if (map === null) return empty;
    const read = {
      profile: this.#value(map, 'profile', oneOf(PROFILES)) ?? empty.profile,
      strict: this.#value(map, 'strict', yesOrNo) ?? empty.strict,
      statusGraceDays: this.#value(map, 'statusGraceDays', whole(0, MAX_GRACE_DAYS)) ?? empty.statusGraceDays,
      issuers: this.#list(map, 'issuers', (node) => this.#issuer(node)),
      roots: this.#list(map, 'roots', (node, i) => this.#root(node, i)),
    };
    this.#unique(
      read.roots.map(({ did }) => did),
      map,
      'roots',
    );
    this.#unique(
      read.issuers.map(({ issuerDid }) => issuerDid),
      map,
      'issuers',
    );
    const groups = new Set(read.roots.map(({ group }) => group));
    if (read.strict && groups.size < ROOT_GROUPS) {
      this.#report(
        map.get('strict', true) as Node,
        `strict needs roots in each of the groups 1 to ${ROOT_GROUPS}; there are some in ${groups.size}.`,
      );
    }
    return read;
  }

  #issuer(node: Node): PolicyIssuer | null {
    const map = this.#map(node, ['issuerDid', 'types', 'notBefore', 'notAfter']);
    if (map === null) return null;
    const issuerDid = this.#required(map, 'issuerDid', ownDid);
    const types = this.#list(map, 'types', (each) =>
      this.#parse(each, 'types', oneOf(ISSUED_TYPES, OPEN_HINT)),
    );
    if (types.length === 0 && issuerDid !== null) this.#report(map, 'types must name at least one type.');
    const notBefore = this.#value(map, 'notBefore', time) ?? null;
    const notAfter = this.#value(map, 'notAfter', time) ?? null;
    if (notBefore !== null && notAfter !== null && notAfter <= notBefore)
      this.#report(map, 'notAfter must be later than notBefore.');
    return issuerDid === null ? null : { issuerDid, types: [...new Set(types)], notBefore, notAfter };
  }

  #root(node: Node, index: number): PolicyRoot | null {
    const dealt = (index % ROOT_GROUPS) + 1;
    if (isScalar(node)) {
      const did = this.#parse(node, 'roots', ownDid);
      return did === null ? null : { did, peerId: peerIdOf(publicKeyOfDid(did)), group: dealt };
    }
    const map = this.#map(node, ['did', 'group']);
    if (map === null) return null;
    const did = this.#required(map, 'did', ownDid);
    const group = this.#value(map, 'group', whole(1, ROOT_GROUPS)) ?? dealt;
    return did === null ? null : { did, peerId: peerIdOf(publicKeyOfDid(did)), group };
  }

  #map(node: Node, keys: readonly string[]): YAMLMap | null {
    if (!isMap(node) || hasTag(node)) {
      this.#report(node, `keys and values are expected here: ${keys.join(', ')}.`);
      return null;
    }
    for (const { key } of node.items) {
      const name = isScalar(key) ? key.value : null;
      if (typeof name !== 'string' || !keys.includes(name))
        this.#report(key as Node, `there is no key ${shown(name)}; there are ${keys.join(', ')}.`);
    }
    return node as YAMLMap;
  }

  #list<T>(map: YAMLMap, key: string, read: (node: Node, index: number) => T | null): T[] {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined || isNothing(node)) return [];
    if (!isSeq(node) || hasTag(node)) {
      this.#report(node, `${key} must be a list.`);
      return [];
    }
    if (node.items.length > MAX_ENTRIES) {
      this.#report(node, `${key} has ${node.items.length} entries; ${MAX_ENTRIES} are allowed.`);
      return [];
    }
    return (node.items as Node[]).flatMap((item, i) => read(item, i) ?? []);
  }

  #required<T>(map: YAMLMap, key: string, read: Read<T>): T | null {
    if (map.get(key, true) === undefined) {
      this.#report(map, `${key} is missing.`);
      return null;
    }
    return this.#value(map, key, read);
  }

  #value<T>(map: YAMLMap, key: string, read: Read<T>): T | null {
    const node = map.get(key, true) as Node | undefined;
    return node === undefined ? null : this.#parse(node, key, read);
  }

  #parse<T>(node: Node, key: string, read: Read<T>): T | null {
    if (!isScalar(node) || hasTag(node) || isAlias(node)) {
      this.#report(node, `${key}: a single value is expected here.`);
      return null;
    }
    if (node.value === null && read === time) return null;
    const found = read(node.value);
    if ('wrong' in found) {
      this.#report(node, `${key}: ${found.wrong}, not ${shown(node.value)}.`);
      return null;
    }
    return found.value;
  }

  #unique(names: readonly string[], map: YAMLMap, key: string): void {
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) this.#report(map.get(key, true) as Node, `${twice} stands in ${key} twice.`);
  }

  #report(node: Node, message: string): void {
    this.problems.push(`${this.#path}:${this.#lines.linePos(node?.range?.[0] ?? 0).line}: ${message}`);
  }
}

type Read<T> = (value: unknown) => { readonly value: T } | { readonly wrong: string };

function oneOf<T extends string>(allowed: readonly T[], hint = ''): Read<T> {
  return (value) =>
    allowed.includes(value as T)
      ? { value: value as T }
      : { wrong: `it must be one of ${allowed.join(', ')}${hint}` };
}
const OPEN_HINT = ` (${OPEN_TYPES.join(' and ')} count by the standing of who signs them)`;

const yesOrNo: Read<boolean> = (value) =>
  typeof value === 'boolean' ? { value } : { wrong: 'it must be true or false' };

function whole(min: number, max: number): Read<number> {
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? { value: value as number }
      : { wrong: `it must be a whole number from ${min} to ${max}` };
}

/** Dates and times with a zone; a date alone is its midnight UTC. */
export const time: Read<number> = (value) => {
  const text = String(value);
  const ms = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(ms)
    ? { wrong: 'it must be a date such as 2026-11-21 or 2026-11-21T10:00:00Z' }
    : { value: ms };
};

/** One text per key, so that a policy cannot name an issuer in a form that no credential has. */
const ownDid: Read<string> = (value) => {
  try {
    return { value: didOf(publicKeyOfDid(String(value))) };
  } catch {
    return { wrong: 'it must be the did:key of an Ed25519 key' };
  }
};

const hasTag = (node: Node): boolean => typeof node.tag === 'string';
const isNothing = (node: Node): boolean => isScalar(node) && node.value === null;
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'that';
