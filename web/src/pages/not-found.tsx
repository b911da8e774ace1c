/**
 * An address that leads nowhere on this page.
 *
 * @module web/pages/not-found
 */
import { paths } from '../app/pages.ts';
import { t } from '../i18n/index.ts';

export function NotFound() {
  return (
    <section class="empty">
      <h1>{t('app.notFound')}</h1>
      <a class="button" href={paths.start}>
        {t('app.home')}
      </a>
    </section>
  );
}
