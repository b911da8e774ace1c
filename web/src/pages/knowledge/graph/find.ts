/**
 * Text as it is compared: capitals and accents do not count.
 *
 * @module web/pages/knowledge/graph/find
 */
export const fold = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();
