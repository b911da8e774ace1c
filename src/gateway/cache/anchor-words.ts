/**
 * The words that anchors are made of: numbers, units, marks of negation and direction, and words that say nothing.
 *
 * @module gateway/cache/anchor-words
 */

/** Entries stand between bars; each holds its forms, the one that they are counted as first. */
const listed = (text: string) => text.split('|').map((line) => line.trim());

export const NUMBER_WORDS = new Map<string, string>(
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
const LARGER =
  'thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion ' +
  'dozen half quarter double triple twice once';
for (const word of LARGER.split(' ')) {
  NUMBER_WORDS.set(word, word);
}

const UNITS = new Map<string, string>();
for (const line of listed(`
  km kilometer kilometers kilometre kilometres | m meter meters metre metres | cm centimeter centimeters
  | mm millimeter millimeters | mi mile miles | ft foot feet | in inch inches | yd yard yards
  | kg kilo kilos kilogram kilograms | g gram grams | mg milligram milligrams | lb lbs pound pounds
  | oz ounce ounces | t ton tons tonne tonnes | l liter liters litre litres | ml milliliter milliliters
  | gal gallon gallons | s sec secs second seconds | ms millisecond milliseconds | min mins minute minutes
  | h hr hrs hour hours | d day days | wk week weeks | mo month months | yr yrs year years | decade decades
  | century centuries | °c c celsius | °f f fahrenheit | k kelvin | % percent percentage
  | $ usd dollar dollars | € eur euro euros | £ gbp | ¥ yen jpy | cent cents | kb kilobyte kilobytes
  | mb megabyte megabytes | gb gigabyte gigabytes | tb terabyte terabytes | byte bytes | bit bits
  | w watt watts | kw kilowatt kilowatts | kwh | v volt volts | a amp amps | hz hertz | ghz | mhz | mph
  | kph kmh | acre acres | hectare hectares | ha | cal calorie calories | kcal | joule joules | am | pm
  | bc bce | ad ce`)) {
  const [canonical, ...forms] = line.split(' ');
  for (const form of [canonical!, ...forms]) UNITS.set(form, canonical!);
}
/** Units that are also plain words or single letters count only where they cling to a number. */
const ONLY_BESIDE_NUMBERS = new Set('m in g t l s h d c f k w v a am ad mo min'.split(' '));

/** `counted`: a number stands right before the word. Even there "in" and "a" are seldom inches and amperes. */
export function unitOf(word: string, counted = false): string | null {
  if (ONLY_BESIDE_NUMBERS.has(word) && (!counted || word === 'in' || word === 'a')) return null;
  return UNITS.get(word) ?? null;
}

/** Each line holds forms of one mark. Opposites stand on different lines, so that one never passes for the other. */
const MARKS = new Map<string, string>();
for (const line of listed(`
  not n't cannot | no | never | without | none nobody nothing neither nor | except excluding | only
  | all every | any | some | both | or | instead | with | if | unless | before prior | after | since
  | until till | during | more | less | fewer | most | least | maximum max | minimum min | highest | lowest
  | largest | smallest | biggest | bigger | smaller | larger | longest | shortest | longer | shorter
  | fastest | slowest | faster | slower | oldest | youngest | older | younger | newest | best | worst
  | better | worse | cheapest | cheaper | above over | below under | up | down | in into | out | on | off
  | to | from | left | right | north northern | south southern | east eastern | west western
  | increase increases increased raise | decrease decreases decreased reduce lower | buy | sell | add
  | remove delete | enable | disable | open | close | start begin began | stop end ended | win won
  | lose lost | true | false | yes | always | next | previous | last | earliest | encode | decode | encrypt
  | decrypt | install | uninstall | import | export | born birth | die died death | he him his
  | she her hers | they them their | we us our | male man men boy | female woman women girl | mother
  | father | who whom | whose | when | where | why | how | which | many | much | old | young | tall | short
  | hot | cold | safe | unsafe dangerous | legal | illegal | possible | impossible | can could | must
  | should | may might | avoid | nicht kein keine keinen | nie niemals | ohne | ne pas | jamais | sans
  | nunca | sin | senza | sem | niet geen | zonder | non`)) {
  const [canonical, ...forms] = line.split(' ');
  for (const form of [canonical!, ...forms]) MARKS.set(form, canonical!);
}

export function markOf(word: string): string | null {
  if (/n't$/.test(word) || /^(?:cant|dont|doesnt|didnt|isnt|arent|wasnt|wont|shouldnt|couldnt)$/.test(word))
    return 'not';
  return MARKS.get(word.replace(/'s$/, '')) ?? null;
}

/** Words that carry no meaning of their own; their absence or presence changes no answer. */
export const FUNCTION_WORDS = new Set(
  (
    "a an the of is are was were be been being am do does did has have had it its this that these those there's there " +
    "here as at by for and i me my mine you your yours will would shall what what's whats who's that's it's i'm i'd " +
    "i'll you're please so too also just about then than but let let's got get"
  ).split(' '),
);

/** Words that open a request for something and say nothing about what. */
export const OPENERS = new Set(
  (
    'what which who tell say give show explain describe please hi hello hey thanks thank ok okay well could can would ' +
    'will do does did is are was were i you it know wonder wondering want need like help question answer briefly quickly ' +
    'kindly name list find'
  ).split(' '),
);
