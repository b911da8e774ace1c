/** `kith vpk grant ...`, `kith vpk rotate`: letting others read what peers keep. @module cli/commands/vpk-grant */
import { lstat, writeFile } from 'node:fs/promises';
import { resolve as absolute } from 'node:path';
import { formatBytes, formatPlural, InputError, isErrno, readFileBounded } from '../../base/index.ts';
import type { GrantedView, VaultGrantView } from '../../server/index.ts';
import { eveShown, fullPeer, peerShown } from '../eve-names.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { codeOf, follow } from './rag-jobs.ts';

/** Bytes of a file with a grant, at most. */
const GRANT_FILE = 65_600;
const never = new AbortController().signal;
const argument = ({ args }: Invocation, at = 0): string => String(args[at]);
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const stateShown: Readonly<Record<VaultGrantView['state'], string>> = {
  ...{ holds: 'holds', old_keys: 'keys changed since', expired: 'expired', revoked: 'revoked' },
};

/** The line in the file that `--grant` names; null: there is none. @throws InputError `file_not_found`; LimitError */
export async function grantLineOf({ grant }: Invocation['options']): Promise<string | null> {
  if (grant === undefined) return null;
  return new TextDecoder().decode(await readFileBounded(absolute(String(grant)), GRANT_FILE)).trim();
}

export const create: Handler = async (invocation) => {
  const { options } = invocation;
  const kb = argument(invocation);
  if (options.to === undefined)
    throw new UsageError(
      `Say who may read it: kith vpk grant create ${kb} --to PEER, the PeerId that kith p2p info shows there.`,
    );
  if (String(options.rights) !== 'read')
    throw new UsageError(
      `--rights is read: what peers keep of ${kb} is signed with a key of its owner alone, so that nobody else can change it.`,
    );
  const to = String(options.to);
  const order = { to: fullPeer(to) ?? to, days: Number(options.days) };
  const out = options.out === undefined ? null : absolute(String(options.out));
  // Before a grant is given that nobody gets.
  if (out !== null && (await lstat(out).catch(() => null)) !== null)
    throw new InputError('vault_grant_out', `There is a file already: ${out}. Name another one (--out).`);
  const { text, ...given } = await withRag(options, ({ desk }) => desk.vaultGrants.give(kb, order, never));
  if (out !== null) await writeNew(out, `${text}\n`, `kith vpk grant revoke ${kb} ${given.id}`);
  if (options.json) {
    printJson({ ...given, ...(out === null ? { text } : { file: out }) });
    return;
  }
  say(
    `${given.holder} may read what peers keep of ${kb} until ${day(given.until)} UTC. It is sealed to that node.`,
  );
  if (out === null) {
    say('Send it this line, in a file:');
    print(text);
  } else say(`Send it the file ${plain(out)}`);
  say(asTyped(`There: kith vpk restore ${kb} --grant FILE, or kith vpk search ${kb} "..." --grant FILE`));
  say(asTyped(`It ends at once with: kith vpk grant revoke ${kb} ${given.id}`));
};

/** For the owner only, and over nothing that is there. */
async function writeNew(path: string, text: string, undo: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const why = isErrno(error, 'EEXIST') ? 'There is a file already' : 'The file could not be written';
    throw new InputError(
      'vault_grant_out',
      `${why}: ${path}. Name another one (--out); the grant that was not written down is ended by ${undo}`,
      { cause: error },
    );
  }
}

export const list: Handler = async (invocation) => {
  const { options } = invocation;
  const kb = argument(invocation);
  const grants = await withRag(options, ({ desk }) => desk.vaultGrants.given(kb));
  if (options.json) {
    printJson({ grants });
    return;
  }
  if (grants.length === 0) {
    print(asTyped(`Nobody was let read ${kb}. Let a peer read it: kith vpk grant create ${kb} --to PEER`));
    return;
  }
  print(
    table([
      ['GRANT', 'HOLDER', 'UNTIL (UTC)', 'STATE', 'EVES TO BE TOLD'],
      ...grants.map(({ id, holder, until, state, untold }) => [
        ...[id, peerShown(holder), day(until), stateShown[state], untold.map(peerShown).join(' ')],
      ]),
    ]),
  );
};

