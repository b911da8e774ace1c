/**
 * Texts written by hand, apart from the generator: how people ask a model for help with something that holds data of
 * theirs. Values stand between ‹ and ›, behind their class.
 *
 * The first set was written after the detectors and measured once; then rules that it showed to be missing were added
 * (relations, signatures, unknown capitals). The second was written after that and never led to a change. The third holds
 * names only, without cues, and was written after long lists of names came in. Whoever changes a detector because of it moves it into the first and writes another.
 *
 * @module bench/privacy/written
 */

import type { Language } from './dice.ts';
import type { Planted, PlantedText } from './texts.ts';

const SEEN: readonly (readonly [Language, string])[] = [
  [
    'en',
    `can you rewrite this so it sounds less angry? "Hi ‹name:Babajide›, I've been trying to get hold of you since last week. The boiler at ‹address:14 Larkspur Terrace› is still leaking and the kids are freezing. If I don't hear back by Friday I'm calling the council. You know my number but just in case it's ‹phone:07911 123456›. ‹name:Ffion›"`,
  ],
  [
    'en',
    `Summarise this chart note. ‹name:Delacroix, Marguerite›, 67F, DOB ‹birth:11/02/1958›, MRN 00482913, presented with chest pain radiating to the left arm. Daughter (‹name:Odile›) at bedside, reachable on ‹phone:+1 504 555 0187›. BP 142/91, HR 88.`,
  ],
  [
    'en',
    `my terminal prints: remote: Invalid username or password. fatal: Authentication failed for 'https://‹secret:ghp_R7hq2LmZk0sV9tXw3YbNc5PfJd8uGa1EoI6T›@github.com/acme/api.git' what did I do wrong`,
  ],
  [
    'en',
    `Payroll needs this by noon: employee ‹name:Tamsin Achterberg›, start date 3 June 2024, salary 41,500, NI ‹id:SR 48 21 07 C›, pays into sort code 20-32-06, IBAN ‹iban:GB33BUKB20201555555555›. Please turn it into a table.`,
  ],
  [
    'en',
    `Write a polite complaint. I ordered on 12 May (order 114-2938471-0093) with my Mastercard ‹card:5425 2334 3010 9903› and nothing came. Deliver to ‹address:2208 Pecan Hollow Dr, Plano, TX 75074›. Thanks! ‹name:Rosalind K.›`,
  ],
  [
    'en',
    `nginx log: ‹ip:198.51.100.23› - - [10/Oct/2024:13:55:36 +0000] "GET /reset?user=‹email:k.papadakis@hellas-shipping.gr› HTTP/1.1" 200 2326. Is somebody brute forcing us?`,
  ],
  [
    'en',
    `Draft a reference for ‹name:Oluwaseun Bamgbose›, who worked under me at the bakery for three years. ‹name:Seun› was never late. Sign it as ‹name:Henrike Vandersloot›, Head Baker.`,
  ],
  [
    'en',
    `translate to german: "The tenant of flat 6 is Mr ‹name:Kovalenko›. His passport is ‹id:FH482915›, visa until 2026. He can be reached under ‹email:b.kovalenko84@ukr.net›."`,
  ],
  [
    'de',
    `Formuliere bitte eine Kündigung: Ich, ‹name:Leokadia Brzezinski›, wohnhaft ‹address:Drosselgasse 9, 65385 Rüdesheim›, kündige meinen Vertrag Nr. 4482-1190 zum 31.12. Rückfragen an ‹phone:06722 48 19 03› oder ‹email:leokadia.b@t-online.de›.`,
  ],
  [
    'de',
    `Der Kollege ‹name:Thorbjörn› aus der Buchhaltung sagt, die Überweisung auf ‹iban:DE12 5001 0517 0648 4898 90› sei zurückgekommen. Kannst du eine Mail an Frau ‹name:Sachsenhauser› schreiben?`,
  ],
  [
    'de',
    `Patient ‹name:Ingolf Tschirner›, geb. ‹birth:04.07.1951›, klagt seit 3 Wochen über Schwindel. RR 160/95, Puls 72. Hausarzt: Dr. ‹name:Weidenbach›, Tel. ‹phone:0341 9617-220›. Bitte als Arztbrief.`,
  ],
  [
    'de',
    `mein wlan heißt FritzBox7590 und das passwort ist ‹secret:Kaktus#4711blau›, wie ändere ich das? die mac vom drucker ist ‹mac:3c:a6:f6:12:9e:40›`,
  ],
  [
    'de',
    `Steuererklärung: Meine IdNr ist ‹id:47 036 892 816›, die meiner Frau ‹name:Swantje› kommt noch. Wir wohnen seit 2019 ‹address:Am Fischmarkt 3, 20459 Hamburg›. Was kann ich absetzen?`,
  ],
  [
    'de',
    `Schreib eine Einladung zum 40. von ‹name:Cornelius› am 14. Juni um 15 Uhr, Ort: ‹address:Waldschänke, Forstweg 22 in 38667 Bad Harzburg›. Zusagen an ‹name:Malin› (‹phone:0176 55 48 21 90›).`,
  ],
  [
    'es',
    `Necesito un correo para el casero: soy ‹name:Yaiza Perdomo›, alquilo el piso de ‹address:calle Tamaraceite 31, 2.º dcha., 35010 Las Palmas›. Se ha roto el termo. Mi teléfono: ‹phone:628 91 40 33›.`,
  ],
  [
    'es',
    `Redacta una autorización: Yo, ‹name:Eustaquio Villalobos Tena›, con DNI ‹id:54362315K›, autorizo a ‹name:Candela Orduña› a recoger mi paquete en la oficina de Correos.`,
  ],
  [
    'es',
    `el paciente ‹name:Wenceslao› nació el ‹birth:9 de enero de 1949›, toma 20 mg de enalapril cada 12 horas. Su hija ‹name:Araceli Montes› pregunta por el resultado; escribidle a ‹email:aracelimontes.9@outlook.es›.`,
  ],
  [
    'es',
    `¿Por qué falla? curl -u admin:‹secret:Zx9!vbnQ2› http://‹ip:10.44.3.18›:9200/_cat/indices me devuelve 401 Unauthorized`,
  ],
  [
    'es',
    `Transferencia de 1.250,00 EUR a Talleres Ugalde ‹iban:ES91 2100 0418 4502 0005 1332›, concepto factura 2024/118. Confírmalo en un mensaje corto para ‹name:Edurne›.`,
  ],
  [
    'fr',
    `Peux-tu corriger ma lettre ? « Je soussignée ‹name:Philomène Kerbrat›, née le ‹birth:22 août 1978› à Quimper, demeurant ‹address:8 venelle du Pain-Cuit, 29000 Quimper›, atteste sur l'honneur... »`,
  ],
  [
    'fr',
    `‹name:Isidore› m'a laissé un message du ‹phone:07 68 12 90 44›, il veut le double des clés. Réponds-lui que Mme ‹name:Vautrin› passera demain à 18 h.`,
  ],
  [
    'fr',
    `Mon numéro de sécu ‹id:2 55 08 14 168 025 38› n'est pas reconnu sur le site, que faire ? Mon compte est au nom de ‹name:Ghislaine Tavernier›, ‹email:g.tavernier@laposte.net›.`,
  ],
];

