/**
 * Invented people and places: names common and rare, from the places where the languages are spoken.
 *
 * @module bench/privacy/people
 */
import type { Language } from './dice.ts';

const words = (list: string) => list.trim().split(/\s*,\s*/);

export const FIRST: Readonly<Record<Language, readonly string[]>> = {
  en: words(`Emma, Oliver, Priya, Wren, Thandiwe, Marcus, Siobhán, Declan, Aaliyah, Grace, Nnamdi, Harriet, Will, Rohan,
    Keisha, Tobias, Mei, Jasper, Imogen, Darnell, Zadie, Ethan, Chloe, Ravi, Beatrix, Malik, Hope, Gareth, Lakshmi, Quinn,
    Ottoline, Jamal, Freya, Desmond, Anjali, Caspian, Philippa, Tyrone, Mabel, Kwame`),
  de: words(`Jürgen, Annika, Mehmet, Ute, Lasse, Friederike, Björn, Ayşe, Hannelore, Käthe, Torsten, Leni, Emre, Gudrun,
    Sönke, Mareike, Horst, Elif, Wilhelm, Jannis, Rosemarie, Detlef, Svea, Özlem, Matthäus, Ilse, Kilian, Traudl, Yusuf,
    Heidrun, Fiete, Sabine, Dieter, Nele, Wolfgang, Anneliese, Cem, Birte, Ludger, Maximilian`),
  es: words(`María José, Íñigo, Lucía, Joaquín, Itziar, Álvaro, Guadalupe, Rocío, Xavi, Noelia, Santiago, Aitana, Ximena,
    Baltasar, Inmaculada, Jordi, Nayeli, Esteban, Pilar, Rodrigo, Yolanda, Thiago, Begoña, Facundo, Milagros, Ramiro,
    Concepción, Emiliano, Montserrat, Lautaro, Ainhoa, Gonzalo, Remedios, Ernesto, João, Beatriz, Nuria, Óscar, Leire, Iker`),
  fr: words(`Hélène, Jean-Luc, Aurélie, Thibault, Fatou, Gaël, Océane, Maëlys, Étienne, Capucine, Ousmane, Solène, Bertrand,
    Chloé, Anaïs, Loïc, Clémence, Mamadou, Geneviève, Corentin, Léa, Raphaël, Yasmine, Édouard, Manon, Rémi, Ginette,
    Quentin, Apolline, Giuseppe, Chiara, Lorenzo, Noémie, Baptiste, Zinédine, Margaux, Kévin, Colette, Florian, Inès`),
};

export const LAST: Readonly<Record<Language, readonly string[]>> = {
  en: words(`Smith, Oduya, O'Connor, Whitfield, Patel, Mokoena, MacLeod, Young, Fitzgerald, Nguyen, Okafor, Baker, Hargreaves,
    Washington, Sato, Llewellyn, Cohen, Rao, Adeyemi, Stone, Featherstone, Kowalski, Iyer, Brown, St. Clair, Ramsbottom,
    Achebe, Novak, Price, Villanueva`),
  de: words(`Müller, Schmidt, Yılmaz, von der Heide, Groß, Çelik, Lüdenscheidt, Öztürk, Becker, Weiß, Koch, zu Guttenstein,
    Nowak, Jäger, Schröder, Hünerbein, Klein, Petersen, Vogt, Kaya, Zimmermann, Ostermeier, Böhm, Schwarz, Thiele, Rauch,
    Ehrlich, Wächter, Brandt, Pfaff`),
  es: words(`García, de la Torre, Fernández, Etxeberria, Núñez, Ruiz, Quispe, Cabrera, Peña, Vázquez, Mamani, Ibáñez, Soler,
    Puig, Carrasco, Montoya, del Río, Rojas, Sepúlveda, Oliveira, da Silva, Bermúdez, Castaño, Toledo, Guerra, Blanco,
    Iglesias, Arana, Zubiri, Ocampo`),
  fr: words(`Dupont, Lefèvre, Diallo, Le Goff, Moreau, de Villiers, Traoré, Bernard, Petit, Nguyen, Girard, Benali, Rousseau,
    Charpentier, Leclerc, Mbaye, Fontaine, Du Pré, Chevalier, Rossi, Bianchi, Perrin, Legrand, Boulanger, Marchand, Renard,
    Haddad, Gauthier, Blanc, Étienne`),
};