export const revoke: Handler = async (invocation) => {
  const { options } = invocation;
  const [kb, id] = [argument(invocation), argument(invocation, 1)];
  const { given, job } = await withRag(options, async (rag) => {
    const grants = rag.desk.vaultGrants;
    const given = await grants.revoke(kb, id, never);
    return { given, job: options.rotate === true ? await follow(rag, await grants.rotate(kb)) : null };
  });
  const code = job === null ? exitCode.ok : codeOf([job]);
  if (options.json) printJson(job === null ? given : { ...given, job });
  else {
    print(
      given.untold.length === 0
        ? `Revoked: no Eve gives ${given.holder} anything of ${kb} by this grant any more.`
        : `Revoked at the Eves that answered. ${formatPlural(given.untold.length, 'Eve')} away: told as soon as they answer, while this node runs (${given.untold.map(peerShown).join(' ')}).`,
    );
    if (job === null)
      say(
        asTyped(
          `What was read is read, and the keys still open what an Eve gives against the rules. Change them: kith vpk rotate ${kb}`,
        ),
      );
    else
      say(
        job.state === 'done'
          ? 'The keys were changed.'
          : plain(job.error?.message ?? 'It goes on in the node.'),
      );
  }
  return given.untold.length > 0 ? exitCode.degraded : code;
};

export const rotate: Handler = async (invocation) => {
  const { options } = invocation;
  const kb = argument(invocation);
  const { job, holds } = await withRag(options, async (rag) => {
    const grants = rag.desk.vaultGrants;
    const job = await follow(rag, await grants.rotate(kb));
    return { job, holds: (await grants.given(kb)).filter(({ state }) => state === 'old_keys') };
  });
  if (options.json) printJson(job);
  else if (job.state === 'done') {
    const { of, totals, failures } = job.progress;
    print(`${kb}: ${formatPlural(of ?? 0, 'part')} under new keys, ${formatBytes(totals.bytes)} sent`);
    for (const { path, message } of failures)
      say(`${paint('yellow', 'away:', process.stderr)} ${peerShown(path)}: ${asTyped(plain(message))}`);
    if (holds.length > 0)
      say(
        asTyped(
          `${formatPlural(holds.length, 'grant opens', 'grants open')} nothing of it any more. Whoever may go on reading gets a new one: kith vpk grant create ${kb} --to PEER`,
        ),
      );
  } else say(job.error === null ? 'It goes on in the node.' : asTyped(plain(job.error.message)));
  return codeOf([job]);
};

/** `kith vpk resolve --grant FILE`. */
export async function tellGranted({ options }: Invocation, grant: string): Promise<number> {
  const granted = await withRag(options, ({ desk }) => desk.vaultGrants.resolve(grant, never));
  if (options.json) printJson(granted);
  else tellView(granted);
  return granted.trouble === null ? exitCode.ok : exitCode.degraded;
}

function tellView(view: GrantedView): void {
  const { kb, issuer, from, until, mode, label, warning, eves, number, trouble } = view;
  const shown = `${mode}${label === null ? '' : ` (${plain(label)})`}`;
  print(`${plain(kb)} of ${issuer}, ${shown}: read, from ${day(from)} until ${day(until)} UTC`);
  print(
    table([
      ['EVE', 'SAYS'],
      ...eves.map((eve) => [
        plain(eveShown(eve)),
        eve.trouble === null ? 'honours it' : paint('yellow', plain(eve.trouble).slice(0, 100)),
      ]),
    ]),
  );
  if (trouble === null) print(`State ${number} can be read: kith vpk restore ${plain(kb)} --grant FILE`);
  else say(`${paint('yellow', 'nothing can be read:', process.stderr)} ${asTyped(plain(trouble))}`);
  if (warning !== null) say(`${paint('yellow', 'warning:', process.stderr)} ${asTyped(plain(warning))}`);
}