const UNSEEN: readonly (readonly [Language, string])[] = [
  [
    'en',
    `Turn this into bullet points: Spoke with ‹name:Marisol Thistlewood› re: claim 88-41207. She slipped outside the Tesco on ‹address:91 Cemetery Road, Sheffield S11 8FP› on 2 Feb. Witness ‹name:Gethin Prosser›, ‹phone:0114 496 0233›, works nights.`,
  ],
  [
    'en',
    `hey so my landlord keeps texting from ‹phone:(312) 555-0176› saying i owe him. i already sent 900 via zelle to ‹email:rentals@kozak-properties.com›. his name's ‹name:Bogdan›. what are my rights in Illinois?`,
  ],
  [
    'en',
    `Make a packing list for ‹name:Ingrid› and the twins. Flight BA2490 leaves at 07:35 on 18 August. Passports: ‹name:Linus› ‹id:548291037›, ‹name:Saskia› ‹id:548291038›.`,
  ],
  [
    'en',
    `Why does this .env not load?\nSTRIPE_KEY=‹secret:sk_live_4eC39HqLyjWDarjtT1zdp7dcXXf1›\nSMTP_PASS=‹secret:wobbly-Teapot-77›\nSMTP_USER=‹email:noreply@larkhill.dev›\nDB_HOST=‹ip:172.18.4.21›`,
  ],
  [
    'en',
    `Dear Sir or Madam, my late husband ‹name:Alasdair Murchison› held account ‹iban:GB29 NWBK 6016 1331 9268 19› with you. He was born on ‹birth:30 November 1946›. Please advise. Yours faithfully, ‹name:Morag Murchison›`,
  ],
  [
    'de',
    `Bitte kürzen: Am Dienstag war ‹name:Frieder Oltmanns› bei uns in der Werkstatt. Sein Golf (‹plate:OL-FO 118›) verliert Öl. Er möchte vor Reparaturbeginn einen Anruf unter ‹phone:0441 – 55 20 91›.`,
  ],
  [
    'de',
    `Hallo, hier ist die ‹name:Jutta› vom Elternbeirat. Könnt ihr mir einen Text für den Kuchenverkauf schreiben? Anmeldung bei ‹name:Beate Krögel›, ‹email:b.kroegel@web.de›.`,
  ],
  [
    'de',
    `Rechnung prüfen: Malerbetrieb Hempel, Kunde ‹name:Raimund Eschweiler›, ‹address:Venloer Str. 214, 50823 Köln›, 3 Räume à 480,00 €, zahlbar auf ‹iban:DE75 5121 0800 1245 1261 99› bis 15.03.2025.`,
  ],
  [
    'de',
    `Übersetze ins Englische: „Meine Großmutter ‹name:Walburga› wurde ‹birth:1931› geboren und lebt im Heim ‹address:Lindenhof, Seestraße 40, 82211 Herrsching›.“`,
  ],
  [
    'es',
    `Ayúdame con el currículum: ‹name:Nerea Goikoetxea›, ‹address:Avenida Sancho el Sabio 12, 4.º A, 20010 Donostia›, ‹phone:+34 688 21 47 05›, ‹email:nerea.goiko@proton.me›. Cinco años de camarera y dos de encargada.`,
  ],
  [
    'es',
    `¿Cómo respondo a esto? «Buenos días, soy ‹name:Hipólito›, del seguro. Necesitamos su NIE ‹id:Y2875359M› y la matrícula ‹plate:4821 KVN› del coche para tramitar el parte.»`,
  ],
  [
    'es',
    `Resume: la vecina del tercero, doña ‹name:Eulalia Cifuentes›, denuncia que ‹name:Gaspar Moltó› deja la basura en el rellano. Piden mediación antes del 30 de abril.`,
  ],
  [
    'fr',
    `Rédige un mot pour la maîtresse : ‹name:Timothée› a de la fièvre. Signé ‹name:Nadège Roquebert›, ‹phone:06 22 81 57 93›.`,
  ],
  [
    'fr',
    `Vérifie ce virement : 740 € vers ‹iban:FR14 2004 1010 0505 0001 3M02 606›, titulaire ‹name:Gwenaël Le Bihan›, motif loyer mars. Il habite ‹address:27 rue des Trois-Frères-Barthélemy, 13006 Marseille›.`,
  ],
  [
    'fr',
    `Erreur de connexion depuis ‹ip:2a01:cb08:8a2:9f00:1c3d:77ff:fe21:4b90›, mot de passe : ‹secret:Tournesol_1889›. Le support m'ignore.`,
  ],
];

