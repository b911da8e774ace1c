/**
 * The issuer policy in force: read from `<home>/trust/policy.yaml`, and again when the file changes.
 *
 * Without the file nobody may vouch for anything, and no ranks start anywhere: trust then grows from what this node sees.
 *
 * @module trust/policy/policy
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalBytes, isErrno, messageOf } from '../../base/index.ts';
import type { CredentialType, IssuerPolicy } from '../../identity/index.ts';
import {
  invalidPolicy,
  OPEN_TYPES,
  POLICY_MAX_BYTES,
  type PolicyContents,
  readPolicyText,
} from './policy-text.ts';

export interface TrustPolicy extends IssuerPolicy, PolicyContents {
  readonly path: string;
  /** What is wrong with the file that stands there now, while the one before it is in force; null when it is in force. */
  readonly problem: string | null;
  /** Reads the file again if it changed. Returns whether what it says changed. */
  refresh(): boolean;
}

export const policyPath = (home: string): string => join(home, 'trust', 'policy.yaml');

/** Throws InputError `trust_policy_invalid`. */
export function openPolicy(home: string): TrustPolicy {
  const path = policyPath(home);
  let mark = markOf(path);
  let contents = readPolicy(path);
  let epoch = epochOf(contents);
  let problem: string | null = null;
  return {
    path,
    get problem() {
      return problem;
    },
    get epoch() {
      return epoch;
    },
    get profile() {
      return contents.profile;
    },
    get strict() {
      return contents.strict;
    },
    get statusGraceDays() {
      return contents.statusGraceDays;
    },
    get issuers() {
      return contents.issuers;
    },
    get roots() {
      return contents.roots;
    },
    accepts: (issuer, type, at) => isAccepted(contents, issuer, type, at),
    refresh() {
      const now = markOf(path);
      if (now === mark) return false;
      mark = now;
      try {
        contents = readPolicy(path);
        problem = null;
      } catch (error) {
        problem = messageOf(error);
        return false;
      }
      const before = epoch;
      epoch = epochOf(contents);
      return epoch !== before;
    },
  };
}

function isAccepted({ issuers }: PolicyContents, issuer: string, type: CredentialType, at: number): boolean {
  if (OPEN_TYPES.includes(type)) return true;
  return issuers.some(
    (entry) =>
      entry.issuerDid === issuer &&
      entry.types.includes(type) &&
      (entry.notBefore === null || at >= entry.notBefore) &&
      (entry.notAfter === null || at < entry.notAfter),
  );
}

/** What the file says; the defaults when there is none. Throws InputError `trust_policy_invalid`. */
export function readPolicy(path: string): PolicyContents {
  return readPolicyText(policyText(path) ?? '', path);
}

/** Null when there is no file. */
export function policyText(path: string): string | null {
  try {
    const { size } = statSync(path);
    if (size > POLICY_MAX_BYTES)
      throw invalidPolicy([`${path}: it has ${size} bytes; ${POLICY_MAX_BYTES} are allowed.`]);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
    if (isErrno(error, 'ERR_ENCODING_INVALID_ENCODED_DATA'))
      throw invalidPolicy([`${path}: it is not UTF-8.`]);
    if (error instanceof Error && 'syscall' in error)
      throw invalidPolicy([`${path}: it cannot be read: ${messageOf(error)}`]);
    throw error;
  }
}

/** Changes with the file: it is replaced as a whole, so its inode does. */
function markOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}

/**
 * A number that what the policy says decides, the same in every process and after a restart: the first 48 bits of the
 * SHA-256 of its canonical form. Comments and order of keys do not change it.
 */
function epochOf(contents: PolicyContents): number {
  const hash = createHash('sha256').update(canonicalBytes(contents)).digest();
  return hash.readUIntBE(0, 6);
}
