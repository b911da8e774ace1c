/** Credentials as users of the command line have them: an issuer, a holder and a verifier, each with a home of their own. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createIdentity, issueCredential } from '../src/identity/index.ts';
import { kith, kithProcess, stopAll } from './cli-support.ts';

let folder: string;
let holderDid: string;
let issuerDid: string;
const file = (name: string) => join(folder, name);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-vc-'));
  for (const home of ['issuer', 'holder', 'verifier']) await mkdir(file(home), { mode: 0o700 });
});
after(async () => {
  stopAll();
  await rm(folder, { recursive: true, force: true });
});

/** These have a process of their own: what they change, the next finds on the disk only. */
const changing = new Set(['request', 'import-vc', 'challenge', 'revoke']);
const as = (home: string, ...args: string[]) =>
  (changing.has(args[0]!) ? kithProcess : kith)(['identity', ...args, '--home', file(home)]);

async function json<T = Record<string, unknown>>(home: string, ...args: string[]): Promise<T> {
  const { code, out, err } = await as(home, ...args, '--json');
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return JSON.parse(out) as T;
}

async function codeOf(home: string, ...args: string[]): Promise<[number | null, unknown]> {
  const { code, out } = await as(home, ...args, '--json');
  return [code, (JSON.parse(out) as { code: string }).code];
}

test('a request becomes a credential that the holder shows to a verifier, until it is revoked', async () => {
  const request = await json<{ request: { holder: string } }>(
    'holder',
    ...[
      'request',
      'eventattendee',
      '--claim',
      'eventName=Personal AI Summit',
      '--claim',
      'eventDate=2026-10-03',
    ],
    ...['--out', file('request.json')],
  );
  holderDid = request.request.holder;

  const undecided = await as('issuer', 'issue', '--request', file('request.json'));
  assert.equal(undecided.code, 2);
  assert.match(undecided.err, /Personal AI Summit.*--as-requested/s);
  const issued = await json<{ digest: string; published: string[]; credential: { issuer: string } }>(
    'issuer',
    ...['issue', '--request', file('request.json'), '--as-requested', '--out', file('vc.json')],
  );
  issuerDid = issued.credential.issuer;
  const [list] = issued.published;
  assert.equal((await stat(list!)).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o644);
  assert.deepEqual(await codeOf('holder', 'verify', file('vc.json'), '--any-issuer'), [6, 'status_unknown']);
  assert.equal((await as('holder', 'import-vc', file('vc.json'))).code, 3);
  assert.match((await as('holder', 'list-vcs')).err, /^1 waits in quarantine/m);
  const policy = `issuers:\n  - issuerDid: ${issuerDid}\n    types: [EventAttendee]\n`;
  for (const home of ['holder', 'verifier']) {
    await mkdir(join(file(home), 'trust'), { mode: 0o700 });
    await writeFile(join(file(home), 'trust', 'policy.yaml'), policy, { mode: 0o600 });
  }
  const imported = await json<{ code: string }[]>('holder', 'import-vc', '--again', '--status-list', list!);
  assert.deepEqual(
    imported.map((each) => each.code),
    ['ok'],
  );
  const held = await json<{ digest: string; code: string }[]>('holder', 'list-vcs');
  assert.deepEqual(
    held.map((each) => [each.digest, each.code]),
    [[issued.digest, 'ok']],
  );
  const asked = await json<{ challenge: string; domain: string }>('verifier', 'challenge');
  const digest = issued.digest.slice(0, 12);
  const shown = await as(
    'holder',
    ...['present', digest, '--to', asked.domain, '--challenge', asked.challenge, '--out', file('vp.json')],
  );
  assert.equal(shown.code, 0, shown.err);
  const accepted = await json<{ holder: string; credentials: { code: string }[] }>(
    'verifier',
    ...['verify', file('vp.json'), '--status-list', list!],
  );
  assert.deepEqual([accepted.holder, accepted.credentials.map((each) => each.code)], [holderDid, ['ok']]);
  assert.deepEqual(await codeOf('verifier', 'verify', file('vp.json')), [2, 'bad_proof']);

  const revoked = await json<{ published: string }>('issuer', 'revoke', digest, '--reason', 'left');
  assert.equal(revoked.published, list);
  assert.deepEqual(await codeOf('verifier', 'verify', file('vc.json'), '--status-list', list!), [
    4,
    'revoked',
  ]);
});

test('each kind of refusal has its exit code, and says why', async () => {
  const token = await as(
    'issuer',
    ...[
      'issue',
      'PeerEndorsement',
      '--to',
      holderDid,
      '--claim',
      'interactionCount=37',
      '--format',
      'vc+jwt',
    ],
  );
  assert.equal(token.code, 0);
  assert.match(token.out, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  await writeFile(file('good.jwt'), token.out);
  const verified = await json<{ claims: unknown }>('verifier', 'verify', file('good.jwt'));
  assert.deepEqual(verified.claims, { interactionCount: 20 });
  const old = issueCredential(createIdentity(new Uint8Array(32).fill(7)), {
    type: 'PeerEndorsement',
    subject: holderDid,
    claims: { interactionCount: 1 },
    validFrom: Date.UTC(2026, 0, 1),
  });
  await writeFile(file('old.json'), old.bytes);
  assert.deepEqual(await codeOf('verifier', 'verify', file('old.json')), [5, 'expired']);
  const vc = await readFile(file('vc.json'), 'utf8');
  await writeFile(file('forged.json'), vc.replace('Personal', 'personal'));
  await appendFile(file('forged.json'), '\n');
  const forged = await as('holder', 'verify', file('forged.json'));
  assert.equal(forged.code, 2);
  assert.match(forged.out, /bad_proof.*signature/s);
  const wrong = await as('issuer', 'issue', 'Uptime', '--to', holderDid, '--claim', 'uptimePermille=99.5');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /uptimePermille/);
});
