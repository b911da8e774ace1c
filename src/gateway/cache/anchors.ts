/**
 * What two questions must have exactly in common to have one answer, however close their vectors are.
 *
 * Vectors put "born 1884" beside "born 1914" and "is" beside "is not". So numbers, dates, units, names, quotations,
 * code-like words, negations and words of direction are taken out of each text in their order and compared as lists:
 * any difference is a miss. A text that shows no name (all in lower case, or a script without case) does not say which
 * of its words are names; there each word that carries meaning counts.
 *
 * @module gateway/cache/anchors
 */

/** Lists of each class, joined into one text: equal texts, equal anchors. */
export function anchorsOf(text: string): string {
  const quoted: string[] = [];
  const plain = text
    .normalize('NFKC')
    .trimStart()
    .replace(POLITE, '')
    .replace(QUOTED, (whole, ...groups: unknown[]) => {
      const inner = groups.slice(0, 5).find((group): group is string => typeof group === 'string');
      quoted.push((inner ?? whole).trim());
      return ' ";" ';
    });
  const tokens = [...plain.matchAll(TOKEN)].map(([token], index, all) => ({
    token,
    opens:
      index === 0 ||
      /[.!?:;"\n]/.test(plain.slice(all[index - 1]!.index + all[index - 1]![0].length, all[index]!.index)),
  }));

  const numbers: string[] = [];
  const units: string[] = [];
  const marks: string[] = [];
  const names: string[] = [];
  const codes: string[] = [];
  const content: string[] = [];
  for (const { token, opens } of tokens) {
    const lower = token.toLowerCase().replace(/[’`]/g, "'");
    const number = numberOf(lower);
    if (number !== null) {
      numbers.push(number.value);
      if (number.unit !== '') units.push(unitOf(number.unit) ?? number.unit);
      continue;
    }
    const unit = unitOf(lower);
    if (unit !== null) {
      units.push(unit);
      continue;
    }
    const mark = markOf(lower);
    if (mark !== null) marks.push(mark);
    else if (/[\p{N}_@#/\\]|\p{Ll}\p{Lu}|\w\.\w/u.test(token) || SYMBOL.test(token)) codes.push(token);
    else if (/^\p{Lu}/u.test(token) && !FUNCTION_WORDS.has(stem(lower)) && !(opens && OPENERS.has(lower))) {
      names.push(stem(lower));
    } else if (!FUNCTION_WORDS.has(lower) && !OPENERS.has(lower)) content.push(stem(lower));
  }
  const nameless = names.length === 0;
  return JSON.stringify([numbers, units, marks, names, codes, quoted, nameless ? content : []]);
}

/** The text from where it asks: without a greeting, "please", "could you tell me". */
export function withoutPoliteness(text: string): string {
  return text.trimStart().replace(POLITE, '');
}

/** What a vector is made of: the bare question, always with its mark, whose absence alone moves a vector by a tenth. */
export function questionText(text: string): string {
  return `${withoutPoliteness(text)
    .slice(0, 4096)
    .trimEnd()
    .replace(/[.?!…]{1,8}$/, '')}?`;
}

/** How people begin before they ask. */
const POLITE =
  /^(?:(?:hi|hello|hey|please|ok|okay)[,!.\s]{1,4}){0,3}(?:(?:can|could|would|will) you (?:please )?|do you know |i(?:'d| would) like to know |i want to know )?(?:(?:please )?(?:tell me|explain to me|explain)[,:]? )?/i;

/** Straight and typographic quotations, and code between backticks. */
const QUOTED =
  /"([^"\n]{1,512})"|“([^”\n]{1,512})”|«([^»\n]{1,512})»|„([^“”\n]{1,512})[“”]|`([^`\n]{1,512})`/g;

/** Numbers with signs, separators and what clings to them; words with inner apostrophes, dots, hyphens; symbols. */
const TOKEN =
  /[-+−]?(?:[$€£¥]\s?)?\p{N}[\p{N}.,:/'’-]*(?<![.,:/'’-])(?:\s?[%‰°][CFK]?|[\p{L}]+)?|[\p{L}\p{M}](?:[\p{L}\p{M}\p{N}_@/\\]|['’.-](?=[\p{L}\p{N}]))*[#+]*|[-+*/=<>≤≥≠^%&|~$€£¥@#_\\√∑∫π]+|\p{Extended_Pictographic}/gu;
const SYMBOL = /^[-+*/=<>≤≥≠^%&|~$€£¥@#_\\√∑∫π]|\p{Extended_Pictographic}/u;

const NUMBER_WORDS = new Map<string, string>(
  (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty'
  )
    .split(' ')
    .map((word, index) => [word, String(index)]),
);
for (const [index, word] of 'first second third fourth fifth sixth seventh eighth ninth tenth'
  .split(' ')
  .entries()) {
  NUMBER_WORDS.set(word, `${index + 1}.`);
}
for (const word of 'thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen half third quarter double triple twice once'.split(
  ' ',
)) {
  if (!NUMBER_WORDS.has(word)) NUMBER_WORDS.set(word, word);
}

function numberOf(token: string): { value: string; unit: string } | null {
  const word = NUMBER_WORDS.get(token);
  if (word !== undefined) return { value: word, unit: '' };
  const match = /^([-+−]?)([$€£¥]?)\s?(\p{N}[\p{N}.,:/'’-]*?)(?:\s?([%‰°]\w?|\p{L}+))?$/u.exec(token);
  if (match === null) return null;
  const [, sign, currency, digits, tail = ''] = match;
  // 1,000,000 and 1'000'000 are groups; every other form counts as it is written.
  const plain = /^\d{1,3}([,'’]\d{3})+$/.test(digits!) ? digits!.replace(/[,'’]/g, '') : digits!;
  const ordinal = /^(?:st|nd|rd|th)$/.test(tail);
  return {
    value: `${sign === '−' ? '-' : sign}${plain}${ordinal ? '.' : ''}`,
    unit: ordinal ? (currency ?? '') : `${currency}${tail}`,
  };
}

const UNITS = new Map<string, string>();
for (const line of [
  'km kilometer kilometers kilometre kilometres',
  'm meter meters metre metres',
  'cm centimeter centimeters',
  'mm millimeter millimeters',
  'mi mile miles',
  'ft foot feet',
  'in inch inches',
  'yd yard yards',
  'kg kilo kilos kilogram kilograms',
  'g gram grams',
  'mg milligram milligrams',
  'lb lbs pound pounds',
  'oz ounce ounces',
  't ton tons tonne tonnes',
  'l liter liters litre litres',
  'ml milliliter milliliters',
  'gal gallon gallons',
  's sec secs second seconds',
  'ms millisecond milliseconds',
  'min mins minute minutes',
  'h hr hrs hour hours',
  'd day days',
  'wk week weeks',
  'mo month months',
  'yr yrs year years',
  'decade decades',
  'century centuries',
  '°c c celsius',
  '°f f fahrenheit',
  'k kelvin',
  '% percent percentage',
  '$ usd dollar dollars',
  '€ eur euro euros',
  '£ gbp',
  '¥ yen jpy',
  'cent cents',
  'kb kilobyte kilobytes',
  'mb megabyte megabytes',
  'gb gigabyte gigabytes',
  'tb terabyte terabytes',
  'byte bytes',
  'bit bits',
  'w watt watts',
  'kw kilowatt kilowatts',
  'kwh',
  'v volt volts',
  'a amp amps',
  'hz hertz',
  'ghz',
  'mhz',
  'mph',
  'kph kmh',
  'acre acres',
  'hectare hectares',
  'ha',
  'cal calorie calories',
  'kcal',
  'joule joules',
  'am',
  'pm',
  'bc bce',
  'ad ce',
]) {
  const [canonical, ...forms] = line.split(' ');
  for (const form of [canonical!, ...forms]) UNITS.set(form, canonical!);
}
/** Units that are also plain words or single letters count only where they cling to a number. */
const ONLY_BESIDE_NUMBERS = new Set([
  'm',
  'in',
  'g',
  't',
  'l',
  's',
  'h',
  'd',
  'c',
  'f',
  'k',
  'w',
  'v',
  'a',
  'am',
  'ad',
  'mo',
  'min',
]);

function unitOf(word: string): string | null {
  if (ONLY_BESIDE_NUMBERS.has(word)) return null;
  return UNITS.get(word) ?? null;
}

/** Each line holds forms of one mark. Opposites stand on different lines, so that one never passes for the other. */
const MARKS = new Map<string, string>();
for (const line of [
  "not n't cannot",
  'no',
  'never',
  'without',
  'none nobody nothing neither nor',
  'except excluding',
  'only',
  'all every',
  'any',
  'some',
  'both',
  'or',
  'instead',
  'with',
  'if',
  'unless',
  'before prior',
  'after',
  'since',
  'until till',
  'during',
  'more',
  'less',
  'fewer',
  'most',
  'least',
  'maximum max',
  'minimum min',
  'highest',
  'lowest',
  'largest',
  'smallest',
  'biggest',
  'bigger',
  'smaller',
  'larger',
  'longest',
  'shortest',
  'longer',
  'shorter',
  'fastest',
  'slowest',
  'faster',
  'slower',
  'oldest',
  'youngest',
  'older',
  'younger',
  'newest',
  'best',
  'worst',
  'better',
  'worse',
  'cheapest',
  'cheaper',
  'above over',
  'below under',
  'up',
  'down',
  'in into',
  'out',
  'on',
  'off',
  'to',
  'from',
  'left',
  'right',
  'north northern',
  'south southern',
  'east eastern',
  'west western',
  'increase increases increased raise',
  'decrease decreases decreased reduce lower',
  'buy',
  'sell',
  'add',
  'remove delete',
  'enable',
  'disable',
  'open',
  'close',
  'start begin began',
  'stop end ended',
  'win won',
  'lose lost',
  'true',
  'false',
  'yes',
  'always',
  'next',
  'previous',
  'last',
  'earliest',
  'encode',
  'decode',
  'encrypt',
  'decrypt',
  'install',
  'uninstall',
  'import',
  'export',
  'born birth',
  'die died death',
  'he him his',
  'she her hers',
  'they them their',
  'we us our',
  'male man men boy',
  'female woman women girl',
  'mother',
  'father',
  'who whom',
  'whose',
  'when',
  'where',
  'why',
  'how',
  'which',
  'many',
  'much',
  'old',
  'young',
  'tall',
  'short',
  'hot',
  'cold',
  'safe',
  'unsafe dangerous',
  'legal',
  'illegal',
  'possible',
  'impossible',
  'can could',
  'must',
  'should',
  'may might',
  'avoid',
  'nicht kein keine keinen',
  'nie niemals',
  'ohne',
  'ne pas',
  'jamais',
  'sans',
  'nunca',
  'sin',
  'senza',
  'sem',
  'niet geen',
  'zonder',
  'non',
]) {
  const [canonical, ...forms] = line.split(' ');
  for (const form of [canonical!, ...forms]) MARKS.set(form, canonical!);
}

function markOf(word: string): string | null {
  if (/n't$/.test(word) || /^(?:cant|dont|doesnt|didnt|isnt|arent|wasnt|wont|shouldnt|couldnt)$/.test(word))
    return 'not';
  return MARKS.get(word.replace(/'s$/, '')) ?? null;
}

/** Words that carry no meaning of their own; their absence or presence changes no answer. */
const FUNCTION_WORDS = new Set(
  (
    "a an the of is are was were be been being am do does did has have had it its this that these those there's there " +
    "here as at by for and i me my mine you your yours will would shall what what's whats who's that's it's i'm i'd " +
    "i'll you're please so too also just about then than but let let's got get"
  ).split(' '),
);

/** Words that open a request for something and say nothing about what. */
const OPENERS = new Set(
  (
    'what which who tell say give show explain describe please hi hello hey thanks thank ok okay well could can would ' +
    'will do does did is are was were i you it know wonder wondering want need like help question answer briefly quickly ' +
    'kindly name list find'
  ).split(' '),
);

/** Plural and possessive away; nothing else, since endings carry meaning. */
function stem(word: string): string {
  const bare = word.replace(/'s?$/, '');
  return bare.length > 3 && /[^su]s$/.test(bare) ? bare.slice(0, -1) : bare;
}
