/**
 * The frame around every page: rail, main, side panel, and what floats above them.
 *
 * @module web/app/shell
 */
import { type RouteSectionProps, useLocation, useNavigate } from '@solidjs/router';
import { lazy, Match, onCleanup, onMount, Show, Suspense, Switch } from 'solid-js';
import { t } from '../i18n/index.ts';
import { Announcer } from './announce.tsx';
import { listenToKeys } from './keys.ts';
import { Bar, Rail } from './rail.tsx';
import { closePanel, dialogue, isDrawer, panel } from './ui.ts';
import { UndoNote } from './undo.tsx';

const Palette = lazy(() => import('./palette.tsx'));
const KeysDialog = lazy(() => import('./keys-dialog.tsx'));
const PreferencesDialog = lazy(() => import('./preferences-dialog.tsx'));
const SidePanel = lazy(() => import('./side-panel.tsx'));

export function Shell(props: RouteSectionProps) {
  const at = useLocation();
  const go = useNavigate();
  const current = () => /^\/chat\/([^/]+)/.exec(at.pathname)?.[1] ?? null;
  onMount(() => onCleanup(listenToKeys(go, current)));
  return (
    <div class="shell">
      <button type="button" class="button skip" onClick={() => document.getElementById('main')?.focus()}>
        {t('app.skip')}
      </button>
      <Rail />
      <main
        class="main"
        id="main"
        aria-label={t('app.main')}
        data-area="main"
        tabindex="-1"
        inert={isDrawer()}
      >
        <Suspense>{props.children}</Suspense>
      </main>
      <Show when={isDrawer()}>
        <button type="button" class="behind" tabindex="-1" aria-label={t('app.close')} onClick={closePanel} />
      </Show>
      <Suspense>
        <Show when={panel()}>
          <SidePanel current={current()} />
        </Show>
      </Suspense>
      <Bar />
      <Suspense>
        <Switch>
          <Match when={dialogue() === 'palette'}>
            <Palette current={current} />
          </Match>
          <Match when={dialogue() === 'keys'}>
            <KeysDialog />
          </Match>
          <Match when={dialogue() === 'preferences'}>
            <PreferencesDialog />
          </Match>
        </Switch>
      </Suspense>
      <UndoNote />
      <Announcer />
    </div>
  );
}