/** Written after the lists of names came in, and measured once. */
const LATEST: readonly (readonly [Language, string])[] = [
  ['en', `tell ‹name:Thandiwe› the invoice is late, and copy in ‹name:Declan Moriarty› from accounts`],
  [
    'en',
    `Rewrite: "The board thanked ‹name:Ingrid Halvorsen› for her work; ‹name:Raj Subramanian› takes over in May."`,
  ],
  [
    'en',
    `Minutes of the parents' evening. Present: ‹name:Aoife Gallagher›, ‹name:Tomasz Wójcik›, ‹name:Precious Ndlovu›. Topic: the trip to Wales.`,
  ],
  ['en', `is it rude that ‹name:Marisol› left the group chat after ‹name:Dev› posted the photos`],
  [
    'en',
    `Shorten this eulogy: we remember ‹name:Winifred Ashdown›, gardener, teacher and friend, who never let anyone leave hungry.`,
  ],
  [
    'de',
    `Schreib eine Absage: ‹name:Hannelore Griesbach› hat sich als Köchin beworben, aber ‹name:Yusuf Demir› bekommt die Stelle.`,
  ],
  ['de', `gestern hat ‹name:Torben› den Schlüssel bei ‹name:Gesine› vergessen, wie frage ich nett nach`],
  [
    'de',
    `Protokoll: Anwesend waren ‹name:Wiebke Thomsen›, ‹name:Alois Hinterhuber› und die Hausverwaltung. Die Heizung bleibt aus.`,
  ],
  [
    'es',
    `Redacta una invitación: ‹name:Itziar Mendizábal› y ‹name:Leopoldo Quiñones› se casan el 4 de mayo en Soria.`,
  ],
  ['es', `dile a ‹name:Macarena› que ‹name:Anselmo› ya pagó el alquiler`],
  [
    'es',
    `Resume: el juez citó a ‹name:Fermín Urrutia›, que no acudió; declaró su socia ‹name:Noelia Carballo›.`,
  ],
  [
    'fr',
    `Corrige : hier ‹name:Solène› a croisé ‹name:Baptiste Kermadec› devant la mairie, il avait l'air fatigué.`,
  ],
  ['fr', `Le syndic demande à ‹name:Aurore Vasseur› et à ‹name:Moussa Traoré› de retirer les vélos du hall.`],
  ['fr', `écris un mot d'excuse, ‹name:Maëlys› était malade lundi et ‹name:Côme› aussi`],
];

