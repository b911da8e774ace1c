/**
 * The wallet, the policy and the key of a home, as commands about credentials use them, whether its node runs or not.
 *
 * @module cli/wallet
 */
import { readFileBounded, systemClock, systemRandom, writeFileAtomic } from '../base/index.ts';
import {
  CREDENTIAL_TYPES,
  type CredentialType,
  type CredentialVerifier,
  createCredentialVerifier,
  didOf,
  fetchStatusList,
  type IssuerPolicy,
  kindOf,
  learnStatus,
  openWallet,
  publicKeyOf,
  readCredential,
  STATUS_CREDENTIAL_MAX_BYTES,
  type VerdictCode,
  type Wallet,
} from '../identity/index.ts';
import { openPolicy } from '../trust/index.ts';
import { UsageError } from './failure.ts';
import { print, say } from './output.ts';
import { settingsOf } from './settings.ts';
import { readStdin } from './stdin.ts';

const DAY_MS = 86_400_000;

type Options = Readonly<Record<string, unknown>>;

export interface WalletRooms extends Disposable {
  readonly home: string;
  readonly wallet: Wallet;
  readonly verifier: CredentialVerifier;
}

/** `--any-issuer` asks whether something is genuine, not whether its issuer counts here. */
export function openRooms(options: Options): WalletRooms {
  const { home } = settingsOf(options).config;
  const policy = openPolicy(home);
  const wallet = openWallet(home, {
    clock: systemClock,
    random: systemRandom,
    statusGraceMs: policy.statusGraceDays * DAY_MS,
  });
  const asked: IssuerPolicy = options.anyIssuer === true ? { epoch: 0, accepts: () => true } : policy;
  const verifier = createCredentialVerifier({ clock: systemClock, policy: asked, status: wallet.lists });
  return { home, wallet, verifier, [Symbol.dispose]: () => wallet[Symbol.dispose]() };
}

/** Exit codes of verdicts: 0 ok, 2 invalid, 3 untrusted, 4 revoked, 5 expired, 6 status unknown. */
export const verdictExit: Readonly<Record<VerdictCode, number>> = {
  ok: 0,
  malformed: 2,
  bad_proof: 2,
  issuer_mismatch: 2,
  wrong_subject: 2,
  not_yet_valid: 2,
  untrusted_issuer: 3,
  revoked: 4,
  expired: 5,
  status_unknown: 6,
};

/**
 * Brings what is known of a credential's revocation up to date: from `--status-list FILE`, and from its URL unless
 * `--offline`. What cannot be learned is said, and the verdict tells what it means.
 */
export async function learn({ wallet }: WalletRooms, bytes: Uint8Array, options: Options): Promise<void> {
  if (options.offline === true) return;
  const read = readCredential(bytes);
  if ('verdict' in read) return;
  const fault = await learnStatus(read.fields, wallet.lists, fetchStatusList);
  if (fault !== null) say(fault);
}

/** Takes in the list of `--status-list FILE`. */
export async function takeStatusFile({ wallet }: WalletRooms, options: Options): Promise<void> {
  if (options.statusList === undefined) return;
  const path = String(options.statusList);
  const fault = wallet.lists.take(await readBytes(path, STATUS_CREDENTIAL_MAX_BYTES));
  if (fault !== null) say(`The status list ${path} is not used. ${fault}`);
}

/** A file's bytes, or stdin for `-`. A line break at the end, which editors add, is no part of a signed document. */
export async function readBytes(path: string, maxBytes: number): Promise<Uint8Array> {
  const bytes =
    path === '-' ? new TextEncoder().encode(await readStdin()) : await readFileBounded(path, maxBytes + 2);
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end--;
  if (end < bytes.length && bytes[end - 1] === 0x0d) end--;
  return bytes.subarray(0, end);
}

/** Writes wire bytes to `--out FILE`, or to stdout. */
export async function give(bytes: Uint8Array, options: Options): Promise<void> {
  if (options.out === undefined) print(new TextDecoder().decode(bytes));
  else await writeFileAtomic(String(options.out), bytes, { mode: 0o644 });
}

/** A credential for `--json`: a document as an object, a token as a string. */
export function wireJson(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  return text.startsWith('{') ? JSON.parse(text) : text;
}

/** The `did:key` of a DID or a PeerId. Throws InputError `identity_name_invalid`. */
export function didOfName(name: string): string {
  return didOf(publicKeyOf(name));
}

/** A type by its name here or on the wire, in any case: `Uptime`, `uptime`, `UptimeVC`. */
export function typeOf(word: string): CredentialType {
  const wanted = word.toLowerCase().replace(/vc$/, '');
  const type = CREDENTIAL_TYPES.find((each) => each.toLowerCase() === wanted);
  if (type !== undefined) return type;
  throw new UsageError(
    `There is no type of credential '${word.slice(0, 80)}'; choose from ${CREDENTIAL_TYPES.join(', ')}.`,
  );
}

/**
 * Claims from `--claim key=value`: digits are a number where the type wants one, and text elsewhere.
 * What the type does not allow is refused where it is issued.
 */
export function claimsOf(type: CredentialType, options: Options): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  const texts = new Map<string, string>();
  for (const pair of (options.claim as readonly string[] | undefined) ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`'${pair.slice(0, 80)}' is no claim; write --claim name=value.`);
    const [key, text] = [pair.slice(0, at), pair.slice(at + 1)];
    if (texts.has(key)) throw new UsageError(`The claim ${key.slice(0, 80)} is given twice.`);
    texts.set(key, text);
    claims[key] = /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  }
  for (const issue of kindOf(type).claims.safeParse(claims).error?.issues ?? []) {
    const key = String(issue.path[0]);
    if (issue.code === 'invalid_type' && issue.expected === 'string') claims[key] = texts.get(key);
  }
  return claims;
}
