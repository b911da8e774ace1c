/**
 * Which way a question is answered, by its form: by words and meaning, over the graph, or from everywhere.
 *
 * @module knowledge/graph/route
 */
import type { Named } from './rank.ts';

export interface Route {
  /** `hybrid`: words and meaning. `graph`: from what is named to what that names. `global`: a spread over everything that fits. */
  readonly taken: 'hybrid' | 'graph' | 'global';
  /** For people. */
  readonly why: string;
}

/** Asks for a view over much, not for a fact. */
const GLOBAL =
  /(?<!\p{L})(?:summar(?:y|i[sz]e)|overview|main (?:themes?|topics?|points?|ideas?)|key (?:themes?|topics?|takeaways?)|all (?:of )?(?:my|the|these) (?:notes|documents|files)|what (?:is|are) (?:this|these|the) (?:knowledge base|collection|notes|documents|files) about|in general, what|zusammenfass\p{L}*|fass(?:e|en|t)? .{1,80} zusammen|überblick|(?:haupt|wichtigsten |zentralen )themen|worum geht es in (?:meinen|diesen|den|allen) (?:notizen|dokumenten|dateien|texten)|résumé|resumen)(?!\p{L})/iu;
/** One thing by way of another: `the mother of the director of`, `the state where`, `Ann's employer`. */
const RELATION =
  /\p{L}['’]s\s+\p{L}|\b(?:whose|both|same|common|between|related?|connect(?:s|ed|ion)?|earlier|later|older|younger|first|father|mother|spouse|wife|husband|son|daughter|brother|sister|founder|founded|director|author|performers?|composer|owner|employer|member|successor|predecessor|capital|located|born|died|married)\b|\b(?:of|in|by|where|which|who|that|when) (?:the|an?|his|her|their|which|whom)\b|\b(?:that|which|who|where) (?:is|was|were|are|has|had|did|does|\p{L}+ed)\b/iu;
/** Under this share of the best score the second one is close behind it. */
const CLOSE = 0.15;
const MOST_CHARACTERS = 2000;

/**
 * @param named of what the knowledge base names
 * @param margin how far the best hit by words and meaning is before the second, as a share of the range of scores; null: not known
 */
export function routeOf(question: string, named: readonly Named[], margin: number | null): Route {
  const text = question.slice(0, MOST_CHARACTERS);
  if (GLOBAL.test(text)) {
    return { taken: 'global', why: 'it asks for an overview' };
  }
  if (named.length === 0) return { taken: 'hybrid', why: 'it names nothing that the knowledge base names' };
  // A name of one word that no document is about is too often a code or an abbreviation: the graph leads nowhere from there.
  const anchors = named.filter(({ form, isTitle }) => isTitle || form.includes(' '));
  const names = listed(anchors);
  if (anchors.length === 0)
    return { taken: 'hybrid', why: `no document is about ${listed(named)}, and it is no full name` };
  if (RELATION.test(text)) return { taken: 'graph', why: `it asks for something by way of ${names}` };
  if (anchors.length > 1) return { taken: 'graph', why: `it names ${names}` };
  if (margin !== null && margin < CLOSE && anchors.some(({ isTitle }) => isTitle))
    return { taken: 'graph', why: `it names ${names}, and by words and meaning no hit is clearly the best` };
  return { taken: 'hybrid', why: `it asks about ${names}, and asks for nothing by way of it` };
}

/** Of those that are `global`: about all that is there, and not about a part of it that is named. */
export function asksForAll(question: string): boolean {
  const words =
    question
      .slice(0, MOST_CHARACTERS)
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.every((word) => GENERAL.has(word) || /^(?:zusammenfass|summar)/u.test(word));
}

/** Words of which such questions are made. */
const GENERAL: ReadonlySet<string> = new Set(
  (
    'a about all an and are as at base be been brief briefly can central collected collection collections contain contained contains content ' +
    'contents corpus could cover covered covers data deal describe discussed document documents does everything files folder for ' +
    'general give have here i idea ideas important in into is it kb key knowledge library list main major many me mentioned most my ' +
    'note notes of on one or our out outline over overall overview paragraph part parts please point points s say short show some ' +
    'subject subjects t takeaway takeaways tell text texts that the their theme themes there these they this those through to topic topics ' +
    'up us vault we what whats which whole with would you your archive articles entire letters mails pages papers books ' +
    'alle aller alles allem bitte das dem den der die dieser dokumente dokumenten ein eine einen einer es fasse geht gib hauptthemen ' +
    'im in inhalt kurze kurzen meine meinen meiner mir notizen sammlung themen über überblick um von was welche wichtigsten ' +
    'worum zusammen sind allen dateien diesen texten zentralen ' +
    'de des du dans donne est le la les mes moi principaux quels que résumé sont sujets thèmes tous tout un ' +
    'dame del documentos el en los las mis notas principales resumen temas todo todos una haz'
  ).split(' '),
);

function listed(named: readonly Named[]): string {
  return named
    .slice(0, 3)
    .map(({ form }) => `'${form}'`)
    .join(', ');
}
