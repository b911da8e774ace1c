/**
 * Languages that the ladder speaks, and what a locale says of language and region.
 *
 * @module gateway/ladder/locale
 */
export const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Locale {
  /** Null: unknown, or none that is spoken here. */
  readonly language: Language | null;
  /** ISO 3166-1 alpha-2; null when the tag names none. A language alone names no region. */
  readonly region: string | null;
  /** The tag in its canonical form; null when it is none. */
  readonly tag: string | null;
}

const UNKNOWN: Locale = { language: null, region: null, tag: null };

/** Never throws: what is no BCP 47 tag is an unknown locale. `de_AT` is read as `de-AT`. */
export function readLocale(text: string | null): Locale {
  if (text === null || text.length > 64) return UNKNOWN;
  try {
    const { language, region, baseName } = new Intl.Locale(text.replaceAll('_', '-'));
    return {
      language: LANGUAGES.find((known) => known === language) ?? null,
      region: region !== undefined && /^[A-Z]{2}$/.test(region) ? region : null,
      tag: baseName,
    };
  } catch {
    return UNKNOWN;
  }
}
