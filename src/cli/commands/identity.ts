/** `kith identity show|create|export|import|encrypt|decrypt`. @module cli/commands/identity */
import { basename, dirname, resolve } from 'node:path';
import { KithError, readFileBounded, systemRandom } from '../../base/index.ts';
import {
  createKey,
  didDocument,
  didOf,
  didPeerOf,
  importKey,
  KEY_MAX_BYTES,
  type KeyFile,
  keyFilePath,
  type PrivateForm,
  peerIdCidOf,
  protectKey,
  publicKeyOfPeerId,
  readHandOvers,
  readKey,
  requireKey,
  writeNewSecret,
  writePrivateKey,
} from '../../identity/index.ts';
import { UsageError } from '../failure.ts';
import { asTyped, paint, print, printJson, say, table } from '../output.ts';
import { askPassphrase, newPassphrase, oldPassphrase } from '../passphrase.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

/** Public facts of a key file, as `--json` prints them. */
async function facts(home: string, { peerId, isProtected }: KeyFile) {
  const publicKey = publicKeyOfPeerId(peerId);
  const did = didOf(publicKey);
  const handOvers = await readHandOvers(home);
  return {
    peer_id: peerId,
    did,
    did_peer: didPeerOf(publicKey),
    peer_id_cid: peerIdCidOf(publicKey),
    public_key: Buffer.from(publicKey).toString('base64url'),
    protected: isProtected,
    file: keyFilePath(home),
    /** The keys that this one follows, oldest first. */
    former: formerOf(did, handOvers),
    successor: handOvers.find(({ from }) => from === did)?.to ?? null,
  };
}

function formerOf(
  did: string,
  handOvers: readonly { readonly from: string; readonly to: string }[],
): string[] {
  const found: string[] = [];
  for (let current: string | undefined = did; found.length < handOvers.length; ) {
    current = handOvers.find(({ to }) => to === current)?.from;
    if (current === undefined) break;
    found.unshift(current);
  }
  return found;
}

export const show: Handler = async ({ options }) => {
  const { home } = settingsOf(options).config;
  const about = await facts(home, await requireKey(home));
  if (options.json) {
    printJson(about);
    return;
  }
  const rows = [
    ['PeerId', about.peer_id],
    ['DID', about.did],
    ['did:peer', about.did_peer],
    ['CID', about.peer_id_cid],
    ['public key', about.public_key],
    ['protected', about.protected ? 'by a passphrase' : `no; kith identity encrypt gives it a passphrase`],
    ['file', about.file],
    ...about.former.map((did, i) => [i === 0 ? 'follows' : '', did]),
  ];
  print(table(rows.map(([name, value]) => [`  ${name}`, asTyped(value!)])));
  tellSuccessor(about);
};

function tellSuccessor({ successor }: Awaited<ReturnType<typeof facts>>): void {
  if (successor !== null)
    say(
      `${paint('yellow', 'warning', process.stderr)}: this key has handed over to ${successor}. Peers that know of it refuse this one.`,
    );
}

export const create: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const given = options.passphraseFd !== undefined || config.identity.passphraseFile !== '';
  // A home that has a key needs no passphrase to be told so.
  const there = await readKey(config.home);
  const passphrase = there === null && given ? await newPassphrase(options, config) : null;
  const isNew =
    there === null &&
    (await createKey(config.home, { random: systemRandom, passphrase, anew: options.anew === true }));
  const file = await requireKey(config.home);
  if (options.json) printJson({ ...(await facts(config.home, file)), new: isNew });
  else print(isNew ? `This home is now ${file.peerId}.` : `This home is ${file.peerId} already.`);
};

