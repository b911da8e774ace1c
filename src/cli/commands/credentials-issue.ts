/** `kith identity issue|request|revoke|publish-status`: the work of an issuer, and asking one. @module cli/commands/credentials-issue */
import { systemClock, systemRandom, writeFileAtomic } from '../../base/index.ts';
import {
  CREDENTIAL_MAX_BYTES,
  type CredentialFormat,
  type CredentialRequest,
  type CredentialType,
  FOR_CAUSE,
  type Identity,
  interactionStep,
  publishStatusLists,
  readRequest,
  requestCredential,
  type WrittenList,
} from '../../identity/index.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../failure.ts';
import { plain, print, printJson, say } from '../output.ts';
import { ownIdentity } from '../own-identity.ts';
import type { Handler, Invocation } from '../program.ts';
import { claimsOf, didOfName, give, openRooms, readBytes, typeOf, wireJson } from '../wallet.ts';

/** Types that others weigh by who issued them. */
const VOUCHED_FOR: readonly CredentialType[] = ['FiduciaryPledge', 'VerifiedNode', 'Uptime', 'EventAttendee'];

export const issue: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const identity = await ownIdentity(options);
  const asked = await requestOf(options, identity);
  const what = whatToIssue({ args, options }, asked?.request ?? null);
  const validFrom = Math.floor(systemClock.now() / 1000) * 1000;
  const made = rooms.wallet.issued.issue(identity, {
    ...what,
    validFrom,
    format: options.format as CredentialFormat,
    ...(options.validFor === undefined ? {} : { validUntil: validFrom + duration(options.validFor) }),
    ...(options.statusUrl === undefined ? {} : { statusList: String(options.statusUrl) }),
    ...(asked === null ? {} : { request: asked.request.digest }),
  });
  if (asked !== null) {
    rooms.wallet.requests.add('in', asked.bytes, asked.request);
    rooms.wallet.requests.answer(asked.request.digest, made.digest);
  }
  const lists = await publishStatusLists(rooms.home, rooms.wallet, identity);
  const { type, subject, validUntil, status } = made.fields;
  if (options.json) {
    if (options.out !== undefined) await give(made.bytes, options);
    printJson({
      digest: made.digest,
      type,
      subject,
      valid_until: validUntil,
      status_list: status?.list ?? null,
      status_index: status?.index ?? null,
      published: lists.map(({ path }) => path),
      file: options.out ?? null,
      credential: wireJson(made.bytes),
    });
    return;
  }
  await give(made.bytes, options);
  say(`Issued ${type} ${made.digest.slice(0, 16)} about ${subject}, until ${dayOf(validUntil!)}.`);
  if (VOUCHED_FOR.includes(type))
    say(
      'It is signed with the key that this node runs on. An issuer for a community does better with a home of its own that is not always online: kith identity issue --home DIR.',
    );
  tellLists(lists);
};

/** The request of `--request FILE`, held to be for this issuer. */
async function requestOf(
  options: Invocation['options'],
  identity: Identity,
): Promise<{ readonly request: CredentialRequest; readonly bytes: Uint8Array } | null> {
  if (options.request === undefined) return null;
  const bytes = await readBytes(String(options.request), CREDENTIAL_MAX_BYTES);
  const request = readRequest(bytes, systemClock.now());
  if (request.issuer !== null && request.issuer !== identity.did)
    throw new UsageError(`This request is for ${request.issuer}, and this node is ${identity.did}.`);
  return { request, bytes };
}

