/**
 * Names of the knowledge bases of a home, also while a node is at work on them: nothing is opened but the list, for reading.
 *
 * @module node/knowledge/names
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, KithError } from '../../base/index.ts';
import { knowledgeFolder } from '../home-files.ts';

/** Names in a message. */
const NAMED = 20;

/** @throws KithError `kb_unknown` with the names that there are, unless all are names of knowledge bases of this home */
export async function checkKbNames(
  config: Pick<Config, 'home' | 'knowledge'>,
  wanted: readonly string[],
): Promise<void> {
  const path = join(knowledgeFolder(config), 'registry.sqlite');
  const isThere = (await stat(path).catch(() => null)) !== null;
  const names = isThere ? (await import('./registry.ts')).namesIn(path) : [];
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const shown = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ', ...' : '');
  throw new KithError(
    'kb_unknown',
    `There is no knowledge base '${unknown.slice(0, 64)}' here. ${names.length === 0 ? 'There is none yet: `kith rag init NAME` makes one.' : `Those there are: ${shown}.`}`,
    { status: 404, param: 'kb' },
  );
}
