/** `kith identity import-vc|export-vc|remove-vc|publish-vc|hide-vc|list-vcs`: what the wallet holds. @module cli/commands/credentials-wallet */
import { CREDENTIAL_MAX_BYTES, expiresAt, type Verification } from '../../identity/index.ts';
import { UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import { ownDid } from '../own-identity.ts';
import type { Handler, Invocation } from '../program.ts';
import {
  didOfName,
  give,
  learn,
  openRooms,
  readBytes,
  takeStatusFile,
  verdictExit,
  type WalletRooms,
} from '../wallet.ts';
import { tellVerification, verificationJson } from './credentials-use.ts';

export const importVc: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const { wallet, verifier } = rooms;
  const files = args[0] as readonly string[];
  if (files.length === 0 && options.again !== true && options.statusList === undefined)
    throw new UsageError('Name the files to import, or --again for what is in quarantine.');
  await takeStatusFile(rooms, options);
  const given: Uint8Array[] = [];
  for (const file of files) given.push(await readBytes(file, CREDENTIAL_MAX_BYTES));
  if (options.again === true)
    given.push(...wallet.held.quarantined().flatMap(({ bytes }) => (bytes === null ? [] : [bytes])));
  const subject = options.subject === undefined ? {} : { subject: didOfName(String(options.subject)) };
  const done: Verification[] = [];
  for (const bytes of given) {
    await learn(rooms, bytes, options);
    const verification = await wallet.held.import(bytes, verifier, subject);
    if (verification.facts !== null) {
      wallet.requests.match(verification.facts);
      if (options.publish === true) wallet.held.show(verification.digest, true);
    }
    done.push(verification);
  }
  if (options.json) printJson(done.map(verificationJson));
  else for (const each of done) tellVerification(each);
  const failed = done.filter(({ verdict }) => verdict.code !== 'ok');
  if (failed.length > 0 && !options.json)
    say(
      asTyped(
        `${failed.length} of ${done.length} did not verify and ${failed.length === 1 ? 'waits' : 'wait'} in quarantine. When the cause is gone: kith identity import-vc --again`,
      ),
    );
  return verdictExit[failed[0]?.verdict.code ?? 'ok'];
};

/** What was issued here can be had again too: whoever was to get it may have lost it. */
export const exportVc: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const { held, issued } = rooms.wallet;
  const digest = String(args[0]);
  const bytes = issued.list().some((row) => row.digest.startsWith(digest))
    ? issued.bytes(digest)
    : held.get(digest).bytes;
  await give(bytes, options);
};

export const removeVc: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const { digest, type } = rooms.wallet.held.get(String(args[0]));
  rooms.wallet.held.remove(digest);
  if (options.json) printJson({ digest });
  else print(`Removed ${type} ${digest.slice(0, 16)}.`);
};

/** Peers are shown nothing of the wallet but this. */
export const publishVc: Handler = async (invocation) => {
  await setShown(invocation, true);
};

export const hideVc: Handler = async (invocation) => {
  await setShown(invocation, false);
};

async function setShown({ args, options }: Invocation, shown: boolean): Promise<void> {
  using rooms = openRooms(options);
  const own = await ownDid(options);
  const changed = (args[0] as readonly string[]).map((digest) => {
    const held = rooms.wallet.held.get(digest);
    if (shown && held.subject !== own)
      throw new UsageError(
        `The credential ${held.digest.slice(0, 16)} is about ${held.subject}, not about this node, so peers are not shown it.`,
      );
    return rooms.wallet.held.show(held.digest, shown);
  });
  if (options.json) printJson(changed.map(({ digest, shown }) => ({ digest, shown })));
  else
    for (const { digest, type } of changed)
      print(
        shown
          ? `Peers that connect are shown ${type} ${digest.slice(0, 16)} from now on, with its claims.`
          : `Peers are no longer shown ${type} ${digest.slice(0, 16)}; those that were keep it until it ends.`,
      );
}

export const listVcs: Handler = async ({ options }) => {
  using rooms = openRooms(options);
  if (options.issued) listIssued(rooms, options.json === true);
  else if (options.quarantine) listQuarantine(rooms, options.json === true);
  else if (options.requests) listRequests(rooms, options.json === true);
  else await listHeld(rooms, options.json === true);
};

