/**
 * Shares as the knowledge page writes them.
 *
 * @module web/pages/knowledge/figures
 */
import { language } from '../../i18n/index.ts';

/** 0.417 as 42 %. */
export const percent = (share: number): string =>
  new Intl.NumberFormat(language(), { style: 'percent', maximumFractionDigits: 0 }).format(share);
