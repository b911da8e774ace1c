/** `kith identity verify|challenge|present`: credentials shown and looked at. @module cli/commands/credentials-use */
import { systemClock } from '../../base/index.ts';
import {
  credentialsIn,
  PRESENTATION_MAX_BYTES,
  presentCredentials,
  type Verdict,
  type Verification,
  verifyPresentation,
} from '../../identity/index.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import { ownDid, ownIdentity } from '../own-identity.ts';
import type { Handler } from '../program.ts';
import {
  didOfName,
  give,
  learn,
  openRooms,
  readBytes,
  takeStatusFile,
  verdictExit,
  wireJson,
} from '../wallet.ts';

export const verify: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const bytes = await readBytes(String(args[0]), PRESENTATION_MAX_BYTES);
  await takeStatusFile(rooms, options);
  const presented = credentialsIn(bytes);
  if (presented.length > 0) {
    const domain = await ownDid(options);
    const { wallet, verifier } = rooms;
    for (const credential of presented) await learn(rooms, credential, options);
    const { verdict, holder, credentials } = await verifyPresentation(bytes, {
      verifier,
      challenges: wallet.challenges,
      domain,
      clock: systemClock,
    });
    if (options.json) printJson({ ...verdict, holder, credentials: credentials.map(verificationJson) });
    else {
      tell('presentation', verdict, holder === null ? '' : `by ${holder}`);
      for (const each of credentials) tellVerification(each);
    }
    const worst = credentials.find((each) => each.verdict.code !== 'ok')?.verdict ?? verdict;
    return verdictExit[verdict.code === 'ok' ? worst.code : verdict.code];
  }
  await learn(rooms, bytes, options);
  const subject = options.subject === undefined ? {} : { subject: didOfName(String(options.subject)) };
  const verification = await rooms.verifier.verify(bytes, subject);
  if (options.json) printJson(verificationJson(verification));
  else tellVerification(verification);
  return verdictExit[verification.verdict.code];
};

/** One verification as `--json` prints it. */
export function verificationJson({ verdict, digest, facts, claimed }: Verification) {
  return {
    code: verdict.code,
    reason: verdict.reason,
    digest,
    type: claimed?.type ?? null,
    issuer: claimed?.issuer ?? null,
    subject: claimed?.subject ?? null,
    valid_from: claimed?.validFrom ?? null,
    valid_until: claimed?.validUntil ?? null,
    claims: facts?.claims ?? null,
    status_stale: facts?.statusStale ?? null,
  };
}

export function tellVerification({ verdict, digest, facts, claimed }: Verification): void {
  const what = claimed === null ? 'credential' : claimed.type;
  const stale = facts?.statusStale === true ? '; its status list has ended, so it counts half' : '';
  tell(`${what} ${digest.slice(0, 16)}`, verdict, facts === null ? '' : `by ${facts.issuer}${stale}`);
  if (verdict.code === 'untrusted_issuer' && claimed !== null)
    say(asTyped(`To accept it from now on: kith policy issuer add ${claimed.issuer} --type ${claimed.type}`));
  if (facts === null) return;
  const claims = Object.entries(facts.claims).map(([name, value]) => [`  ${name}`, plain(String(value))]);
  print(table([['  about', facts.subject], ...claims]));
}

function tell(what: string, { code, reason }: Verdict, more: string): void {
  const word = paint(code === 'ok' ? 'green' : 'red', code);
  print(`${word}  ${what}${more === '' ? '' : ` ${more}`}`);
  if (reason !== '') print(`  ${plain(reason)}`);
}

export const challenge: Handler = async ({ options }) => {
  using rooms = openRooms(options);
  const did = await ownDid(options);
  const given = rooms.wallet.challenges.issue();
  if (options.json) {
    printJson({ challenge: given, domain: did });
    return;
  }
  say(`Send it to the holder, with your name: ${did}`);
  print(given);
};

export const present: Handler = async ({ args, options }) => {
  using rooms = openRooms(options);
  const identity = await ownIdentity(options);
  const digests = args[0] as readonly string[];
  const bytes = presentCredentials(identity, {
    credentials: digests.map((digest) => rooms.wallet.held.get(digest).bytes),
    challenge: String(options.challenge),
    domain: didOfName(String(options.to)),
    now: systemClock.now(),
  });
  if (!options.json) {
    await give(bytes, options);
    say('It is good for 5 minutes, once.');
    return;
  }
  if (options.out !== undefined) await give(bytes, options);
  printJson({ holder: identity.did, file: options.out ?? null, presentation: wireJson(bytes) });
};
