/**
 * Passphrases beside the identity: which one opens what is placed, told before anything is fetched or made.
 *
 * @module node/knowledge/vault-passphrase
 */
import { KithError, oneAtATime, type Random } from '../../base/index.ts';
import {
  ABOUT_HEAD,
  isSameMark,
  newPassphraseSecret,
  openAbout,
  type PassphraseMark,
  type PassphraseSecret,
  type Place,
  passphraseSecretOf,
} from '../../vault/index.ts';
import type { Found } from './vault-finding.ts';
import { destroyTenant } from './vault-leaving.ts';
import type { VaultReach } from './vault-reach.ts';

/** Each takes 128 MiB while it is computed. */
const inTurn = oneAtATime();

/**
 * What opens a knowledge base that was found; null where the identity does.
 *
 * @throws KithError `vault_passphrase_needed`, `vault_passphrase_wrong`
 */
export async function secretOfFound(
  { need, store }: Pick<VaultReach, 'need' | 'store'>,
  { id, name, marks }: Pick<Found, 'id' | 'name' | 'marks'>,
  passphrase: string | undefined,
): Promise<PassphraseSecret | null> {
  if (marks.length === 0) return null;
  if (passphrase === undefined) {
    const kept = (await store()).secrets.of('placed', id);
    if (kept !== null && marks.some((mark) => isSameMark(mark, kept.mark))) return kept;
    throw passphraseNeeded(name);
  }
  const { root } = need();
  for (const mark of marks) {
    const secret = await inTurn(() => passphraseSecretOf(root, passphrase, mark));
    if (secret !== null) return secret;
  }
  throw new KithError(
    'vault_passphrase_wrong',
    `This is not the passphrase with which ${name} was placed. Nothing was fetched. Try again: capital letters and spaces count.`,
    { status: 403, param: 'passphrase' },
  );
}

export const passphraseNeeded = (name: string): KithError =>
  new KithError(
    'vault_passphrase_needed',
    `${name} was placed with a passphrase beside the key. Give it with --passphrase-file FILE, or --passphrase to be asked for it.`,
    { status: 403, param: 'passphrase' },
  );

/**
 * What a knowledge base is to be placed with; null: the identity alone. Where Eves keep it with the same passphrase already, that is taken over.
 *
 * @throws KithError `vault_passphrase_other`; InputError `vault_passphrase`
 */
export async function secretToPlace(
  reach: VaultReach,
  id: string,
  eves: readonly Place[],
  passphrase: string | undefined,
  random: Pick<Random, 'bytes'>,
  signal: AbortSignal,
): Promise<PassphraseSecret | null> {
  const there = await marksAt(reach, id, eves, signal);
  let secret: PassphraseSecret | null = null;
  if (passphrase !== undefined) {
    const { root } = reach.need();
    for (const mark of there.values())
      if (mark !== null && secret === null)
        secret = await inTurn(() => passphraseSecretOf(root, passphrase, mark));
    secret ??= await inTurn(() => newPassphraseSecret(root, passphrase, random));
  }
  await requireSame(reach, id, there, secret, signal);
  return secret;
}

/** Eves that come have nothing of a former placing under other keys: nobody could go on with it. @throws KithError `vault_passphrase_other` */
export async function requireSameKeys(
  reach: VaultReach,
  id: string,
  eves: readonly Place[],
  signal: AbortSignal,
): Promise<void> {
  const secret = (await reach.store()).secrets.of('placed', id);
  await requireSame(reach, id, await marksAt(reach, id, eves, signal), secret, signal);
}

type MarksAt = ReadonlyMap<string, PassphraseMark | null>;

async function requireSame(
  reach: VaultReach,
  id: string,
  there: MarksAt,
  secret: PassphraseSecret | null,
  signal: AbortSignal,
): Promise<void> {
  const leaving = new Set((await reach.store()).upkeep.leaving(id));
  for (const [peer, mark] of there) {
    if (isSameMark(mark, secret?.mark ?? null)) continue;
    // It was to be deleted anyway, and she was away then.
    if (leaving.has(peer) && (await destroyTenant(reach, id, peer, signal))) continue;
    throw new KithError(
      'vault_passphrase_other',
      `${peer} keeps this knowledge base with another passphrase, or with none, and it could not be read any more. Give that one, take another Eve, or end what is there: kith vpk restore NAME --as OTHER --eve ${peer}, then kith vpk tenant delete OTHER --yes.`,
      { status: 409 },
    );
  }
}

/** With what each Eve keeps it; those that keep nothing of it, or do not tell, are not here. */
async function marksAt(
  { need, tenantOf }: VaultReach,
  id: string,
  eves: readonly Place[],
  signal: AbortSignal,
): Promise<MarksAt> {
  const { root } = need();
  const label = root.label(id);
  const there = new Map<string, PassphraseMark | null>();
  await Promise.all(
    eves.map(async ({ peer }) => {
      try {
        const row = await tenantOf(id, peer).head(ABOUT_HEAD, signal);
        if (row !== null) there.set(peer, openAbout(root, label, row.bytes).passphrase);
      } catch {
        signal.throwIfAborted();
        // Who is away is told so when her tenant is made.
      }
    }),
  );
  return there;
}
