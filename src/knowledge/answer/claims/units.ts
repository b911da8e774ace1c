/**
 * Units and what else stands beside a number, by their many names.
 *
 * @module knowledge/answer/claims/units
 */
export interface Unit {
  /** What units of one kind share: numbers of one kind can be compared by their factors. */
  readonly kind: string;
  readonly factor: number;
}

/** Kind: names, each list with its factor. Names are folded; those with capitals that matter are in `EXACT`. */
const TABLE: Readonly<Record<string, readonly (readonly [factor: number, names: string])[]>> = {
  percent: [[1, '% percent prozent pct']],
  length: [
    [1e-9, 'nm nanometer nanometre nanometers nanometres'],
    [1e-6, 'µm μm um micron microns micrometer micrometre micrometers micrometres'],
    [1e-3, 'mm millimeter millimetre millimeters millimetres'],
    [1e-2, 'cm centimeter centimetre centimeters centimetres zentimeter'],
    [1, 'm meter metre meters metres'],
    [1e3, 'km kilometer kilometre kilometers kilometres'],
    [0.0254, 'inch inches'],
    [0.3048, 'ft foot feet'],
    [0.9144, 'yd yard yards'],
    [1609.344, 'mi mile miles meile meilen'],
  ],
  mass: [
    [1e-9, 'µg μg microgram micrograms'],
    [1e-6, 'mg milligram milligrams'],
    [1e-3, 'g gram grams gramm'],
    [1, 'kg kilogram kilograms kilogramm'],
    [1e3, 't ton tons tonne tonnes tonnen'],
    [0.45359237, 'lb lbs'],
    [0.028349523125, 'oz ounce ounces'],
  ],
  volume: [
    [1e-3, 'ml milliliter millilitre milliliters millilitres'],
    [1, 'l liter litre liters litres'],
  ],
  time: [
    [1e-3, 'ms millisecond milliseconds'],
    [1, 's sec secs second seconds sekunde sekunden'],
    [60, 'min mins minute minutes minuten'],
    [3600, 'h hr hrs hour hours stunde stunden'],
    [86_400, 'day days tag tage tagen'],
    [604_800, 'week weeks woche wochen'],
  ],
  month: [
    [1, 'month months monat monate monaten'],
    [12, 'year years yr yrs jahr jahre jahren'],
  ],
  bytes: [
    [1, 'byte bytes'],
    [1e3, 'kb kilobyte kilobytes'],
    [1e6, 'mb megabyte megabytes'],
    [1e9, 'gb gigabyte gigabytes'],
    [1e12, 'tb terabyte terabytes'],
    [1024, 'kib'],
    [1024 ** 2, 'mib'],
    [1024 ** 3, 'gib'],
    [1024 ** 4, 'tib'],
  ],
  power: [
    [1, 'w watt watts'],
    [1e3, 'kw kilowatt kilowatts'],
    [1e6, 'mw megawatt megawatts'],
    [1e9, 'gw gigawatt gigawatts'],
  ],
  energy: [
    [1, 'kwh'],
    [1e3, 'mwh'],
  ],
  frequency: [
    [1, 'hz hertz'],
    [1e3, 'khz'],
    [1e6, 'mhz'],
    [1e9, 'ghz'],
  ],
  celsius: [[1, '°c celsius']],
  fahrenheit: [[1, '°f fahrenheit']],
  usd: [[1, '$ usd us$ dollar dollars']],
  eur: [[1, '€ eur euro euros']],
  gbp: [[1, '£ gbp sterling']],
  jpy: [[1, '¥ jpy yen']],
  chf: [[1, 'chf franken francs']],
  // A weight or money: whichever stands on the other side.
  pound: [[1, 'pound pounds']],
};

const UNITS: ReadonlyMap<string, Unit> = new Map(
  Object.entries(TABLE).flatMap(([kind, rows]) =>
    rows.flatMap(([factor, names]) => names.split(' ').map((name) => [name, { kind, factor }] as const)),
  ),
);

const POUND: Readonly<Record<string, number>> = { pound: 1, gbp: 1, mass: 0.45359237 };

/** Factors by which numbers of two units are compared; null when they cannot be. */
export function comparable(a: Unit, b: Unit): readonly [a: number, b: number] | null {
  if (a.kind === b.kind) return [a.factor, b.factor];
  if (a.kind === 'pound') return b.kind in POUND ? [POUND[b.kind]!, b.factor] : null;
  if (b.kind === 'pound') return a.kind in POUND ? [a.factor, POUND[a.kind]!] : null;
  return null;
}

/** Letters that are a unit only as they are: `5 M` is no length. */
const EXACT: Readonly<Record<string, string>> = { M: '', T: '', G: '', H: '', S: '', W: 'w', L: 'l' };

/** Null when it is none. @param word as it stands in the text */
export function unitOf(word: string): Unit | null {
  const exact = EXACT[word];
  return UNITS.get(exact ?? word.toLowerCase()) ?? null;
}

const SCALES: Readonly<Record<string, number>> = {
  ...{ hundred: 100, thousand: 1e3, million: 1e6, billion: 1e9, trillion: 1e12 },
  ...{ hundreds: 100, thousands: 1e3, millions: 1e6, billions: 1e9, trillions: 1e12 },
  ...{ mio: 1e6, mrd: 1e9, millionen: 1e6, milliarde: 1e9, milliarden: 1e9, tausend: 1e3, hundert: 100 },
  ...{ k: 1e3, mn: 1e6, bn: 1e9, m: 1e6, b: 1e9, dozen: 12 },
};

/** Of `3.5 million`, `5k`; null when the word is none. `attached`: nothing stands between it and the number. */
export function scaleOf(word: string, attached: boolean): number | null {
  const folded = word.toLowerCase();
  // One letter is a scale only right behind the number, and `m` only as a capital: `5 m` is a length.
  if (folded.length === 1 && (!attached || word === 'm' || word === 'b')) return null;
  return SCALES[folded] ?? null;
}

const SMALL = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen ' +
  'nineteen'
).split(' ');
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth'.split(
  ' ',
);

/** Value of `seven`, `twenty`, `twenty-one`; null when it is no number. */
export function wordValue(word: string): number | null {
  const folded = word.toLowerCase();
  const small = SMALL.indexOf(folded);
  if (small >= 0) return small;
  const [tens, ones] = folded.split('-');
  const ten = TENS.indexOf(tens!);
  if (ten < 0) return null;
  if (ones === undefined) return (ten + 2) * 10;
  const one = SMALL.indexOf(ones);
  return one > 0 && one < 10 ? (ten + 2) * 10 + one : null;
}

/** Value of `third`; null when it is none. */
export function ordinalValue(word: string): number | null {
  const at = ORDINALS.indexOf(word.toLowerCase());
  return at < 0 ? null : at + 1;
}

const MONTHS = [
  'january jan januar janvier enero',
  'february feb februar fevrier febrero',
  'march mar maerz marz mars marzo',
  'april apr avril abril',
  'may mai mayo',
  'june jun juni juin junio',
  'july jul juli juillet julio',
  'august aug aout agosto',
  'september sept sep septembre septiembre',
  'october oct oktober okt octobre octubre',
  'november nov novembre noviembre',
  'december dec dezember dez decembre diciembre',
].map((names) => new Set(names.split(' ')));

/** 1 to 12, or 0. @param folded without accents, in lower case */
export function monthOf(folded: string): number {
  return MONTHS.findIndex((names) => names.has(folded)) + 1;
}
