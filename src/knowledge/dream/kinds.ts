/**
 * What a thing is called, and the type of schema.org for that: finer than what the graph tells by itself.
 *
 * @module knowledge/dream/kinds
 */
import { NOUNS } from '../graph/type-words.ts';
import { type EntityType, isEntityType, TYPES } from '../store/index.ts';

const listed = (type: EntityType, words: string): [string, EntityType][] =>
  words.split(' ').map((word) => [word, type]);

const FINE: ReadonlyMap<string, EntityType> = new Map([
  ...listed('Corporation', 'company corporation manufacturer retailer startup airline brewery conglomerate'),
  ...listed('CollegeOrUniversity', 'university college'),
  ...listed('School', 'school academy'),
  ...listed('GovernmentOrganization', 'agency ministry department'),
  ...listed('MusicGroup', 'band orchestra duo trio quartet'),
  ...listed('PoliticalParty', 'party'),
  ...listed('SportsTeam', 'team club'),
  ...listed('Country', 'country republic kingdom'),
  ...listed('City', 'city town'),
  ...listed(
    'AdministrativeArea',
    'province county district municipality commune prefecture township borough region village',
  ),
  ...listed('State', 'state'),
  ...listed('BodyOfWater', 'river stream lake sea ocean bay creek reservoir tributary'),
  ...listed('Mountain', 'mountain volcano peak'),
  ...listed(
    'LandmarksOrHistoricalBuildings',
    'building bridge museum castle palace cathedral stadium church temple',
  ),
  ...listed('Book', 'novel novella book memoir autobiography biography'),
  ...listed('Movie', 'film movie documentary'),
  ...listed('MusicAlbum', 'album ep mixtape'),
  ...listed('MusicRecording', 'song single'),
  ...listed('Painting', 'painting'),
  ...listed('Periodical', 'magazine journal newspaper periodical'),
  ...listed('Play', 'play'),
  ...listed('TVSeries', 'series sitcom miniseries telenovela'),
  ...listed('VideoGame', 'videogame game'),
  ...listed('SoftwareApplication', 'software application app library framework tool'),
  ...listed('WebSite', 'website site'),
  ...listed('SportsEvent', 'tournament championship match'),
  ...listed('Taxon', 'species genus family subspecies'),
  ...listed('Language', 'language dialect'),
  ...listed(
    'Place',
    'community park garden area hotel farm territory reserve forest square trail highway road waterfall',
  ),
  ...listed('Organization', 'diocese congregation'),
  ...listed('AdministrativeArea', 'gmina arrondissement canton'),
  ...listed(
    'Person',
    'sailor judoka runner equestrian shooter gymnast rower fencer skier skater biathlete jockey coach officer clergyman missionary ' +
      'preacher businessperson sprinter jumper thrower weightlifter broadcaster presenter banker baritone soprano tenor',
  ),
  ...listed('Product', 'product device vehicle car aircraft'),
]);

/** Stations send or are stopped at. */
const BEFORE: Readonly<Record<string, EntityType>> = {
  ...{ radio: 'Organization', television: 'Organization', tv: 'Organization' },
  ...{ railway: 'Place', train: 'Place', metro: 'Place', rail: 'Place', power: 'Place', bus: 'Place' },
};

/**
 * The type of what is called so; null where the word says nothing.
 *
 * @param before the word before it
 */
export function typeOfNoun(noun: string, before = ''): EntityType | null {
  const word = noun.toLowerCase();
  if (/^stations?$/u.test(word)) return BEFORE[before.toLowerCase()] ?? null;
  for (const form of [word, word.replace(/s$/u, ''), word.replace(/ies$/u, 'y')]) {
    const type = FINE.get(form) ?? NOUNS.get(form);
    if (type !== undefined && isEntityType(type)) return type;
  }
  return null;
}

/** Whether a thing of type `type` is a `wanted`, itself or by a type above. Types that Kith does not know are nothing else. */
export function isKindOf(type: string, wanted: EntityType): boolean {
  let at: string = type;
  for (;;) {
    if (at === wanted) return true;
    if (!isEntityType(at) || at === 'Thing') return false;
    at = TYPES[at];
  }
}
