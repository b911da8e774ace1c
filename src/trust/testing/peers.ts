/** Peers with real keys and verified facts about them, for tests. @module trust/testing/peers */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CredentialFacts,
  type CredentialType,
  createIdentity,
  type Identity,
} from '../../identity/index.ts';

/** The same identity for the same name. */
export function peerNamed(name: string): Identity {
  return createIdentity(createHash('sha256').update(name).digest());
}

export interface FactOptions {
  readonly type: CredentialType;
  readonly issuer: Identity;
  readonly subject: Identity;
  readonly validFrom: number;
  readonly validUntil?: number | null;
  readonly claims?: Record<string, unknown>;
  readonly statusStale?: boolean;
}

/** As the identity room gives them after verification. */
export function facts(options: FactOptions): CredentialFacts {
  const { type, issuer, subject, validFrom, validUntil = null, claims = {}, statusStale = false } = options;
  const name = JSON.stringify([type, issuer.did, subject.did, validFrom, claims]);
  return {
    digest: createHash('sha256').update(name).digest('hex'),
    type,
    issuer: issuer.did,
    subject: subject.did,
    validFrom,
    validUntil,
    claims,
    statusStale,
  };
}

export function endorsement(
  issuer: Identity,
  subject: Identity,
  validFrom: number,
  interactionCount = 20,
): CredentialFacts {
  return facts({ type: 'PeerEndorsement', issuer, subject, validFrom, claims: { interactionCount } });
}

export interface TestFolder extends Disposable {
  readonly path: string;
}

export function folder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'kith-trust-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