interface Places {
  /** `#`: the house number. */
  readonly streets: readonly string[];
  /** In braces: patterns of digits (`d`, `n`) and capitals (`A`). */
  readonly towns: readonly string[];
  readonly units: readonly string[];
}

export const PLACES: Readonly<Record<Language, Places>> = {
  en: {
    streets: [
      ...[
        '# Maple Street',
        '# W. 42nd St',
        '# Old Mill Road',
        '# Kingsway',
        '# Station Rd',
        '# Elm Grove Lane',
      ],
      ...[
        '# Martin Luther King Jr Blvd',
        "# St. John's Avenue",
        '# Birchwood Close',
        '# Ocean View Drive',
        '# The Green',
      ],
      ...[
        '# High Street',
        '# Broadway',
        '# Rosewood Ct.',
        '# MG Road',
        '# Park Place',
        '# North Sycamore Ave',
      ],
    ],
    towns: [
      ...[
        'Springfield, IL {ndddd}',
        'Portland, OR {ndddd}',
        'Leeds LS{n} {n}AB',
        'London SW{n}A {n}AA',
        'Austin, TX {ndddd}',
      ],
      ...[
        'Manchester M{nd} {n}BE',
        'Bengaluru {nddddd}',
        'New York, NY {ndddd}',
        'Stratford-upon-Avon CV{nd} {n}QW',
        'Dublin',
      ],
    ],
    units: [', Apt #', ', Flat #', ' Unit #', ', Suite #', ' Apt. #'],
  },
  de: {
    streets: [
      ...[
        'Hauptstraße #',
        'Lange Str. #',
        'Karl-Marx-Allee #',
        'Am Markt #',
        'Unter den Linden #',
        'Gartenweg #',
      ],
      ...[
        'Schillerplatz #',
        'Alte Poststraße #',
        'An der Alster #',
        'Goethestr. #',
        'Prinsengracht #',
        'Kirchgasse #',
      ],
      ...['Berliner Ring #', 'Im Wiesengrund #', 'Neuer Wall #', 'Straße des 17. Juni #', 'Dorpsstraat #'],
    ],
    towns: [
      '{ndddd} Berlin',
      '{ndddd} Bad Homburg',
      '{ndddd} Köln',
      '{nddd} Wien',
      '{nddd} AB Utrecht',
      'D-{ndddd} Halle',
      '{nddd} Zürich',
      'Hamburg',
    ],
    units: [', 3. OG', ', Wohnung #', ', Whg. #'],
  },
  es: {
    streets: [
      ...[
        'Calle de Alcalá, #',
        'C/ Mayor, #',
        'Avenida de la Constitución #',
        'Avda. Diagonal, #',
        'Plaza España #',
      ],
      ...[
        'Paseo de la Castellana, #',
        'Calle San Juan nº #',
        'Ronda de Atocha, #',
        'Camino Viejo #',
        'Gran Vía, #',
      ],
      ...['Rua Augusta, #', 'Av. Insurgentes Sur #', 'Carrer de Balmes, #', 'Calle 8 de Marzo, #'],
    ],
    towns: [
      '{ndddd} Madrid',
      '{ndddd} San Sebastián',
      '{ndddd} Sevilla',
      '{0dddd} Palma de Mallorca',
      'São Paulo - SP, {0nddd}-000',
      '{0dddd} Ciudad de México',
      'Valencia',
    ],
    units: [', 3º B', ', piso #', ', bajo', ', 2º izq.'],
  },
  fr: {
    streets: [
      ...[
        '# rue de la Paix',
        '#, avenue Victor Hugo',
        '# bis boulevard Saint-Michel',
        '# place du Marché',
        '# chemin des Vignes',
      ],
      ...[
        "# rue de l'Église",
        '# impasse Pasteur',
        '# quai de Jemmapes',
        '# allée des Tilleuls',
        '# cours Lafayette',
        'Via Roma, #',
      ],
      ...['Via Giuseppe Garibaldi #', 'Piazza San Marco, #', '# rue du 8 mai 1945'],
    ],
    towns: [
      '750{nd} Paris',
      '{ndddd} Lyon',
      '{ndddd} Aix-en-Provence',
      '{ndddd} Saint-Denis',
      '00184 Roma',
      '20121 Milano',
      '{ndddd} Le Havre',
      'Bordeaux',
    ],
    units: [', appt #', ', bât. B', ', 2e étage'],
  },
};
