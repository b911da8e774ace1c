/**
 * Words around names of people: titles, introductions, greetings, closings, relations, labels; particles within names;
 * and words that stand where a name could but are none. Lower case, without accents.
 *
 * @module gateway/privacy/detectors/name-cues
 */

const list = (words: string) => new Set(words.trim().split(/\s+/));
const phrases = (text: string) =>
  text
    .trim()
    .split(/\s*,\s*/)
    .map((phrase) => phrase.split(/\s+/));

/** "Mr", "Frau", "Doña": a name follows, after a point or another title. */
export const TITLES = list(`
  mr mrs ms miss mx dr prof professor sir dame madam rev reverend herr herrn frau fraulein hr fr doktor senor senora
  senorita sr sra srta don dona monsieur madame mademoiselle mme mlle mevrouw meneer dhr mevr signor signora dottor
  dott senhor senhora doctor doctora docteur profesor profesora ing lic dipl captain officer judge dra`);

/** Titles that are words of their own: a name follows only after the point that shortens them, or never alone. */
export const WEAK_TITLES = list(
  'fr sr m ing lic dipl don judge officer captain miss doctor professor sir hr dona',
);

/** Phrases that end right before a name that may be anybody's. */
export const STRONG_PHRASES: ReadonlyMap<string, readonly (readonly string[])[]> = byLast(`
  my name is, my name's, name is, i am called, call me, they call me, full name is, his name is, her name is, name was,
  named, called me, maiden name is, known as, goes by, ich heisse, heisse, mein name ist, name ist, mein name lautet,
  heisst, namens, me llamo, mi nombre es, se llama, nombre es, llamado, llamada, je m'appelle, m'appelle, appelle,
  mon nom est, nom est, s'appelle, ik heet, mijn naam is, mi chiamo, il mio nome e, meu nome e, me chamo, chamo`);

/** Phrases before names and before much else: what follows must look like a name. */
export const WEAK_PHRASES: ReadonlyMap<string, readonly (readonly string[])[]> = byLast(`
  i am, i'm, this is, it's, ich bin, hier ist, hier spricht, das ist, soy, habla, je suis, c'est, ici, ik ben, sono,
  spoke with, spoke to, talked to, met with, met, meet, meeting with, ask for, contact, signed by, written by, prepared by, according to, laut, segun, selon, unterschrieben von, wurde von, firmado por, signe par, firmo, habe mit,
  this to, das an, esto a, reenviar a, transmettre a, envoye par, enviado por, geschickt von,
  on behalf of, contacted by, treated by, patient, client, colleague, manager, employee, tenant, applicant,
  gesprochen mit, gesprach mit, treffen mit, getroffen mit, kollege, kollegin, kunde, kundin, patientin, mieter, mieterin,
  nachbar, nachbarin, mitarbeiter, mitarbeiterin, chef, chefin, hable con, hablado con, reunion con, paciente, cliente,
  companero, companera, jefe, jefa, vecino, vecina, inquilino, parle avec, parler a, collegue, voisin, voisine, cliente,
  locataire, undersigned, soussigne, soussignee, unterzeichnete, unterzeichneter, unterzeichnender, infrascrito,
  firmante, wife, husband, son, daughter, brother, sister, mother, father, friend, boss, partner, neighbour, neighbor, aunt,
  uncle, grandmother, grandfather, cousin, landlord, frau, mann, sohn, tochter, bruder, schwester, mutter, vater, freund,
  freundin, tante, onkel, oma, opa, mujer, esposa, marido, esposo, hijo, hija, hermano, hermana, madre, padre, amigo, amiga,
  tio, tia, abuela, abuelo, primo, prima, femme, mari, fils, fille, frere, soeur, mere, pere, ami, amie, tante, oncle`);

/** "Dear", "Hola": a name or a word for somebody follows. */
export const GREETINGS = list(`
  dear hi hello hey liebe lieber hallo geehrte geehrter guten hola querido querida estimado estimada cher chere bonjour
  salut beste hoi ciao gentile caro cara ola prezado prezada moin servus`);

/** Last words of a closing line: the next line that is not empty is a signature. */
export const CLOSINGS = list(`
  regards sincerely yours faithfully truly thanks cheers best wishes respectfully cordially love grusse grussen gruss
  grusse hochachtungsvoll danke dank saludos saludo atentamente cordialmente gracias abrazo abrazos cordialement
  salutations merci bises bisous amicalement groeten groet saluti cordiali atenciosamente abraco lg vg mfg`);

