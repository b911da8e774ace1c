/**
 * Invented personal data in the forms people write it. Everything is drawn from a seeded source; check digits are right,
 * as they would be in real texts. No value belongs to anybody but by accident.
 *
 * @module bench/privacy/values
 */
import { createSeededRandom, type Random } from '../../src/base/index.ts';
import {
  isBsn,
  isCpf,
  isDni,
  isIbanChecksum,
  isLuhn,
  isNino,
  isNir,
  isSsn,
  isSteuerId,
} from '../../src/gateway/privacy/detectors/checksums.ts';
import { FIRST, LAST, PLACES } from './people.ts';

export const LANGUAGES = ['en', 'de', 'es', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Choices from a seeded source. */
export class Dice {
  readonly #random: Random;
  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
  }
  next(): number {
    return this.#random.float();
  }
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }
  of<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }
  chars(alphabet: string, length: number): string {
    return Array.from({ length }, () => this.of([...alphabet])).join('');
  }
  digits(length: number): string {
    return this.chars('0123456789', length);
  }
  /** `d`: a digit, `n`: 1 to 9, `A`: a capital, `x`: a hexadecimal digit; the rest is itself. */
  fill(pattern: string): string {
    return pattern.replace(/[dnAx]/g, (c) =>
      c === 'd'
        ? this.digits(1)
        : c === 'n'
          ? this.chars('123456789', 1)
          : c === 'A'
            ? this.chars('ABCDEFGHJKLMNPRSTVWXYZ', 1)
            : this.chars('0123456789abcdef', 1),
    );
  }
  /** Draws until the check agrees. */
  until(draw: () => string, check: (text: string) => boolean): string {
    for (let tries = 0; tries < 100_000; tries++) {
      const text = draw();
      if (check(text)) return text;
    }
    throw new Error('No value passes its own check.');
  }
}

type Draw = (dice: Dice, language: Language) => string;

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

export const card: Draw = (dice) => {
  const [prefix, length] = dice.of([
    ['4', 16],
    ['51', 16],
    ['55', 16],
    ['2221', 16],
    ['37', 15],
    ['34', 15],
    ['6011', 16],
    ['36', 14],
    ['3528', 16],
  ] as const);
  const digits = dice.until(() => prefix + dice.digits(length - prefix.length), isLuhn);
  const sign = dice.of(['', ' ', ' ', '-']);
  if (sign === '') return digits;
  if (length === 16) return digits.replace(/(\d{4})(?=\d)/g, `$1${sign}`);
  return digits.replace(/^(\d{4})(\d{6})/, `$1${sign}$2${sign}`);
};

export const iban: Draw = (dice) => {
  const pattern = dice.of([
    'DEdddddddddddddddddddd',
    'ESdddddddddddddddddddddd',
    'NLddAAAAdddddddddd',
    'GBddAAAAdddddddddddddd',
    'FRdddddddddddddddddddddddAd',
    'ITddAdddddddddddddddddddddd',
    'ATdddddddddddddddddd',
    'BEdddddddddddddd',
    'CHddddddddddddddddddd',
    'PTddddddddddddddddddddddd',
  ]);
  // The pattern's own country letters must not be filled.
  const plain = dice.until(() => pattern.slice(0, 2) + dice.fill(pattern.slice(2)), isIbanChecksum);
  const form = dice.int(0, 4);
  if (form === 0) return plain;
  if (form === 1) return plain.toLowerCase();
  return plain.replace(/(.{4})(?=.)/g, form === 2 ? '$1-' : '$1 ');
};

const group = (text: string, lengths: readonly number[], signs: readonly string[]): string => {
  let out = '';
  let at = 0;
  for (const [i, length] of lengths.entries()) {
    out += (i === 0 ? '' : signs[Math.min(i - 1, signs.length - 1)]!) + text.slice(at, at + length);
    at += length;
  }
  return out;
};

