/**
 * Choices of the reader for this browser.
 *
 * @module web/app/preferences-dialog
 */
import Vault from 'lucide-solid/icons/vault';
import { For } from 'solid-js';
import { Dialog } from '../base/dialog.tsx';
import { type Language, languages, prefer, preferences } from '../data/preferences.ts';
import { browserLanguage, t } from '../i18n/index.ts';
import { paths } from './pages.ts';
import { setDialogue } from './ui.ts';

export default function PreferencesDialog() {
  return (
    <Dialog title={t('pages.preferences')} close={() => setDialogue(null)}>
      <div class="stack">
        <a class="button in-bar" href={paths.vault} onClick={() => setDialogue(null)}>
          <Vault size={17} aria-hidden="true" />
          {t('pages.vault')}
        </a>
        <div class="field">
          <span class="label" id="theme-label">
            {t('preferences.theme')}
          </span>
          <div class="segments" role="radiogroup" aria-labelledby="theme-label">
            <For each={['auto', 'light', 'dark'] as const}>
              {(theme) => (
                <label>
                  <input
                    type="radio"
                    name="theme"
                    value={theme}
                    checked={preferences.theme === theme}
                    onChange={() => prefer({ theme })}
                  />
                  {t(`preferences.${theme}`)}
                </label>
              )}
            </For>
          </div>
        </div>
        <div class="field">
          <label for="language">{t('preferences.language')}</label>
          <select
            id="language"
            class="input"
            value={preferences.language ?? ''}
            onChange={(event) => prefer({ language: (event.currentTarget.value || null) as Language | null })}
          >
            <option value="">
              {t('preferences.languageAuto', { language: languages[browserLanguage()] })}
            </option>
            <For each={Object.entries(languages)}>
              {([code, name]) => <option value={code}>{name}</option>}
            </For>
          </select>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={preferences.letters}
            onChange={(event) => prefer({ letters: event.currentTarget.checked })}
          />
          {t('preferences.letters')}
        </label>
        <div>
          <button type="button" class="button" onClick={() => setDialogue('keys')}>
            {t('keys.title')}
          </button>
        </div>
        <p class="aside">{t('preferences.kept')}</p>
      </div>
    </Dialog>
  );
}
