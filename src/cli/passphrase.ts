/**
 * The passphrase of a key, from wherever a command may have it: a descriptor, a file, a credential, the terminal.
 *
 * @module cli/passphrase
 */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { AbortedError, type Config, InputError } from '../base/index.ts';
import {
  type AskPassphrase,
  checkNewPassphrase,
  passphraseFrom,
  readPassphraseFd,
  readPassphraseFile,
} from '../identity/index.ts';
import { UsageError } from './failure.ts';
import { whole } from './options.ts';

type Options = Readonly<Record<string, unknown>>;

export const passphraseOptions = (what = "the key's passphrase") => [
  new Option('--passphrase-file <file>', `file with ${what}, one line`).argParser((path) => resolve(path)),
  new Option('--passphrase-fd <n>', `open descriptor to read ${what} from`).argParser(whole(0, 1023)),
];

/** The passphrase of a key that has one: `--passphrase-fd`, the configured file, systemd's credential, the terminal. */
export function askPassphrase(options: Options, config: Config): AskPassphrase {
  const { passphraseFd } = options;
  if (passphraseFd !== undefined) {
    // A descriptor can be read once, and a key may be opened twice.
    let read: Promise<string> | null = null;
    return () => {
      read ??= readPassphraseFd(passphraseFd as number);
      return read;
    };
  }
  return passphraseFrom({
    file: config.identity.passphraseFile,
    credentials: process.env.CREDENTIALS_DIRECTORY,
    ask: () => promptSecret('Passphrase of the key: '),
  });
}

/**
 * The passphrase that a key gets: `--passphrase-fd`, the configured file, or the terminal, twice.
 * Throws UsageError when there is none of them.
 */
export async function newPassphrase(options: Options, config: Config): Promise<string> {
  if (options.passphraseFd !== undefined) return readPassphraseFd(options.passphraseFd as number);
  if (config.identity.passphraseFile !== '') return readPassphraseFile(config.identity.passphraseFile);
  const first = await promptSecret('New passphrase: ');
  if (first === null) {
    throw new UsageError(
      'There is no terminal to ask for a passphrase. Name a file with --passphrase-file, or a descriptor with --passphrase-fd.',
    );
  }
  checkNewPassphrase(first);
  if (first !== (await promptSecret('The same again: ')))
    throw new InputError('passphrase_invalid', 'The two passphrases differ. Nothing was changed.');
  return first;
}

/** The passphrase that a key loses: `--old-passphrase-fd`, `--old-passphrase-file`, or the terminal. */
export function oldPassphrase({ oldPassphraseFd, oldPassphraseFile }: Options): AskPassphrase {
  return async () => {
    if (oldPassphraseFd !== undefined) return readPassphraseFd(oldPassphraseFd as number);
    if (oldPassphraseFile !== undefined) return readPassphraseFile(String(oldPassphraseFile));
    return promptSecret('Passphrase until now: ');
  };
}

/** What the prompt needs of a terminal. */
export interface SecretInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/** Longer ones are no passphrases. */
const MAX_CHARS = 1_024;

/** One line typed without being shown; null where no terminal is. Throws AbortedError on Ctrl-C and Ctrl-D. */
export async function promptSecret(
  label: string,
  input: SecretInput = process.stdin,
  output: { write(text: string): unknown } = process.stderr,
): Promise<string | null> {
  if (input.isTTY !== true || input.setRawMode === undefined) return null;
  // Silence first: what is typed ahead of the question would be shown.
  input.setRawMode(true);
  output.write(label);
  input.setEncoding('utf8');
  let typed: string[] = [];
  try {
    return await new Promise<string>((done, fail) => {
      const stop = (end: () => void) => {
        input.off('data', onData);
        input.off('end', onEnd);
        end();
      };
      const onEnd = () => stop(() => fail(new AbortedError('Stopped.')));
      const onData = (chunk: string | Buffer) => {
        for (const char of String(chunk)) {
          if (char === '\r' || char === '\n') return stop(() => done(typed.join('')));
          if (char === '\u0003' || char === '\u0004') return onEnd();
          if (char === '\u007f' || char === '\b') typed.pop();
          else if (char === '\u0015') typed = [];
          else if (char >= ' ' && typed.length < MAX_CHARS) typed.push(char);
        }
      };
      input.on('data', onData);
      input.on('end', onEnd);
      input.resume();
    });
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write('\n');
  }
}
