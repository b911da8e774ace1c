/**
 * Changes of `trust/policy.yaml` from the command line: comments and order stay.
 *
 * @module trust/policy/policy-edit
 */
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Document, isMap, isScalar, isSeq, parseDocument, YAMLMap, YAMLSeq } from 'yaml';
import { InputError, isErrno, withLock, writeFileAtomic } from '../../base/index.ts';
import { type CredentialType, didOf, publicKeyOf } from '../../identity/index.ts';
import { policyPath, policyText } from './policy.ts';
import { type PolicyContents, readPolicyText } from './policy-text.ts';

export interface IssuerChange {
  /** A DID or PeerId. */
  readonly issuer: string;
  readonly types: readonly CredentialType[];
  /** As in the file: `2026-11-21`, or a time with a zone. */
  readonly notBefore?: string;
  readonly notAfter?: string;
}

const HEADER = ` Who may vouch for what. See docs/trust.md; kith policy issuer list shows what is in force.`;

/** Adds an issuer, or types and dates to one. Throws InputError `trust_policy_invalid`, `identity_name_invalid`. */
export function addIssuer(home: string, change: IssuerChange): Promise<PolicyContents> {
  const did = didOf(publicKeyOf(change.issuer));
  return edit(home, (document) => {
    const list = listOf(document);
    const entry = entryOf(list, did) ?? newEntry(document, list, did);
    const kept = entry.get('types', true);
    const types: YAMLSeq = isSeq(kept) ? kept : new YAMLSeq();
    if (!isSeq(kept)) {
      types.flow = true;
      entry.set('types', types);
    }
    const known = types.items.map((item) => (isScalar(item) ? item.value : item));
    for (const type of change.types) if (!known.includes(type)) types.add(document.createNode(type));
    for (const key of ['notBefore', 'notAfter'] as const)
      if (change[key] !== undefined) entry.set(key, change[key]);
  });
}

/**
 * Removes an issuer, or some of its types. Throws InputError `issuer_not_found`, `trust_policy_invalid`,
 * `identity_name_invalid`.
 */
export function removeIssuer(
  home: string,
  issuer: string,
  types: readonly string[] = [],
): Promise<PolicyContents> {
  const did = didOf(publicKeyOf(issuer));
  return edit(home, (document) => {
    const list = listOf(document);
    const entry = entryOf(list, did);
    const kept = entry?.get('types', true);
    const missing = isSeq(kept)
      ? types.find((type) => !kept.items.some((item) => textOf(item) === type))
      : null;
    if (entry === undefined || !isSeq(kept) || missing !== undefined) {
      const what = missing ? ` for ${missing}` : '';
      throw new InputError(
        'issuer_not_found',
        `The policy does not name ${did}${what}. See: kith policy issuer list`,
      );
    }
    kept.items = types.length === 0 ? [] : kept.items.filter((item) => !types.includes(textOf(item)));
    if (kept.items.length === 0) list.items = list.items.filter((item) => item !== entry);
    if (list.items.length === 0) document.delete('issuers');
  });
}

async function edit(home: string, change: (document: Document) => void): Promise<PolicyContents> {
  const path = policyPath(home);
  const purpose = 'kith policy issuer';
  return await withLock(join(home, 'run', 'trust-policy.lock'), { purpose, waitMs: 5000 }, async () => {
    const before = policyText(path) ?? '';
    // A file that cannot be used is never edited: what it meant is not known.
    readPolicyText(before, path);
    const document: Document = parseDocument(before, { version: '1.2', schema: 'core' });
    if (before === '') document.commentBefore = HEADER;
    if (!isMap(document.contents)) document.contents = new YAMLMap();
    change(document);
    const isEmpty = (document.contents as YAMLMap).items.length === 0;
    const after = isEmpty ? commentsOf(document) : document.toString({ lineWidth: 0 });
    // And the result is read back as the node will.
    const contents = readPolicyText(after, path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const target = await realpath(path).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return path;
      throw error;
    });
    await writeFileAtomic(target, after);
    return contents;
  });
}

function commentsOf(document: Document): string {
  document.contents = null;
  return document.toString().replace(/(^|\n)null\n?$/, '$1');
}

function listOf(document: Document): YAMLSeq {
  const list = document.get('issuers', true);
  if (isSeq(list)) return list as YAMLSeq;
  const made = new YAMLSeq();
  document.set('issuers', made);
  return made;
}

/** The DID in the file may have another form of the same key. */
function entryOf(list: YAMLSeq, did: string): YAMLMap | undefined {
  return list.items.find((item): item is YAMLMap => {
    if (!isMap(item)) return false;
    return didOf(publicKeyOf(String(item.get('issuerDid')))) === did;
  });
}

function newEntry(document: Document, list: YAMLSeq, did: string): YAMLMap {
  const entry = document.createNode({ issuerDid: did }) as YAMLMap;
  list.flow = false;
  list.add(entry);
  return entry;
}

const textOf = (item: unknown): string => String(isScalar(item) ? item.value : item);
