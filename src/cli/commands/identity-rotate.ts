/** `kith identity rotate|history`. @module cli/commands/identity-rotate */
import { basename, dirname, resolve } from 'node:path';
import { isKithError, KithError, readFileBounded, systemClock, systemRandom } from '../../base/index.ts';
import {
  conflictsAmong,
  type HandOver,
  parseHandOvers,
  readHandOvers,
  requireChain,
  rotateKey,
  writeHandOverList,
  writeNewSecret,
} from '../../identity/index.ts';
import { paint, print, printJson, say, table } from '../output.ts';
import { askPassphrase } from '../passphrase.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

/** What is signed and yet not to be trusted: the key has two successors. */
const UNTRUSTED = 3;
const FILE_MAX_BYTES = 262_144;

export const rotate: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  const { whileStopped } = await import('../../node/index.ts');
  const { handOver, retired } = await whileStopped(config.home, 'kith identity rotate', () =>
    rotateKey(config.home, {
      clock: systemClock,
      random: systemRandom,
      passphrase: askPassphrase(options, config),
    }),
  );
  if (options.json) {
    printJson({ ...handOverJson(handOver), retired });
    return;
  }
  print(
    table([
      ['  from', handOver.from],
      ['  to', handOver.to],
      ['  old key', retired],
    ]),
  );
  say('Credentials name the old key: ask their issuers for new ones.');
};

export const history: Handler = async ({ args, options }) => {
  const { home } = settingsOf(options).config;
  const files = (args[0] ?? []) as readonly string[];
  const statements: HandOver[] = [];
  if (files.length === 0) statements.push(...(await readHandOvers(home)));
  for (const file of files)
    statements.push(
      ...parseHandOvers(await readFileBounded(resolve(file), FILE_MAX_BYTES), systemClock.now(), file),
    );
  if (options.out !== undefined) return writeOut(resolve(String(options.out)), statements);
  const conflicts = conflictsAmong(statements);
  const chain = conflicts.length > 0 || statements.length === 0 ? null : chainOf(statements);
  if (options.json) {
    printJson({
      statements: statements.map(handOverJson),
      first: chain?.first ?? null,
      last: chain?.last ?? null,
      conflicts: conflicts.map(({ from, statements }) => ({ from, to: statements.map(({ to }) => to) })),
    });
  } else if (statements.length === 0) print('This node has had one key only.');
  else {
    print(
      table(
        statements.map(({ from, to, at }) => [
          new Date(at).toISOString().slice(0, 16).replace('T', ' '),
          from,
          to,
        ]),
      ),
    );
    for (const { from, statements } of conflicts)
      say(
        `${paint('red', 'conflict', process.stderr)}: ${from} has named two successors, ` +
          `${statements.map(({ to }) => to).join(' and ')}. Trust neither for its sake.`,
      );
  }
  return conflicts.length > 0 ? UNTRUSTED : undefined;
};

/** Statements of several keys need not be one chain. */
function chainOf(statements: readonly HandOver[]): { readonly first: string; readonly last: string } | null {
  try {
    return requireChain(statements);
  } catch (error) {
    if (isKithError(error) && error.code === 'rotation_invalid') return null;
    throw error;
  }
}

async function writeOut(out: string, statements: readonly HandOver[]): Promise<undefined> {
  const bytes = Buffer.from(writeHandOverList(statements));
  if (!(await writeNewSecret(dirname(out), basename(out), bytes)))
    throw new KithError('key_exists', `${out} exists already. Nothing was written; choose another name.`, {
      status: 409,
    });
  say(`Wrote ${out}.`);
}

function handOverJson({ from, to, at, bytes }: HandOver) {
  return { from, to, at, statement: new TextDecoder().decode(bytes) };
}
