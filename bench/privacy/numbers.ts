/**
 * Invented numbers with their check digits, and invented secrets.
 *
 * @module bench/privacy/numbers
 */
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
import type { Dice, Language } from './dice.ts';
import type { Draw } from './values.ts';

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
