/**
 * Everything that can be done by key or from the palette, in one list.
 *
 * @module web/app/commands
 */
import type { Navigator } from '@solidjs/router';
import { answeringTurn, stop } from '../data/answering.ts';
import { conversation, remove, restore, threadOf } from '../data/conversations.ts';
import { asJson, asMarkdown, download, fileName } from '../data/export.ts';
import { prefer } from '../data/preferences.ts';
import { t } from '../i18n/index.ts';
import { conversationPath, paths } from './pages.ts';
import { offerUndo, setDialogue } from './ui.ts';

export interface Command {
  readonly id: string;
  readonly group: 'goTo' | 'do';
  readonly name: () => string;
  /** Keys as they are shown: `N`, `G C`. */
  readonly keys: string | null;
  readonly run: () => void;
}

/** @param current conversation that is shown; null when none is */
export function commands(go: Navigator, current: () => string | null): Command[] {
  const id = current();
  const shown = id === null ? undefined : conversation(id);
  const list: (Command | false)[] = [
    command(
      'new',
      'goTo',
      () => t('rail.fresh'),
      'N',
      () => go(paths.start),
    ),
    command(
      'conversations',
      'goTo',
      () => t('pages.conversations'),
      'G V',
      () => go(paths.conversations),
    ),
    command(
      'knowledge',
      'goTo',
      () => t('pages.knowledge'),
      'G K',
      () => go(paths.knowledge),
    ),
    command(
      'network',
      'goTo',
      () => t('pages.network'),
      'G N',
      () => go(paths.network),
    ),
    command(
      'vault',
      'goTo',
      () => t('pages.vault'),
      'G E',
      () => go(paths.vault),
    ),
    command(
      'status',
      'goTo',
      () => t('pages.status'),
      'G T',
      () => go(paths.status),
    ),
    id !== null &&
      answeringTurn(id) !== null &&
      command(
        'stop',
        'do',
        () => t('palette.stop'),
        'Esc',
        () => void stop(id),
      ),
    !!shown &&
      command(
        'markdown',
        'do',
        () => t('palette.saveMarkdown'),
        null,
        () => void saveMarkdown(shown.id),
      ),
    !!shown &&
      command(
        'json',
        'do',
        () => t('palette.saveJson'),
        null,
        () => void saveJson([shown.id]),
      ),
    !!shown &&
      command(
        'remove',
        'do',
        () => t('palette.remove'),
        null,
        () => void removeConversation(shown.id, go),
      ),
    command(
      'light',
      'do',
      () => t('palette.light'),
      null,
      () => prefer({ theme: 'light' }),
    ),
    command(
      'dark',
      'do',
      () => t('palette.dark'),
      null,
      () => prefer({ theme: 'dark' }),
    ),
    command(
      'auto',
      'do',
      () => t('palette.auto'),
      null,
      () => prefer({ theme: 'auto' }),
    ),
    command(
      'preferences',
      'do',
      () => t('pages.preferences'),
      null,
      () => setDialogue('preferences'),
    ),
    command(
      'keys',
      'do',
      () => t('keys.title'),
      '?',
      () => setDialogue('keys'),
    ),
  ];
  return list.filter((one) => one !== false);
}

function command(
  id: string,
  group: Command['group'],
  name: () => string,
  keys: string | null,
  run: () => void,
): Command {
  return { id, group, name, keys, run };
}

export async function saveMarkdown(id: string): Promise<void> {
  const found = conversation(id);
  if (found) download(fileName(found.title, 'md'), asMarkdown(found, await threadOf(id)), 'text/markdown');
}

export async function saveJson(ids: readonly string[]): Promise<void> {
  const items = [];
  for (const id of ids) {
    const found = conversation(id);
    if (found) items.push({ conversation: found, thread: await threadOf(id) });
  }
  const name = items.length === 1 ? items[0]!.conversation.title : 'kith-conversations';
  download(fileName(name, 'json'), asJson(items), 'application/json');
}

/** Deletes at once and offers to take it back. */
export async function removeConversation(id: string, go: Navigator): Promise<void> {
  await stop(id);
  const removed = await remove(id);
  if (!removed) return;
  if (location.pathname === conversationPath(id)) go(paths.start);
  offerUndo(t('conversations.removed', { title: removed.conversation.title }), () => void restore(removed));
}