/** Kind of the id and the id: templates name the kind as people would. */
export function id(dice: Dice, language: Language): { kind: string; value: string } {
  const kind = dice.of(
    {
      en: ['ssn', 'ssn', 'nino', 'passport_en'],
      de: ['steuer', 'steuer', 'bsn', 'passport_de'],
      es: ['dni', 'dni', 'nie', 'cpf'],
      fr: ['nir', 'passport_fr'],
    }[language],
  );
  switch (kind) {
    case 'ssn': {
      const digits = dice.until(() => dice.digits(9), isSsn);
      return {
        kind,
        value: dice.of([group(digits, [3, 2, 4], ['-']), group(digits, [3, 2, 4], [' ']), digits]),
      };
    }
    case 'nino': {
      const text = dice.until(() => dice.fill('AAdddddd') + dice.of(['A', 'B', 'C', 'D']), isNino);
      return { kind, value: dice.of([text, group(text, [2, 2, 2, 2, 1], [' ']), text.toLowerCase()]) };
    }
    case 'steuer': {
      const digits = dice.until(() => dice.fill('ndddddddddd'), isSteuerId);
      return {
        kind,
        value: dice.of([digits, group(digits, [2, 3, 3, 3], [' ']), group(digits, [2, 3, 3, 3], ['/'])]),
      };
    }
    case 'bsn': {
      const digits = dice.until(() => dice.fill('ndddddddd'), isBsn);
      return {
        kind,
        value: dice.of([digits, group(digits, [4, 2, 3], ['.']), group(digits, [3, 3, 3], [' '])]),
      };
    }
    case 'dni': {
      const text = dice.until(() => dice.fill('ddddddddA'), isDni);
      return {
        kind,
        value: dice.of([
          text,
          `${text.slice(0, 8)}-${text[8]}`,
          `${group(text.slice(0, 8), [2, 3, 3], ['.'])}-${text[8]}`,
          text.toLowerCase(),
        ]),
      };
    }
    case 'nie': {
      const text = dice.until(() => `${dice.of(['X', 'Y', 'Z'])}${dice.fill('dddddddA')}`, isDni);
      return { kind, value: dice.of([text, `${text[0]}-${text.slice(1, 8)}-${text[8]}`]) };
    }
    case 'cpf': {
      const digits = dice.until(() => dice.digits(11), isCpf);
      return { kind, value: dice.of([digits, group(digits, [3, 3, 3, 2], ['.', '.', '-'])]) };
    }
    case 'nir': {
      const digits = dice.until(
        () =>
          `${dice.of(['1', '2'])}${dice.digits(2)}0n75`.replace('n', dice.chars('123456789', 1)) +
          dice.digits(8),
        isNir,
      );
      return { kind, value: dice.of([digits, group(digits, [1, 2, 2, 2, 3, 3, 2], [' '])]) };
    }
    case 'passport_en':
      return { kind, value: dice.fill(dice.of(['ndddddddd', 'Adddddddd'])) };
    case 'passport_de':
      return { kind, value: dice.fill(dice.of(['C0nAddAdd', 'L0dAxddd']).replace('x', 'X')) };
    default:
      return { kind, value: dice.fill('ddAAddddd') };
  }
}

const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Kind of the secret and the secret. `shaped` ones are known anywhere; others need words around them. */
export function secret(dice: Dice): { kind: string; value: string } {
  const base64 = (length: number) => dice.chars(`${BASE62}-_`, length);
  const kind = dice.of([
    'key',
    'key',
    'key',
    'jwt',
    'pem',
    'aws_secret',
    'bearer',
    'password',
    'password',
    'url',
    'random',
  ]);
  switch (kind) {
    case 'key':
      return {
        kind,
        value: dice.of([
          `sk-proj-${dice.chars(BASE62, 40)}1`,
          `sk-ant-api03-${base64(40)}7`,
          `ghp_${dice.chars(BASE62, 35)}4`,
          `github_pat_${dice.chars(BASE62, 30)}2`,
          `AKIA${dice.chars('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 15)}3`,
          `AIza${base64(34)}5`,
          `xoxb-${dice.digits(11)}-${dice.chars(BASE62, 24)}`,
          `hf_${dice.chars(BASE62, 33)}6`,
          `glpat-${base64(19)}8`,
          `sk_live_${dice.chars(BASE62, 23)}9`,
          `npm_${dice.chars(BASE62, 35)}0`,
        ]),
      };
    case 'jwt':
      return { kind, value: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIi${base64(30)}.${base64(43)}` };
    case 'pem': {
      const type = dice.of(['', 'RSA ', 'EC ', 'OPENSSH ']);
      const lines = Array.from({ length: 4 }, () => dice.chars(`${BASE62}+/`, 64)).join('\n');
      return {
        kind,
        value: `-----BEGIN ${type}PRIVATE KEY-----\n${lines}\n-----END ${type}PRIVATE KEY-----`,
      };
    }
    case 'aws_secret':
      return { kind, value: `${dice.chars(`${BASE62}`, 38)}4a` };
    case 'bearer':
      return { kind, value: `${dice.chars(BASE62, 30)}9b` };
    case 'url':
      return { kind, value: `${dice.chars(BASE62, 8)}${dice.of(['!', '#1', '%21', ''])}x7` };
    case 'random':
      return { kind, value: dice.of([`${dice.chars('0123456789abcdef', 40)}`, `${base64(31)}3`]) };
    default:
      return {
        kind,
        value: dice.of([
          `${dice.of(['Sommer', 'blue', 'Tiger', 'casa', 'qwerty'])}${dice.digits(4)}!`,
          dice.chars(`${BASE62}!?%&*+`, 12) + dice.digits(1),
          `${dice.of(['correct', 'grün'])}-horse-${dice.digits(2)}`,
          `P@ss${dice.digits(3)}`,
        ]),
      };
  }
}

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