/** Nothing personal, but places, firms, products and people everybody knows. */
export const PUBLIC_TEXTS: readonly string[] = [
  'Which is better for a weekend in October, San Sebastián or New Orleans? We like food and the sea.',
  'Explain the difference between Visual Studio Code and JetBrains Rider for a beginner.',
  'The European Union and the United States signed the agreement in Geneva after long talks with the World Health Organization.',
  'In Machine Learning, Gradient Descent finds a minimum; the Adam optimizer adapts its rate.',
  'Compare the Roman Empire under Augustus with the Han dynasty in 300 words.',
  'Die Deutsche Bahn fährt von Frankfurt am Main nach Bad Homburg in 20 Minuten.',
  'Was ist der Unterschied zwischen Künstlicher Intelligenz und maschinellem Lernen?',
  'El Camino de Santiago pasa por Castilla y León; el Real Madrid juega en el Santiago Bernabéu.',
  'La Tour Eiffel a été construite pour l’Exposition universelle; le Mont Blanc culmine à 4 806 m.',
  'Write a haiku about Mount Fuji in spring. Do not mention cherry trees.',
];

const SETS = { seen: SEEN, unseen: UNSEEN, latest: LATEST };

/** The texts of a set, their marks taken out. */
export function writtenTexts(set: keyof typeof SETS): PlantedText[] {
  return SETS[set].map(([language, marked]) => {
    let text = '';
    const items: Planted[] = [];
    for (const part of marked.split(/(‹[a-z]+:[^›]*›)/)) {
      const match = /^‹([a-z]+):([^›]*)›$/.exec(part);
      const value = match?.[2] ?? part;
      if (match !== null) {
        items.push({
          class: match[1] as Planted['class'],
          start: text.length,
          end: text.length + value.length,
        });
      }
      text += value;
    }
    return { language, text, items };
  });
}