async function listHeld({ wallet, verifier }: WalletRooms, json: boolean): Promise<void> {
  const rows = [];
  for (const held of wallet.held.list()) rows.push({ held, verification: await verifier.verify(held.bytes) });
  if (json) {
    printJson(
      rows.map(({ held, verification }) => ({
        ...verificationJson(verification),
        format: held.format,
        added_at: held.addedAt,
        shown: held.shown,
      })),
    );
    return;
  }
  if (rows.length === 0) {
    say('The wallet holds no credentials.');
    tellWaiting(wallet.held.quarantined().length);
    return;
  }
  const cells = rows.map(({ held, verification: { verdict, claimed, facts } }) => [
    held.digest.slice(0, 16),
    held.type,
    short(held.issuer),
    short(held.subject),
    claimed === null ? '-' : dayOf(expiresAt(claimed)),
    paint(
      verdict.code === 'ok' ? 'green' : 'red',
      facts?.statusStale === true ? 'ok, counts half' : verdict.code,
    ),
    held.shown ? 'shown' : '-',
  ]);
  print(table([['DIGEST', 'TYPE', 'ISSUER', 'ABOUT', 'UNTIL', 'NOW', 'PEERS'], ...cells]));
  tellWaiting(wallet.held.quarantined().length);
}

function tellWaiting(count: number): void {
  if (count > 0)
    say(
      asTyped(
        `${count} ${count === 1 ? 'waits' : 'wait'} in quarantine; to see why: kith identity list-vcs --quarantine`,
      ),
    );
}

function listIssued({ wallet }: WalletRooms, json: boolean): void {
  const rows = wallet.issued.list();
  if (json) {
    printJson(
      rows.map((row) => ({
        digest: row.digest,
        type: row.type,
        subject: row.subject,
        issued_at: row.issuedAt,
        status_list: row.list,
        status_index: row.listIndex,
        revoked_at: row.revokedAt,
        revoked_reason: row.revokedReason,
        for_cause: row.forCause,
      })),
    );
    return;
  }
  if (rows.length === 0) {
    say('This node has issued no credentials.');
    return;
  }
  const cells = rows.map((row) => [
    row.digest.slice(0, 16),
    row.type,
    short(row.subject),
    dayOf(row.issuedAt),
    row.revokedAt === null ? '-' : `${dayOf(row.revokedAt)} ${plain(row.revokedReason ?? '')}`.trimEnd(),
  ]);
  print(table([['DIGEST', 'TYPE', 'ABOUT', 'ISSUED', 'REVOKED'], ...cells]));
}

function listQuarantine({ wallet }: WalletRooms, json: boolean): void {
  const rows = wallet.held.quarantined();
  if (json) {
    printJson(rows.map(({ digest, code, reason, addedAt }) => ({ digest, code, reason, added_at: addedAt })));
    return;
  }
  if (rows.length === 0) {
    say('Nothing is in quarantine.');
    return;
  }
  print(
    table([
      ['DIGEST', 'CODE', 'WHY'],
      ...rows.map(({ digest, code, reason }) => [digest.slice(0, 16), code, plain(reason)]),
    ]),
  );
}

function listRequests({ wallet }: WalletRooms, json: boolean): void {
  const rows = wallet.requests.list();
  if (json) {
    printJson(rows.map(({ expiresAt, ...row }) => ({ ...row, expires_at: expiresAt })));
    return;
  }
  if (rows.length === 0) {
    say('There are no requests.');
    return;
  }
  const cells = rows.map((row) => [
    row.digest.slice(0, 16),
    row.direction === 'out' ? 'made' : 'answered',
    row.type,
    short(row.direction === 'out' ? (row.issuer ?? 'anyone') : row.holder),
    dayOf(row.expiresAt),
    row.credential?.slice(0, 16) ?? '-',
  ]);
  print(table([['REQUEST', '', 'TYPE', 'WITH', 'UNTIL', 'CREDENTIAL'], ...cells]));
}

/** A DID is told by its last characters; `--json` has the whole. */
const short = (did: string): string =>
  did.length > 24 ? `${did.slice(0, 12)}...${did.slice(-8)}` : plain(did);
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