function whatToIssue(
  { args, options }: Pick<Invocation, 'args' | 'options'>,
  request: CredentialRequest | null,
): { type: CredentialType; subject: string; claims: Readonly<Record<string, unknown>> } {
  const named = args[0] === undefined ? null : typeOf(String(args[0]));
  const type = named ?? request?.type;
  if (type === undefined)
    throw new UsageError('Name a type of credential, or a request with --request FILE.');
  const to = options.to === undefined ? null : didOfName(String(options.to));
  const subject = to ?? request?.holder;
  if (subject === undefined) throw new UsageError('Say who it is about: --to PEERID or --to did:key:...');
  if (request !== null && (request.type !== type || request.holder !== subject))
    throw new UsageError(
      `The request asks for ${request.type} about ${request.holder}; leave type and --to out.`,
    );
  if (options.asRequested === true) {
    if (request === null) throw new UsageError('--as-requested needs --request FILE.');
    if (options.claim !== undefined) throw new UsageError('Give --claim or --as-requested, not both.');
    return { type, subject, claims: request.claims };
  }
  const claims = claimsOf(type, options);
  if (request !== null && options.claim === undefined) {
    throw new UsageError(
      `${request.holder} asks for ${type} with ${JSON.stringify(request.claims)}. ` +
        'If that is what you know to be true, add --as-requested; else say what is with --claim.',
    );
  }
  // Any count of interactions does: it is told in steps.
  if (type === 'PeerEndorsement' && typeof claims.interactionCount === 'number')
    return {
      type,
      subject,
      claims: { ...claims, interactionCount: interactionStep(claims.interactionCount) },
    };
  return { type, subject, claims };
}

export const request: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const identity = await ownIdentity(options);
  const type = typeOf(String(args[0]));
  const now = systemClock.now();
  const bytes = requestCredential(identity, {
    type,
    claims: options.claim === undefined ? {} : claimsOf(type, options),
    ...(options.issuer === undefined ? {} : { issuer: didOfName(String(options.issuer)) }),
    now,
    nonce: Buffer.from(systemRandom.bytes(16)).toString('base64url'),
  });
  const made = readRequest(bytes, now);
  rooms.wallet.requests.add('out', bytes, made);
  if (options.json) {
    if (options.out !== undefined) await give(bytes, options);
    printJson({
      digest: made.digest,
      type,
      issuer: made.issuer,
      expires_at: made.expiresAt,
      file: options.out ?? null,
      request: wireJson(bytes),
    });
    return;
  }
  await give(bytes, options);
  say(`A request for ${type}, good until ${dayOf(made.expiresAt)}. Send it to the issuer.`);
};

export const revoke: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const identity = await ownIdentity(options);
  const reason = options.reason === undefined ? undefined : String(options.reason);
  const row = rooms.wallet.issued.revoke(identity, String(args[0]), reason, options.forCause === true);
  const { issued } = rooms.wallet;
  // The one that tells why goes first: who learns of the revocation then knows.
  const beside = issued.lists(identity).filter((id) => row.forCause && id === `${row.list}${FOR_CAUSE}`);
  const lists = await publishStatusLists(rooms.home, rooms.wallet, identity, [...beside, row.list!]);
  const list = lists.at(-1);
  if (options.out !== undefined) await writeFileAtomic(String(options.out), list!.bytes, { mode: 0o644 });
  if (options.json) {
    printJson({
      digest: row.digest,
      revoked_at: row.revokedAt,
      reason: row.revokedReason,
      for_cause: row.forCause,
      status_list: row.list,
      published: list!.path,
    });
    return;
  }
  print(
    `Revoked ${row.type} ${row.digest.slice(0, 16)} about ${plain(row.subject)}${row.forCause ? ', for cause' : ''}.`,
  );
  tellLists(lists);
};

export const publishStatus: Handler = async ({ options }) => {
  using rooms = openRooms(options);
  const identity = await ownIdentity(options);
  const { issued } = rooms.wallet;
  const which = options.all ? issued.lists(identity) : issued.due(identity);
  const lists = await publishStatusLists(rooms.home, rooms.wallet, identity, which);
  if (options.json) printJson(lists.map(({ id, path }) => ({ status_list: id, file: path })));
  else if (lists.length === 0) say('No status list changed or ends soon.');
  else tellLists(lists);
};

function tellLists(lists: readonly WrittenList[]): void {
  for (const { id, path } of lists) {
    say(
      id.startsWith('https:')
        ? `The status list is in ${path}: put it at ${plain(id)}, and again within 7 days.`
        : `The status list is in ${path}: a running node tells peers of it; hand it on to others who verify, and again within 7 days.`,
    );
  }
}

function duration(value: unknown): number {
  const ms = parseDuration(String(value));
  if (ms === null)
    throw new UsageError(
      `--valid-for takes a number and a unit, such as 12h, 30d or 8w, not '${String(value).slice(0, 80)}'.`,
    );
  return ms;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
