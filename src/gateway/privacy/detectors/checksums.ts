/**
 * Check digits of numbers that people are known by. Every function takes digits only, unless it says otherwise.
 *
 * @module gateway/privacy/detectors/checksums
 */

const digitAt = (digits: string, i: number) => digits.charCodeAt(i) - 48;

/** Payment cards, ISO/IEC 7812-1 annex B. */
export function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const value = digitAt(digits, digits.length - 1 - i);
    sum += i % 2 === 0 ? value : value > 4 ? value * 2 - 9 : value * 2;
  }
  return sum % 10 === 0;
}

/** IBAN without spaces, capitals: ISO 7064 MOD 97-10, as ISO 13616 has it. */
export function isIbanChecksum(iban: string): boolean {
  let rest = 0;
  for (let i = 0; i < iban.length; i++) {
    const code = iban.charCodeAt((i + 4) % iban.length);
    if (code >= 48 && code <= 57) rest = (rest * 10 + code - 48) % 97;
    else if (code >= 65 && code <= 90) rest = (rest * 100 + code - 55) % 97;
    else return false;
  }
  return rest === 1;
}

/** German Steuer-ID, 11 digits: ISO 7064 MOD 11,10, and one digit of the first ten stands there twice or three times. */
export function isSteuerId(digits: string): boolean {
  if (digits.length !== 11 || digits[0] === '0') return false;
  const counts = new Uint8Array(10);
  let product = 10;
  for (let i = 0; i < 10; i++) {
    const value = digitAt(digits, i);
    counts[value]!++;
    const sum = (value + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  let repeated = 0;
  for (const count of counts) {
    if (count > 3) return false;
    if (count > 1) repeated++;
  }
  return repeated === 1 && (11 - product) % 10 === digitAt(digits, 10);
}

/** Dutch BSN, 8 or 9 digits: weights 9 to 2, the last -1, divisible by 11. */
export function isBsn(digits: string): boolean {
  if (digits.length !== 8 && digits.length !== 9) return false;
  const nine = digits.padStart(9, '0');
  let sum = 0;
  for (let i = 0; i < 8; i++) sum += digitAt(nine, i) * (9 - i);
  sum -= digitAt(nine, 8);
  return sum % 11 === 0 && Number(nine) > 0;
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
/** Spanish DNI (8 digits) and NIE (X, Y or Z and 7 digits), each with its letter, capitals. */
export function isDni(text: string): boolean {
  const first = 'XYZ'.indexOf(text[0] ?? '-');
  const number = first >= 0 ? `${first}${text.slice(1, 8)}` : text.slice(0, 8);
  return text.length === 9 && DNI_LETTERS[Number(number) % 23] === text[8];
}

/** Brazilian CPF, 11 digits: two check digits modulo 11. */
export function isCpf(digits: string): boolean {
  if (digits.length !== 11 || digits === digits[0]!.repeat(11)) return false;
  for (const length of [9, 10]) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += digitAt(digits, i) * (length + 1 - i);
    if (((sum * 10) % 11) % 10 !== digitAt(digits, length)) return false;
  }
  return true;
}

/** French NIR, 15 digits: the last two are 97 minus the first thirteen modulo 97 (departments of Corsica left out). */
export function isNir(digits: string): boolean {
  if (digits.length !== 15 || !/^[12347]/.test(digits)) return false;
  return 97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13));
}

/** US social security number, 9 digits, or ITIN (begins with 9): ranges that are given out. */
export function isSsn(digits: string): boolean {
  if (digits.length !== 9) return false;
  const area = digits.slice(0, 3);
  const group = Number(digits.slice(3, 5));
  if (area === '000' || area === '666' || digits.endsWith('0000')) return false;
  if (area[0] !== '9') return group > 0;
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group !== 89 && group !== 93);
}

/** UK national insurance number, 9 characters, capitals: letters that are given out. */
export function isNino(text: string): boolean {
  return (
    /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(text) && !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(text)
  );
}

const VERHOEFF_PRODUCT = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const VERHOEFF_PERMUTATION = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];
/** Indian Aadhaar, 12 digits that begin with 2 to 9: Verhoeff's check digit. */
export function isAadhaar(digits: string): boolean {
  if (digits.length !== 12 || digits[0]! < '2') return false;
  let check = 0;
  for (let i = 0; i < 12; i++) {
    const value = VERHOEFF_PERMUTATION[i % 8]!.charCodeAt(digitAt(digits, 11 - i)) - 48;
    check = VERHOEFF_PRODUCT[check]!.charCodeAt(value) - 48;
  }
  return check === 0;
}

const FISCAL_ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];
/** Italian codice fiscale, 16 characters, capitals: letter 16 checks the others. */
export function isCodiceFiscale(text: string): boolean {
  if (!/^[A-Z]{6}[0-9L-V]{2}[A-EHLMPR-T][0-9L-V]{2}[A-Z][0-9L-V]{3}[A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const code = text.charCodeAt(i);
    const value = code < 65 ? code - 48 : code - 65;
    sum += i % 2 === 0 ? FISCAL_ODD[value]! : value;
  }
  return text.charCodeAt(15) - 65 === sum % 26;
}
