/**
 * Whether a message shows somebody in danger: by cues in seven languages, all of which are looked for in every message.
 *
 * Cues are words, and words miss what people leave unsaid. It is a net under the last step of the ladder, no assessment
 * of anybody.
 *
 * @module gateway/ladder/crisis/detect
 */
import { LANGUAGES, type Language } from '../locale.ts';
import { DE } from './cues/de.ts';
import { EN } from './cues/en.ts';
import { ES } from './cues/es.ts';
import { FR } from './cues/fr.ts';
import { IT } from './cues/it.ts';
import { NL } from './cues/nl.ts';
import { PT } from './cues/pt.ts';
import {
  type CompiledCues,
  compile,
  type Danger,
  KINDS,
  plainText,
  TAKEN_OUT,
  withoutQuotations,
} from './cues.ts';

export interface Crisis {
  readonly danger: Danger;
  /** Language of the cue. */
  readonly language: Language;
}

const CUES: Readonly<Record<Language, CompiledCues>> = {
  en: compile(EN),
  de: compile(DE),
  fr: compile(FR),
  es: compile(ES),
  it: compile(IT),
  pt: compile(PT),
  nl: compile(NL),
};

/** UTF-16 units that are read at the beginning and at the end of a longer message, each. */
const READ = 3000;

/** Words of messages about wording: what stands in quotation marks there is said by nobody here. */
const WORDING =
  /\b(?:translat\w*|novel|story|character|scene|dialogue|lyrics?|song|poem|movie|film|quote|essay|ubersetz\w*|roman|figur|szene|lied|gedicht|zitat|aufsatz|tradui\w*|traduct\w*|chanson|personnage|traduc\w*|traduz\w*|novela|cancion|personaje|romanzo|canzone|personaggio|romance|musica|personagem|vertaal\w*|liedje|personage)\b/;

/**
 * The danger that a message shows, the most urgent first; null when it shows none.
 *
 * @param preferred language that counts when cues of several fit
 */
export function findCrisis(message: string, preferred: Language | null = null): Crisis | null {
  const read = message.length > 2 * READ ? `${message.slice(0, READ)}\n${message.slice(-READ)}` : message;
  const plain = plainText(read);
  const spoken = WORDING.test(plain) ? withoutQuotations(plain) : plain.replaceAll('"', '');
  const languages =
    preferred === null ? LANGUAGES : [preferred, ...LANGUAGES.filter((one) => one !== preferred)];
  const texts = languages.map((language) => {
    const { not, kin } = CUES[language];
    const text = spoken.replace(not, TAKEN_OUT);
    return { language, text, marked: text.replace(kin, 'kq $& kq') };
  });
  for (const danger of KINDS) {
    for (const { language, text, marked } of texts) {
      const cues = CUES[language].kinds[danger];
      if (cues.some((one) => one.cue.test(one.marked ? marked : text))) return { danger, language };
    }
  }
  return null;
}
