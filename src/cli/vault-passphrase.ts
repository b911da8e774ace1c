/**
 * The passphrase that opens a placed knowledge base beside the key: from a file, or asked for in the terminal.
 *
 * @module cli/vault-passphrase
 */
import { InputError } from '../base/index.ts';
import { readPassphraseFile } from '../identity/index.ts';
import { UsageError } from './failure.ts';
import { promptSecret } from './passphrase.ts';

type Options = Readonly<Record<string, unknown>>;
type Ask = (label: string) => Promise<string | null>;

/**
 * As a field of an order; nothing where none was asked for.
 *
 * @param use `new`: one is made, and asked for twice
 * @throws UsageError there is no terminal, or both options are given; InputError `vault_passphrase`, and those of the file
 */
export async function vaultPassphrase(
  { passphraseFile, passphrase }: Options,
  use: 'new' | 'known',
  ask: Ask = promptSecret,
): Promise<{ readonly passphrase?: string }> {
  if (passphraseFile !== undefined && passphrase === true)
    throw new UsageError('Say --passphrase-file FILE or --passphrase, not both.');
  if (passphraseFile !== undefined)
    return { passphrase: sound(await readPassphraseFile(String(passphraseFile))) };
  if (passphrase !== true) return {};
  const first = await ask(
    use === 'new' ? 'New passphrase of what is placed: ' : 'Passphrase with which it was placed: ',
  );
  if (first === null)
    throw new UsageError(
      'There is no terminal to ask for the passphrase. Name a file that has it: --passphrase-file FILE',
    );
  sound(first);
  if (use === 'new' && first !== (await ask('The same again: ')))
    throw new InputError('vault_passphrase', 'The two passphrases differ. Nothing was placed.');
  return { passphrase: first };
}

/** Of one to 1024 characters the node says the rest. */
function sound(text: string): string {
  const length = [...text].length;
  if (length >= 12 && text.length <= 1024) return text;
  throw new InputError(
    'vault_passphrase',
    `The passphrase of what is placed has 12 to 1024 characters, and this one ${length}: whoever has the key and the blocks may try as many as they like. Take several words.`,
  );
}
