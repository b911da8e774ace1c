/**
 * Invented personal data in the forms people write it. Everything is drawn from a seeded source; check digits are right,
 * as they would be in real texts. No value belongs to anybody but by accident.
 *
 * @module bench/privacy/values
 */
import type { Dice, Language } from './dice.ts';
import { FIRST, LAST, PLACES } from './people.ts';

export type Draw = (dice: Dice, language: Language) => string;

const ascii = (text: string) =>
  text
    .normalize('NFD')
    .replace(/[\u0300-\u036f' ]/g, '')
    .replaceAll('ß', 'ss')
    .toLowerCase();

export const name: Draw = (dice, language) => {
  const first = dice.of(FIRST[language]);
  const last = dice.of(LAST[language]);
  const form = dice.int(0, 9);
  if (form === 0) return `${first} ${dice.of(FIRST[language])} ${last}`;
  if (form === 1) return `${first} ${dice.fill('A')}. ${last}`;
  if (form === 2) return `${first} ${last}-${dice.of(LAST[language]).split(' ').at(-1)}`;
  if (form === 3 && language === 'es') return `${first} ${last} ${dice.of(LAST.es)}`;
  return `${first} ${last}`;
};

export const email: Draw = (dice, language) => {
  const first = ascii(dice.of(FIRST[language]));
  const last = ascii(dice.of(LAST[language]));
  const local = dice.of([
    `${first}.${last}`,
    `${first}_${last}${dice.digits(2)}`,
    `${first[0]}${last}`,
    `${last}+news`,
    `info.${last}`,
    `${first}-${dice.digits(4)}`,
    `${first}${dice.digits(1)}`,
    `${first[0]}.${last}`.toUpperCase(),
  ]);
  const domain = dice.of([
    'example.com',
    'gmail.com',
    'mail.example.co.uk',
    `${last}.de`,
    `${last}-partner.org`,
    'posteo.net',
    'uni-example.edu',
    'correo.example.es',
    'firma.io',
    'bücher.example',
    'xn--bcher-kva.example',
  ]);
  const form = dice.int(0, 29);
  if (form === 0) return `${local} (at) ${domain.split('.')[0]} (dot) com`;
  if (form === 1) return `${local}＠${domain}`;
  if (form === 2) return `${local.slice(0, 2)}\u200b${local.slice(2)}@${domain}`;
  if (form === 3) return `${local} [at] example [dot] org`;
  return `${local}@${domain}`;
};

const PHONES: Readonly<Record<Language, readonly string[]>> = {
  en: [
    '(4dn) n5d-dddd',
    '6dn-5nd-dddd',
    '2nd.5nd.dddd',
    '+1 7dn 5nd dddd',
    '1-8nn-nnd-dddd',
    '5nd nnd dddd',
    '+1 (9nd) nnd-dddd',
    '+17nnnnddddd',
    '020 7ddd dddd',
    '+44 20 7ddd dddd',
    '07nnd dddddd',
    '+44 7nnd dddddd',
    '(0161) nnd dddd',
    '+44 (0)113 nnd dddd',
    '07nnd ddd ddd',
    '0044 7nnd dddddd',
    '+91 9nddd ddddd',
    '98ddd ddddd',
    '9ndddddddd',
    '+91-8nddddnddd',
    '0n2-nddddddd',
  ],
  de: [
    '030 / nd dd dd dd',
    '030 nddddddd',
    '0171 nddddddd',
    '0171/nddddddd',
    '0151-nddddddd',
    '+49 30 nddddddd',
    '+49 (0)89 nddddd-dd',
    '+49 171 nddddddd',
    '0049 171 nddddddd',
    '(040) ndd dd-d',
    '06221 ndddd',
    '+4915nnddddddd',
    '0160 ndd dd dd',
    '089-ndddddd',
    '+31 6 nddddddd',
    '06-nddddddd',
    '06 nd dd dd dd',
    '020-ndddddd',
    '0221.ndd.dd.dd',
  ],
  es: [
    '6nd ddd ddd',
    '6nd dd dd dd',
    '91 ndd dd dd',
    '+34 6nd ddd ddd',
    '+34 91 ndd dd dd',
    '6nddddddd',
    '0034 6nd dd dd dd',
    '93 ndd dd dd',
    '7nd-ddd-ddd',
    '+34-6nd-ddd-ddd',
    '(11) 9nddd-dddd',
    '+55 11 9nddd-dddd',
    '21 2ddd-dddd',
    '+55 (21) 9nddd-dddd',
    '(21) 3ddd-dddd',
  ],
  fr: [
    '01 nd dd dd dd',
    '06 nd dd dd dd',
    '06.nd.dd.dd.dd',
    '+33 6 nd dd dd dd',
    '+33 (0)1 nd dd dd dd',
    '07-nd-dd-dd-dd',
    '06nddddddd',
    '0033 6 nd dd dd dd',
    '+336nddddddd',
    '02 nddd dddd',
    '+39 02 nddd dddd',
    '+39 3nd ddd dddd',
    '3nd ddd dddd',
    '06 nddd dddd',
  ],
};
export const phone: Draw = (dice, language) => dice.fill(dice.of(PHONES[language]));

export const ip: Draw = (dice) =>
  dice.of([
    () => `${dice.int(11, 126)}.${dice.int(0, 255)}.${dice.int(0, 255)}.${dice.int(1, 254)}`,
    () => `192.168.${dice.int(0, 255)}.${dice.int(1, 254)}`,
    () => `2001:db8:${dice.fill('nxxx')}::${dice.fill('nxx')}`,
    () => `2a02:${dice.fill('nxx')}:${dice.fill('nxxx:nxxx:nxxx:nxxx:nxxx:nxxx')}`,
    () => `fe80::${dice.fill('nxxx:nxff:fexx:nxxx')}`,
  ])();

export const mac: Draw = (dice) => {
  const sign = dice.of([':', '-']);
  const text = Array.from({ length: 6 }, () => dice.fill('xx')).join(sign);
  return dice.of([text, text.toUpperCase()]);
};

const MONTHS: Readonly<Record<Language, readonly string[]>> = {
  en: 'January February March April May June July August September October November December'.split(' '),
  de: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(' '),
  es: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' '),
  fr: 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre'.split(' '),
};
export const birth: Draw = (dice, language) => {
  const [day, month, year] = [dice.int(1, 28), dice.int(1, 12), dice.int(1940, 2008)];
  const two = (value: number) => String(value).padStart(2, '0');
  const word = MONTHS[language][month - 1]!;
  const figures = [`${year}-${two(month)}-${two(day)}`, `${two(day)}/${two(month)}/${year}`];
  return dice.of(
    {
      en: [
        ...figures,
        `${word} ${day}, ${year}`,
        `${day} ${word} ${year}`,
        `${day}th of ${word} ${year}`,
        `${month}/${day}/${two(year % 100)}`,
      ],
      de: [
        ...figures,
        `${two(day)}.${two(month)}.${year}`,
        `${day}. ${word} ${year}`,
        `${day}.${month}.${two(year % 100)}`,
      ],
      es: [...figures, `${day} de ${word} de ${year}`, `${two(day)}-${two(month)}-${year}`],
      fr: [...figures, `${day} ${word} ${year}`, `${two(day)}.${two(month)}.${year}`],
    }[language],
  );
};

export const plate: Draw = (dice, language) =>
  dice.fill(
    dice.of(
      {
        en: ['AAdd AAA', 'nAAAddd', 'AAA-dddd'],
        de: ['B-AA ndd', 'M AA nddd', 'HH-A nddd', 'KÖL-A ndd'],
        es: ['dddd BCD', 'ddddFGH', 'M-dddd-AA'],
        fr: ['AA-ddd-AA', 'AA ddd AA'],
      }[language],
    ),
  );

export const address: Draw = (dice, language) => {
  const { streets, towns, units } = PLACES[language];
  const number = dice.int(1, 240);
  const letter = dice.next() < 0.15 ? dice.of(['a', 'B', 'c']) : '';
  const street = dice.of(streets).replace('#', `${number}${letter}`);
  const unit = dice.next() < 0.3 ? dice.of(units).replace('#', String(dice.int(1, 20))) : '';
  const plain = dice.of(towns).replace(/\{([^}]*)\}/g, (_, code: string) => dice.fill(code));
  const form = dice.int(0, 9);
  if (form === 0) return `${street}${unit}`;
  return `${street}${unit}${form < 3 ? '\n' : ', '}${plain}`;
};