export const exportKey: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const format = options.format as PrivateForm | 'json' | 'did-document';
  const isPublic = format === 'did-document';
  const out = options.out === undefined ? null : resolve(String(options.out));
  if (out === null && !isPublic && options.stdout !== true) {
    throw new UsageError(
      'Say where the private key goes: --out FILE writes a file that only you can read, --stdout prints it.',
    );
  }
  if (out !== null && options.stdout === true) throw new UsageError('Choose one of --out and --stdout.');
  const file = await requireKey(config.home);
  const bytes = await exported(file, format, () => askPassphrase(options, config)());
  if (out === null) {
    // Text on a terminal and in pipes; kith identity import reads it back.
    print(
      format === 'libp2p' ? Buffer.from(bytes).toString('base64') : Buffer.from(bytes).toString().trimEnd(),
    );
    return;
  }
  if (!(await writeNewSecret(dirname(out), basename(out), bytes)))
    throw new KithError('key_exists', `${out} exists already. Nothing was written; choose another name.`, {
      status: 409,
    });
  const open = !isPublic && !(format === 'json' && file.isProtected);
  say(`Wrote ${out}.${open ? ' Whoever reads it can be this node: keep it where nobody else can.' : ''}`);
};

async function exported(
  file: KeyFile,
  format: PrivateForm | 'json' | 'did-document',
  ask: () => Promise<string | null>,
): Promise<Uint8Array> {
  if (format === 'json') return file.bytes;
  if (format === 'did-document') {
    const document = didDocument(didOf(publicKeyOfPeerId(file.peerId)));
    return Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
  }
  const seed = await file.open(ask);
  const bytes = writePrivateKey(seed, format);
  seed.fill(0);
  return bytes;
}

export const importFile: Handler = async ({ args, options }) => {
  const { config } = settingsOf(options);
  const place = resolve(String(args[0]));
  const bytes = await readFileBounded(place, KEY_MAX_BYTES);
  const ask = askPassphrase(options, config);
  const given = options.passphraseFd !== undefined || config.identity.passphraseFile !== '';
  // Loads the whole node, which the other commands here do without.
  const { whileStopped } = await import('../../node/index.ts');
  const imported = await whileStopped(config.home, 'kith identity import', async () =>
    importKey(config.home, bytes, {
      random: systemRandom,
      passphrase: ask,
      protectWith: given ? await ask() : null,
      replace: options.replace === true,
      place,
    }),
  );
  if (options.json) {
    printJson({
      ...(await facts(config.home, await requireKey(config.home))),
      new: imported.isNew,
      retired: imported.retired,
    });
    return;
  }
  print(imported.isNew ? `This home is now ${imported.peerId}.` : `This home is ${imported.peerId} already.`);
  if (imported.retired !== null) say(`The former key is kept in ${imported.retired}.`);
  tellSuccessor(await facts(config.home, await requireKey(config.home)));
  if (imported.isNew && !imported.isProtected)
    say(asTyped('The key has no passphrase; kith identity encrypt gives it one.'));
};

export const encrypt: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const before = await requireKey(config.home);
  // Asked first, so that a wrong old one is known before a new one is typed.
  let old: string | null = null;
  if (before.isProtected) {
    old = await oldPassphrase(options)();
    await before.open(async () => old);
  }
  const peerId = await protectKey(config.home, {
    random: systemRandom,
    passphrase: async () => old,
    protectWith: await newPassphrase(options, config),
  });
  print(`The key of ${peerId} has ${before.isProtected ? 'another' : 'a'} passphrase now.`);
  if (config.identity.passphraseFile === '')
    say(
      asTyped(
        'The node asks for it when it starts in a terminal. For a start without one: kith config set identity.passphraseFile /path',
      ),
    );
};

export const decrypt: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const before = await requireKey(config.home);
  if (!before.isProtected) {
    print(`The key of ${before.peerId} has no passphrase.`);
    return;
  }
  const passphrase = askPassphrase(options, config);
  const peerId = await protectKey(config.home, { random: systemRandom, passphrase, protectWith: null });
  print(`The key of ${peerId} has no passphrase any more.`);
};