/** "Name:", "Patient:", "Ansprechpartner:": a name follows the colon. */
export const LABELS = list(`
  name names firstname lastname surname fullname patient client customer contact from to cc attn attention applicant tenant
  employee author sender recipient cardholder holder beneficiary signed signature guest passenger student teacher
  manager owner spouse witness buyer seller insured driver candidate user nombre apellido apellidos paciente cliente
  contacto remitente destinatario titular firmado firma empleado solicitante vorname nachname kunde kundin patientin
  ansprechpartner ansprechpartnerin absender empfanger empfangerin mieter mieterin kontoinhaber kontoinhaberin inhaber
  versicherte unterzeichnet gezeichnet gez von an nom prenom locataire expediteur destinataire titulaire signe naam
  nome paciente interlocutor asegurado beneficiario antragsteller antragstellerin bewerber bewerberin mitarbeiter`);

/** Between the words of a name. */
export const PARTICLES = list(
  'von van de der den del della di da do dos das du la le zu zum zur y bin ibn al el ter ten af ni mc mac st san',
);

/** Words that begin with a capital where a name could stand, and are none. */
export const NO_NAMES = list(`
  i the a an and or but if in on at to for from by with of it he she we they you this that these those there here my your
  his her our their its is are was were be been am do does did have has had will would can could should may might must
  not no yes please thanks thank all everyone everybody team sir madam folks colleagues friend friends customer support
  service sales office department company group bank hospital university school city street road avenue monday tuesday
  wednesday thursday friday saturday sunday january february march april june july august september october november
  december today tomorrow yesterday what when where who why how which email phone address date birth born number account
  order invoice re fwd subject sent message best kind regards so just also then now after before since because while ok
  let see new some any each once as inc ltd llc corp gmbh ag sa sl bv
  ich du er sie es wir ihr der die das den dem des ein eine einen einem einer und oder aber wenn im in am an auf aus bei
  mit nach von zu zum zur fur ist sind war waren hat haben wird werden kann konnen nicht kein keine mein meine dein ihre
  unser bitte danke damen herren herr frau alle zusammen leute montag dienstag mittwoch donnerstag freitag samstag
  sonntag januar februar marz mai juni juli oktober dezember heute morgen gestern was wann wo wer warum wie telefon
  adresse datum geburtsdatum geboren nummer konto rechnung bestellung kunde kundin firma bank tag abend mittag nacht als
  dass so auch dann jetzt um dr team kollegen kolleginnen nachricht betreff
  el la los las un una unos unas y o pero si en con de del al por para es son era fue ser estar esta este esto ese esa
  mi tu su nuestro yo ella nosotros ellos usted ustedes no gracias todos todas equipo senor senora senores lunes martes
  miercoles jueves viernes sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
  diciembre hoy manana ayer que cuando donde quien como telefono correo direccion fecha nacimiento numero cuenta pedido
  factura buenos buenas dias tardes noches asunto mensaje
  je tu il elle nous vous ils elles le les un une des et ou mais si dans en avec de du au aux pour par est sont etait
  mon ma mes votre notre non oui merci tous toutes equipe lundi mardi mercredi jeudi vendredi samedi dimanche janvier
  fevrier mars avril juin juillet aout septembre octobre novembre decembre aujourd demain hier quand ou qui comment
  telephone adresse naissance numero compte commande facture monsieur madame mesdames messieurs
  english german spanish french dutch italian portuguese indian american british european deutsch spanisch amazon google
  microsoft apple london berlin madrid paris new york hr api url http https json xml html css sql usd eur gbp id ids ai pdf
  ssn iban bsn dni nie cpf nino tel fax mobile mobil handy movil iso utc gmt kg km cm mm mb gb kb hz ip mac pin tan vat
  world welt mundo monde reader readers todo note warning error info debug true false null none good great hello hi dear hola hallo`);

function byLast(text: string): Map<string, (readonly string[])[]> {
  const map = new Map<string, (readonly string[])[]>();
  for (const phrase of phrases(text)) {
    // The view cuts "i'm" into "i", "'" and "m".
    const tokens = phrase.flatMap((word) => word.split(/(')/)).filter((word) => word !== '');
    const last = tokens.at(-1)!;
    map.set(last, [...(map.get(last) ?? []), tokens]);
  }
  return map;
}
