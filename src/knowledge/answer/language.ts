/**
 * The language in which is said what no document says: refusals, and why a question took its way.
 *
 * @module knowledge/answer/language
 */
import { foldedWords } from './claims/words.ts';

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Words that German questions have and English ones have not. */
const GERMAN: ReadonlySet<string> = new Set(
  (
    'der die das den dem des ein eine einen einem einer ist sind war waren wird werden wurde hat haben kann konnen muss soll darf ' +
    'wer wie wo wann warum wieso wozu welche welcher welches welchen woher wohin wieviel und oder nicht mit von fur auf aus bei nach ' +
    'zum zur im ich du wir ihr sie es mein meine dein ihre uber unter gibt macht heisst bedeutet'
  ).split(' '),
);
const ENGLISH: ReadonlySet<string> = new Set(
  (
    'the a an is are was were be been do does did has have can could will would should may who what when where why how which whose ' +
    'and or not with of for on from by at to into this that these those my your our their it its'
  ).split(' '),
);

/** By a question's small words; English where these do not say. */
export function languageOf(question: string): Language {
  let [german, english] = [0, 0];
  const words = foldedWords(question.slice(0, 2000));
  for (const word of words) {
    if (GERMAN.has(word)) german++;
    if (ENGLISH.has(word)) english++;
  }
  // "Was kostet die Miete?": no English word where German ones follow.
  if (words[0] === 'was' && german > 0) english--;
  return german > english || (german === english && /[äöüß]/iu.test(question)) ? 'de' : 'en';
}

/** Whether a word, folded, is one that German questions are made of, and tells documents not apart. */
export function isGermanSmallWord(word: string): boolean {
  return GERMAN.has(word) || ASKING_GERMAN.has(word);
}

const ASKING_GERMAN: ReadonlySet<string> = new Set(
  (
    'was man hoch viel viele lang lange gross oft bitte sag sage zeig zeige nenne erklare beschreibe alle alles auch als am an bin bist ' +
    'da dass diese dieser dieses diesem diesen es fur hatte hier ihm ihn ihnen ihrem ihren ihrer ins kein keine konnte man mich mir ' +
    'nach noch nur ob seit sein seine sich so soll sollte uns unser unsere vom vor wann wenn wurden wo zu'
  ).split(' '),
);

interface Phrases {
  readonly notAnswered: (reason: string, seen: string) => string;
  readonly nothingNear: string;
  readonly nearest: (list: string, more: number) => string;
  readonly noSentence: string;
  readonly noAnswer: string;
  readonly notSupported: string;
  readonly nothingFound: string;
  readonly noneSpeaks: (words: readonly string[]) => string;
  readonly notAbout: string;
}

const quoted = (words: readonly string[], open: string, close: string): string =>
  words.map((word) => `${open}${word}${close}`).join(', ');

export const PHRASES: Readonly<Record<Language, Phrases>> = {
  en: {
    notAnswered: (reason, seen) => `The documents do not answer this: ${reason}. ${seen}`,
    nothingNear: 'Nothing in the knowledge base came near the question.',
    nearest: (list, more) => `What came nearest: ${list}${more > 0 ? ` and ${more} more` : ''}.`,
    noSentence: 'no sentence of what was found answers it',
    noAnswer: 'the model found no answer in them',
    notSupported: 'nothing that the model wrote is supported by them',
    nothingFound: 'nothing was found',
    noneSpeaks: (words) => `none of them speaks of ${quoted(words, '“', '”')}`,
    notAbout: 'nothing that was found is about what you ask',
  },
  de: {
    notAnswered: (reason, seen) => `Die Dokumente beantworten das nicht: ${reason}. ${seen}`,
    nothingNear: 'Nichts in der Wissensbasis kam der Frage nahe.',
    nearest: (list, more) => `Am nächsten kamen: ${list}${more > 0 ? ` und ${more} weitere` : ''}.`,
    noSentence: 'kein Satz dessen, was gefunden wurde, beantwortet es',
    noAnswer: 'das Modell fand darin keine Antwort',
    notSupported: 'nichts von dem, was das Modell schrieb, ist durch sie belegt',
    nothingFound: 'es wurde nichts gefunden',
    noneSpeaks: (words) => `keines davon spricht von ${quoted(words, '„', '“')}`,
    notAbout: 'nichts von dem, was gefunden wurde, handelt davon',
  },
};

const HYBRID: readonly (readonly [RegExp, string])[] = [
  [/^it asks for an overview$/u, 'sie fragt nach einem Überblick'],
  [
    /^it asks for an overview of everything: passages of (\d+) groups? of names that stand together, the largest around (.+)$/su,
    'sie fragt nach einem Überblick über alles: Passagen aus $1 Gruppen von Namen, die zusammenstehen, die größte um $2',
  ],
  [/^it names nothing that the knowledge base names$/u, 'sie nennt nichts, was die Wissensbasis nennt'],
  [
    /^no document is about (.+), and it is no full name$/su,
    'kein Dokument handelt von $1, und es ist kein voller Name',
  ],
  [/^it asks for something by way of (.+)$/su, 'sie fragt nach etwas über den Weg von $1'],
  [
    /^it names (.+), and by words and meaning no hit is clearly the best$/su,
    'sie nennt $1, und nach Wörtern und Bedeutung ist kein Treffer klar der beste',
  ],
  [/^it names (.+)$/su, 'sie nennt $1'],
  [
    /^it asks about (.+), and asks for nothing by way of it$/su,
    'sie fragt nach $1, und nach nichts auf dem Weg darüber',
  ],
];

/** Why a question took its way; as it is where nothing is known of it in that language. */
export function routeText(why: string, language: Language): string {
  if (language === 'en') return why;
  for (const [pattern, text] of HYBRID) if (pattern.test(why)) return why.replace(pattern, text);
  return why;
}
