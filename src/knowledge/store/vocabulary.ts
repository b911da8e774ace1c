/**
 * Words for what things are and how they stand to each other: types and properties of schema.org, as many as rules and models
 * can tell apart.
 *
 * @module knowledge/store/vocabulary
 */

/** Types with the one above; `Thing` is above all. */
export const TYPES = {
  Thing: 'Thing',
  Person: 'Thing',
  Organization: 'Thing',
  Place: 'Thing',
  Event: 'Thing',
  CreativeWork: 'Thing',
  Product: 'Thing',
  Taxon: 'Thing',
  Language: 'Thing',
  Corporation: 'Organization',
  CollegeOrUniversity: 'Organization',
  School: 'Organization',
  GovernmentOrganization: 'Organization',
  MusicGroup: 'Organization',
  PoliticalParty: 'Organization',
  SportsTeam: 'Organization',
  Country: 'Place',
  State: 'Place',
  City: 'Place',
  AdministrativeArea: 'Place',
  BodyOfWater: 'Place',
  LandmarksOrHistoricalBuildings: 'Place',
  Mountain: 'Place',
  Book: 'CreativeWork',
  Movie: 'CreativeWork',
  MusicAlbum: 'CreativeWork',
  MusicRecording: 'CreativeWork',
  Painting: 'CreativeWork',
  Periodical: 'CreativeWork',
  Play: 'CreativeWork',
  ScholarlyArticle: 'CreativeWork',
  SoftwareApplication: 'CreativeWork',
  TVSeries: 'CreativeWork',
  VideoGame: 'CreativeWork',
  WebSite: 'CreativeWork',
  SportsEvent: 'Event',
} as const;

export type EntityType = keyof typeof TYPES;

export function isEntityType(value: string): value is EntityType {
  return Object.hasOwn(TYPES, value);
}

/** How one name stands to another: subject, relation, object reads as schema.org has it (`X founder Y`: Y founded X). */
export const RELATIONS = [
  ...(['about', 'actor', 'affiliation', 'alumniOf', 'author', 'award', 'birthPlace', 'brand'] as const),
  ...(['byArtist', 'character', 'children', 'colleague', 'composer', 'containedInPlace'] as const),
  ...([
    'containsPlace',
    'countryOfOrigin',
    'creator',
    'deathPlace',
    'director',
    'editor',
    'founder',
  ] as const),
  ...([
    'foundingLocation',
    'genre',
    'hasOccupation',
    'hasPart',
    'inLanguage',
    'isBasedOn',
    'isPartOf',
  ] as const),
  ...(['knows', 'knowsAbout', 'location', 'manufacturer', 'memberOf', 'mentions', 'musicBy'] as const),
  ...(['nationality', 'organizer', 'owns', 'parent', 'parentOrganization', 'parentTaxon'] as const),
  ...([
    'participant',
    'performer',
    'producer',
    'productionCompany',
    'publisher',
    'sibling',
    'sponsor',
  ] as const),
  ...(['spouse', 'subOrganization', 'translator', 'worksFor', 'relatedTo'] as const),
] as const;

export type Relation = (typeof RELATIONS)[number];

const KNOWN: ReadonlyMap<string, Relation> = new Map(RELATIONS.map((name) => [name.toLowerCase(), name]));

/** The relation of that name, capitals, spaces and underscores aside; `relatedTo` for all others. */
export function relationOf(name: string): Relation {
  return KNOWN.get(name.replace(/[\s_-]/gu, '').toLowerCase()) ?? 'relatedTo';
}
