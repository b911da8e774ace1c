/**
 * Whom to call, by country. Numbers change: each row names the pages that publish its numbers, with the date of the page
 * where it was read for this list, and the month the row speaks of. Nobody dialled them for this list.
 *
 * @module gateway/ladder/crisis/helplines
 */
import type { Language } from '../locale.ts';

export interface Line {
  readonly name: string;
  /** As it is dialled in the country. */
  readonly number: string;
}

export interface Helplines {
  /** Police and ambulance; one number, or several. */
  readonly emergency: string;
  readonly selfHarm: readonly Line[];
  readonly violence: readonly Line[];
}

const line = (name: string, number: string): Line => ({ name, number });

/** By ISO 3166-1 alpha-2. */
export const HELPLINES: Readonly<Record<string, Helplines>> = {
  // 988lifeline.org; thehotline.org and ovc.ojp.gov (2022-01-20); as of 2026-11.
  US: {
    emergency: '911',
    selfHarm: [line('988 Suicide & Crisis Lifeline', '988')],
    violence: [line('National Domestic Violence Hotline', '1-800-799-7233')],
  },
  // 988.ca (a service since 2023-11-30); as of 2026-11. Lines against violence are run by province: 211.ca names them.
  CA: {
    emergency: '911',
    selfHarm: [line('9-8-8 Suicide Crisis Helpline', '988')],
    violence: [line('211', '211')],
  },
  // samaritans.org; nhs.uk (111, option 2); nationaldahelpline.org.uk; as of 2026-11.
  GB: {
    emergency: '999',
    selfHarm: [line('Samaritans', '116 123'), line('NHS', '111')],
    violence: [line('National Domestic Abuse Helpline', '0808 2000 247')],
  },
  // samaritans.org (Ireland); womensaid.ie (2016-09-05); as of 2026-11.
  IE: {
    emergency: '112 / 999',
    selfHarm: [line('Samaritans', '116 123')],
    violence: [line("Women's Aid", '1800 341 900')],
  },
  // lifeline.org.au; 1800respect.org.au; as of 2026-11.
  AU: {
    emergency: '000',
    selfHarm: [line('Lifeline', '13 11 14')],
    violence: [line('1800RESPECT', '1800 737 732')],
  },
  // mentalhealth.org.nz (1737); govt.nz, domestic and family violence; as of 2026-11.
  NZ: {
    emergency: '111',
    selfHarm: [line('1737 Need to talk?', '1737')],
    violence: [line("Women's Refuge", '0800 733 843')],
  },
  // telemanas.mohfw.gov.in; Government of India in the Lok Sabha (2025-12-12) for 112 and 181; as of 2026-11.
  IN: {
    emergency: '112',
    selfHarm: [line('Tele-MANAS', '14416')],
    violence: [line('Women Helpline', '181')],
  },
  // telefonseelsorge.de; hilfetelefon.de (116 016 since 2023-06-01); as of 2026-11.
  DE: {
    emergency: '112 / 110',
    selfHarm: [line('TelefonSeelsorge', '0800 1110111 / 116 123')],
    violence: [line('Hilfetelefon „Gewalt gegen Frauen“', '116 016')],
  },
  // telefonseelsorge.at; frauenhelpline.at; as of 2026-11.
  AT: {
    emergency: '112 / 133 / 144',
    selfHarm: [line('TelefonSeelsorge', '142')],
    violence: [line('Frauenhelpline gegen Gewalt', '0800 222 555')],
  },
  // 143.ch; ch.ch for 117 and 144; as of 2026-11. Help for victims is run by canton: opferhilfe-schweiz.ch.
  CH: {
    emergency: '112 / 117 / 144',
    selfHarm: [line('Die Dargebotene Hand, La Main Tendue, Telefono Amico', '143')],
    violence: [line('Die Dargebotene Hand, La Main Tendue, Telefono Amico', '143')],
  },
  // service-public.fr A15206 (2021-09-29) for 3114; arretonslesviolences.gouv.fr for 3919; as of 2026-11.
  FR: {
    emergency: '112 / 15 / 17',
    selfHarm: [line('Numéro national de prévention du suicide', '3114')],
    violence: [line('Violences Femmes Info', '3919')],
  },
  // zelfmoord1813.be; preventionsuicide.be; ecouteviolencesconjugales.be; 1712.be; as of 2026-11.
  BE: {
    emergency: '112 / 101',
    selfHarm: [
      line('Zelfmoordlijn (NL)', '1813'),
      line('Centre de prévention du suicide (FR)', '0800 32 123'),
    ],
    violence: [line('1712 (NL)', '1712'), line('Écoute violences conjugales (FR)', '0800 30 030')],
  },
  // sanidad.gob.es (024, since 2022-05-10); violenciagenero.igualdad.gob.es for 016; as of 2026-11.
  ES: {
    emergency: '112',
    selfHarm: [line('Línea de atención a la conducta suicida', '024')],
    violence: [line('Violencia de género', '016')],
  },
  // gob.mx/conasama (800 911 2000; 2025-12-24); as of 2026-11. The line also takes calls about violence.
  MX: {
    emergency: '911',
    selfHarm: [line('Línea de la Vida', '800 911 2000')],
    violence: [line('Línea de la Vida', '800 911 2000')],
  },
  // telefonoamico.it (10 to 24 h); 1522.eu; as of 2026-11.
  IT: {
    emergency: '112',
    selfHarm: [line('Telefono Amico Italia', '02 2327 2327')],
    violence: [line('Antiviolenza e stalking', '1522')],
  },
  // sns24.gov.pt (1411, since 2025-09-10); cig.gov.pt; as of 2026-11.
  PT: {
    emergency: '112',
    selfHarm: [line('Linha Nacional de Prevenção do Suicídio', '1411')],
    violence: [line('Linha de apoio a vítimas de violência doméstica', '800 202 148')],
  },
  // cvv.org.br (188); gov.br/mulheres (Ligue 180); as of 2026-11.
  BR: {
    emergency: '190 / 192',
    selfHarm: [line('CVV', '188')],
    violence: [line('Central de Atendimento à Mulher', '180')],
  },
  // 113.nl (113 since 2020-07); veiligthuis.nl; as of 2026-11.
  NL: {
    emergency: '112',
    selfHarm: [line('113 Zelfmoordpreventie', '113 / 0800 0113')],
    violence: [line('Veilig Thuis', '0800 2000')],
  },
};

