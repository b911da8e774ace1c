/**
 * How long an answer stays fresh. The rule, first match wins:
 *
 * 1. `hour` (1 h): tools are offered (what they return changes), a message of the user speaks of now (today, latest,
 *    price, weather, ... in English, German, French, Spanish, Italian, Portuguese and Dutch), any message names the
 *    year, the day or the day before or after of the moment of asking;
 * 2. `month` (30 d): the last message asks for work on what it holds, or for what does not change: to translate,
 *    summarise, correct, rewrite, extract, classify, sort, convert, calculate, define, prove, spell;
 * 3. `day` (24 h): everything else.
 *
 * Only the words of users count for "now": system prompts speak of the current conversation and mean nothing by it.
 *
 * @module gateway/cache/volatility
 */
import type { ChatRequest } from '../types.ts';

export type Volatility = 'hour' | 'day' | 'month';

const HOUR = 3_600_000;
export const FRESH_MS: Readonly<Record<Volatility, number>> = {
  hour: HOUR,
  day: 24 * HOUR,
  month: 30 * 24 * HOUR,
};

/** Characters looked at from the start and from the end of each message. */
const WINDOW = 8192;

const NOW = words(
  // English
  'now today tonight currently current latest recent recently newest nowadays yesterday tomorrow upcoming live',
  'news weather forecast temperature price prices stock stocks score scores trending ongoing deadline schedule',
  'this-week this-month this-year this-morning this-evening this-weekend right-now so-far up-to-date these-days',
  'last-week last-month last-year next-week next-month next-year last-night as-of still-alive how-old exchange-rate',
  // German
  'jetzt heute gestern morgen aktuell aktuelle aktueller aktuellen aktuelles derzeit momentan neueste neuesten',
  'kürzlich wetter nachrichten preis preise kurs diese-woche dieses-jahr diesen-monat letzte-woche nächste-woche',
  // French
  "maintenant aujourd'hui hier demain actuel actuelle actuellement récent récente récemment météo prix dernières",
  'cette-semaine cette-année ce-mois',
  // Spanish, Italian, Portuguese, Dutch
  'ahora hoy ayer mañana actual actualmente reciente clima precio noticias últimas',
  'adesso oggi ieri domani attuale attualmente recente meteo prezzo notizie ora',
  'agora hoje ontem amanhã atual atualmente preço notícias',
  'nu vandaag gisteren huidige actueel onlangs weer nieuws prijs',
);

const SETTLED = words(
  'translate summarise summarize correct proofread rewrite rephrase paraphrase extract classify sort convert',
  'calculate compute define prove spell simplify factor reverse format punctuate',
  'übersetze übersetz zusammenfassen korrigiere berechne definiere',
  'traduis résume corrige calcule définis traduce resume corrige calcula define traduci riassumi correggi',
  'traduza resuma corrija calcule vertaal corrigeer bereken',
);

/** `now`: ms since the epoch. Days are looked at in UTC, with the day before and after for everywhere else. */
export function volatilityOf(request: ChatRequest, now: number): Volatility {
  if ((request.tools ?? []).length > 0) return 'hour';
  const dates = datesAround(now);
  for (const { role, content } of request.messages) {
    const text = windowed(content ?? '').toLowerCase();
    if (dates.test(text) || (role === 'user' && NOW.test(text))) return 'hour';
  }
  const last = request.messages.at(-1);
  // The first words say what to do; the text after them is what to do it with.
  return last?.role === 'user' && SETTLED.test((last.content ?? '').slice(0, 160).toLowerCase())
    ? 'month'
    : 'day';
}

function windowed(text: string): string {
  return text.length <= 2 * WINDOW ? text : `${text.slice(0, WINDOW)}\n${text.slice(-WINDOW)}`;
}

/** A word of the list, whole; `-` stands for white space. */
function words(...lines: readonly string[]): RegExp {
  const list = lines
    .join(' ')
    .split(' ')
    .map((word) => word.replaceAll('-', '\\s{1,4}'));
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${list.join('|')})(?![\\p{L}\\p{N}])`, 'u');
}

/** The year as a number of its own, and yesterday, today and tomorrow as people write them without it. */
function datesAround(now: number): RegExp {
  const day = 86_400_000;
  const today = Math.floor(now / day);
  if (known?.day === today) return known.dates;
  const forms = [-day, 0, day].flatMap((shift) => {
    const date = new Date(now + shift);
    const [d, m] = [date.getUTCDate(), date.getUTCMonth() + 1];
    const months = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl'].flatMap((locale) => {
      const name = date.toLocaleDateString(locale, { month: 'long', timeZone: 'UTC' }).toLowerCase();
      return [
        `0?${d}(?:st|nd|rd|th|\\.)?\\s{1,4}(?:of |de )?${name}`,
        `${name}\\s{1,4}0?${d}(?:st|nd|rd|th)?`,
      ];
    });
    return [
      String(date.getUTCFullYear()),
      `0?${d}\\.\\s?0?${m}\\.`,
      `0?${m}/0?${d}`,
      `0?${d}/0?${m}`,
      ...months,
    ];
  });
  const dates = new RegExp(`(?<![\\p{L}\\p{N}])(?:${[...new Set(forms)].join('|')})(?![\\p{L}\\p{N}])`, 'u');
  known = { day: today, dates };
  return dates;
}

/** Names of months are slow to get; they change once a day. */
let known: { readonly day: number; readonly dates: RegExp } | null = null;
