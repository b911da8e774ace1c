/**
 * Words of postal addresses, lower case, without accents.
 *
 * @module gateway/privacy/detectors/address-words
 */

const list = (words: string) => new Set(words.trim().split(/\s+/));

/** English, behind the name: "12 Park Lane". */
export const STREET_SUFFIXES = list(`
  street st avenue ave road rd lane ln drive dr boulevard blvd court ct way place pl square sq terrace ter close crescent
  gardens parkway pkwy highway hwy circle cir row mews grove trail trl plaza walk rise view hill quay loop alley path
  green common broadway expressway turnpike marg nagar salai chowk`);

/** German and Dutch, at the end of the name: "Hauptstraße", "Prinsengracht". */
export const STREET_ENDINGS = [
  ...[
    'strasse',
    'str',
    'weg',
    'platz',
    'allee',
    'gasse',
    'ring',
    'damm',
    'ufer',
    'chaussee',
    'steig',
    'stieg',
  ],
  ...[
    'promenade',
    'graben',
    'straat',
    'laan',
    'plein',
    'gracht',
    'kade',
    'singel',
    'dijk',
    'steeg',
    'pad',
    'berg',
  ],
  ...['hof', 'markt', 'park', 'wall', 'zeile', 'pfad', 'brucke', 'burg', 'tor', 'garten', 'feld', 'tal'],
];

/** Endings that are street names only after a capital of their own or in a longer word, and much else besides. */
export const WEAK_ENDINGS = new Set([
  'ring',
  'pad',
  'berg',
  'hof',
  'markt',
  'park',
  'wall',
  'burg',
  'tor',
  'garten',
  'feld',
  'tal',
  'str',
  'singel',
  'brucke',
  'weg',
]);

/** In front of the name, the number behind it: "Calle Mayor, 5", "Via Roma 12", "Rua Augusta, 200". */
export const STREET_TYPES = list(`
  calle avenida avda av plaza pza plza paseo camino carretera ronda travesia glorieta rambla carrer callejon cuesta
  urbanizacion via viale piazza corso largo vicolo rua travessa alameda praca estrada rodovia strada`);

/** In front of the name, the number before it: "12 rue de la Paix". */
export const FRENCH_TYPES = list(`
  rue avenue av boulevard bd blvd place chemin allee impasse quai cours route square passage faubourg ruelle sentier
  esplanade venelle mail parvis rond villa cite hameau lieu`);

/** "Am Markt 5", "An der Alster 12", "Unter den Linden 77". */
export const GERMAN_STARTS = list('am an auf im in zum zur unter hinter vor bei');

/** Before a street's name: "Alte Poststraße". */
export const ADJECTIVES = list(
  'alte alter altes neue neuer neues grosse grosser kleine obere untere hohe lange kurze breite',
);

/** After "Am", "Im" without being a street: "Im Jahr 2023". */
export const NO_STREETS = list(`
  jahr jahre monat tag abschnitt kapitel artikel absatz durchschnitt schnitt alter anhang band heft teil punkt schritt bild
  abbildung tabelle zeile seite version vergleich wert rahmen bereich raum gleis bahnsteig freitag samstag sonntag montag
  dienstag mittwoch donnerstag quartal kapital hospital spital total januar februar marz april mai juni juli august september oktober november dezember ende
  anfang beispiel paragraph saal zimmer terminal gate platz rang`);

export const ARTICLES = list(
  `de del la las los el le les du des d l der den dem die das of the y e di da do dos das della dei delle san santa`,
);

/** Parts of a building: "Apt 4B", "piso 3", "Wohnung 12". */
export const UNITS = list(`
  apt apartment suite ste unit flat floor fl room building bldg piso puerta planta escalera esc bajo izquierda izq
  derecha dcha ptal portal bloque appt appartement etage bat batiment wohnung whg og stock interno scala apto bloco
  casa sala`);

/** A locality may follow after "in", "en". */
export const IN_WORDS = list('in en a nel em te');

/** States of the US by their two letters. */
export const US_STATES = list(`
  AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC
  SD TN TX UT VT VA WA WV WI WY DC`);

/** The rest of the line behind them and a colon is an address. */
export const ADDRESS_LABELS = list(`
  address adresse anschrift direccion domicilio lieferadresse rechnungsadresse adres indirizzo endereco street strasse
  domicile postanschrift`);