/**
 * Countries of the European Union without a row of their own: the emergency number of all of them (Directive (EU)
 * 2018/1972, article 109), and 116 123 and 116 016, which most of them have (Commission Decision 2007/116/EC as amended).
 */
export const EU_OTHERS: ReadonlySet<string> = new Set(
  'BG CY CZ DK EE FI GR HR HU LT LU LV MT PL RO SE SI SK'.split(' '),
);
export const EU_LINES: Helplines = {
  emergency: '112',
  selfHarm: [line('116 123', '116 123')],
  violence: [line('116 016', '116 016')],
};

/** Where a language alone leaves the country open: countries whose lines are shown, each under its name. */
export const COUNTRIES_OF: Readonly<Record<Language, readonly string[]>> = {
  en: ['US', 'CA', 'GB', 'IE', 'AU', 'NZ', 'IN'],
  de: ['DE', 'AT', 'CH'],
  fr: ['FR', 'BE', 'CH', 'CA'],
  es: ['ES', 'MX', 'US'],
  it: ['IT', 'CH'],
  pt: ['PT', 'BR'],
  nl: ['NL', 'BE'],
};

/** The lines of a country; null where none are known here. */
export function helplinesOf(region: string): Helplines | null {
  if (Object.hasOwn(HELPLINES, region)) return HELPLINES[region]!;
  return EU_OTHERS.has(region) ? EU_LINES : null;
}
