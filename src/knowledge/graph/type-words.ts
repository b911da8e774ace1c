/**
 * Words that say of what type something is: schema.org's types at the level that rules can tell. A word is left out where names of
 * another type often have it: Ocean, Park and Lake are surnames, Conference and City are clubs.
 *
 * @module knowledge/graph/type-words
 */

import type { EntityType } from '../store/index.ts';

const listed = (type: EntityType, words: string): [string, EntityType][] =>
  words.split(' ').map((word) => [word, type]);

/** What something is said to be: `Ann Lee is a director`, `Red Dust (film)`, frontmatter's `type: book`. */
export const NOUNS: ReadonlyMap<string, EntityType> = new Map([
  ...listed(
    'Person',
    'person man woman actor actress director filmmaker producer screenwriter writer author novelist poet playwright essayist journalist ' +
      'singer songwriter musician composer conductor pianist violinist guitarist drummer bassist rapper painter sculptor artist photographer ' +
      'architect engineer scientist physicist chemist biologist botanist zoologist mathematician astronomer philosopher historian theologian ' +
      'economist psychologist physician surgeon nurse lawyer judge politician statesman diplomat president senator king queen prince princess ' +
      'emperor empress duke duchess earl bishop archbishop cardinal priest monk nun pope saint admiral soldier pilot astronaut footballer ' +
      'cricketer player wrestler boxer swimmer cyclist golfer racer athlete businessman businesswoman entrepreneur executive explorer inventor ' +
      'teacher professor scholar activist dancer choreographer comedian nobleman noblewoman aristocrat editor critic translator linguist',
  ),
  ...listed(
    'Place',
    'place city town village municipality commune country province county district region island islet archipelago river stream lake mountain ' +
      'volcano peninsula sea ocean bay valley desert suburb neighbourhood neighborhood borough street airport harbour harbor building bridge ' +
      'museum stadium castle palace cathedral settlement hamlet township prefecture',
  ),
  ...listed(
    'Organization',
    'organization organisation company corporation university college institute institution foundation association agency ministry bank band ' +
      'orchestra airline publisher charity manufacturer retailer startup nonprofit brewery',
  ),
  ...listed(
    'Event',
    'event war battle siege election tournament championship festival conference referendum ceremony earthquake revolution massacre',
  ),
  ...listed(
    'CreativeWork',
    'film movie novel novella book poem album song opera symphony painting sculpture magazine journal documentary musical sitcom miniseries ' +
      'play telenovela manga comic videogame screenplay',
  ),
]);

/** Beside these, what frontmatter's `type` may be. */
export const PROPERTY_TYPES: ReadonlyMap<string, EntityType> = new Map([
  ...NOUNS,
  ...listed('Person', 'people contact human character'),
  ...listed('Place', 'location venue'),
  ...listed('Organization', 'org business team school club group'),
  ...listed('Event', 'meeting appointment'),
  ...listed('CreativeWork', 'creativework article paper work essay report'),
  ...listed('Thing', 'thing concept topic term'),
]);

/** Last word of a name of several. */
export const LAST: ReadonlyMap<string, EntityType> = new Map([
  ...listed(
    'Organization',
    'inc ltd llc plc corp corporation gmbh company university institute foundation association society federation ministry committee ' +
      'commission council agency airlines airways orchestra',
  ),
  ...listed(
    'Place',
    'river mountain mountains island islands county province valley peninsula desert airport prefecture archipelago canal cathedral stadium ' +
      'museum boulevard avenue',
  ),
  ...listed('Event', 'war olympics election elections festival massacre championship championships'),
  ...listed('Person', 'jr sr phd md esq'),
]);

/** How a name begins, with the word after it. */
export const FIRST: readonly (readonly [RegExp, EntityType])[] = [
  [
    /^(?:university|ministry|department|bank|institute|college|academy|society|association|bureau) (?:of|for) /u,
    'Organization',
  ],
  [/^(?:republic|kingdom|province|county|city|port|gulf|bay|strait|isle) of /u, 'Place'],
  [/^(?:mount|lake) /u, 'Place'],
  [/^(?:battle|siege|war) of (?!the )/u, 'Event'],
];
export const WORLD_WAR = /\b(?:war (?:i|ii|1|2|one|two)|world cup|olympic games)$/u;

/** Before a person's name, with a capital. */
export const HONORIFIC =
  /^(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Dame|Rev|Reverend|Herr|Frau|Monsieur|Madame|Senator|Pope|Emperor|Empress|Princess|President)\.?\s+(?=\p{Lu})/u;

/** Names of countries are mostly names of nothing else; these are names of people too. */
const PEOPLE_TOO = new Set('georgia jordan chad jersey israel dominica guernsey martinique'.split(' '));
const MORE_PLACES =
  'europe|asia|africa|north america|south america|latin america|antarctica|england|scotland|wales|northern ireland|soviet union|usa|united states of america|uk';

/** Countries by their English names, as the runtime knows them. */
export function countriesOf(fold: (name: string) => string): ReadonlySet<string> {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  const found = new Set(MORE_PLACES.split('|'));
  for (let a = 65; a <= 90; a++)
    for (let b = 65; b <= 90; b++) {
      const code = String.fromCharCode(a, b);
      // Codes for private use and for tests, and those of no country.
      if (/^(?:Q[M-Z]|X[A-Z]|ZZ|EU|EZ|UN)$/.test(code)) continue;
      const form = fold(names.of(code) ?? '');
      if (form !== '' && !PEOPLE_TOO.has(form)) found.add(form);
    }
  return found;
}

const NATIONAL = new Set(
  (
    'african american arab argentine asian australian austrian belgian brazilian british bulgarian canadian catalan chilean chinese christian ' +
    'colombian croatian cuban czech danish dutch egyptian english estonian european filipino finnish french german greek hungarian indian ' +
    'indonesian iranian iraqi irish islamic israeli italian jamaican japanese jewish kenyan korean latin malaysian mexican muslim nigerian ' +
    'norwegian pakistani persian peruvian philippine polish portuguese romanian roman russian scandinavian scottish serbian soviet spanish ' +
    'swedish swiss syrian taiwanese thai turkish ukrainian victorian vietnamese welsh'
  ).split(' '),
);

/** Words that are written with a capital in English and name nobody: peoples, as adjectives mostly. */
export const isNational = (form: string): boolean => NATIONAL.has(form);
