/**
 * Texts with planted values and where they stand; neutral texts.
 *
 * @module bench/privacy/texts
 */
import type { PiiClass } from '../../src/gateway/privacy/index.ts';
import { Dice, LANGUAGES, type Language } from './dice.ts';
import { card, iban, id, secret } from './numbers.ts';
import { FILLERS, SENTENCES } from './sentences.ts';
import { DOCUMENTS, ID_PHRASES, NEUTRAL, SECRET_PHRASES } from './templates.ts';
import * as values from './values.ts';

export { LANGUAGES };

export interface Planted {
  readonly class: PiiClass;
  readonly start: number;
  readonly end: number;
}

export interface PlantedText {
  readonly language: Language;
  readonly text: string;
  readonly items: readonly Planted[];
}

const DRAWS = {
  name: values.name,
  email: values.email,
  phone: values.phone,
  card,
  iban,
  ip: values.ip,
  mac: values.mac,
  birth: values.birth,
  plate: values.plate,
  address: values.address,
} as const;

/** `items` of every class in every language, in sentences of their own; and documents with several values. */
export function plantedTexts(seed: number, items: number): PlantedText[] {
  const dice = new Dice(seed);
  const texts: PlantedText[] = [];
  for (const language of LANGUAGES) {
    const sentences = Object.keys(DRAWS).flatMap((each) =>
      Array.from({ length: items }, (_, i) => {
        const list = SENTENCES[language][each]!;
        return list[i % list.length]!;
      }),
    );
    for (let i = 0; i < items; i++) sentences.push('{id}', '{secret}');
    shuffle(dice, sentences);
    while (sentences.length > 0) {
      const some = sentences.splice(0, dice.int(1, 4));
      const lines = some.flatMap((sentence) =>
        dice.next() < 0.5 ? [sentence, dice.of(FILLERS[language])] : [sentence],
      );
      // Greetings, closings and forms stand on lines of their own, as people write them.
      texts.push(
        fill(
          dice,
          language,
          lines.map((line) => line + (/[,\n:]|^\S+ ?:/.test(line) ? '\n' : dice.of([' ', '\n']))).join(''),
        ),
      );
    }
    for (let i = 0; i < Math.ceil(items / 8); i++)
      for (const each of DOCUMENTS) texts.push(fill(dice, language, each));
  }
  return texts;
}

function shuffle<T>(dice: Dice, items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = dice.int(0, i);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}

function fill(dice: Dice, language: Language, template: string): PlantedText {
  let text = '';
  const items: Planted[] = [];
  const plant = (name: PiiClass, value: string) => {
    items.push({ class: name, start: text.length, end: text.length + value.length });
    text += value;
  };
  for (const part of template.split(/(\{[a-z]+\})/)) {
    const name = /^\{([a-z]+)\}$/.exec(part)?.[1];
    if (name === 'id' || name === 'secret') {
      const { kind, value } = name === 'id' ? id(dice, language) : secret(dice);
      const phrase = dice.of((name === 'id' ? ID_PHRASES : SECRET_PHRASES)[kind]!);
      const [before, after] = phrase.split('#') as [string, string];
      text += before;
      plant(name, value);
      text += after;
    } else if (name !== undefined && name in DRAWS) {
      plant(name as PiiClass, DRAWS[name as keyof typeof DRAWS](dice, language));
    } else text += part;
  }
  return { language, text, items };
}

/** Paragraphs of one to three neutral sentences, their numbers drawn. */
export function neutralTexts(seed: number, count: number): string[] {
  const dice = new Dice(seed + 1_000_003);
  const draw = () => dice.of(NEUTRAL).replace(/\{([ndx1]+)\}/g, (_, pattern: string) => dice.fill(pattern));
  return Array.from({ length: count }, () => Array.from({ length: dice.int(1, 3) }, draw).join(' '));
}
