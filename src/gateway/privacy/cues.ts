/**
 * Words that tell what the value near them is, in English, German, Spanish, French and, for common words, Dutch,
 * Italian and Portuguese. Lower case, without accents.
 *
 * @module gateway/privacy/cues
 */

export const PHONE_CUE = 1;
export const ID_CUE = 2;
export const PASSPORT_CUE = 4;
export const BIRTH_CUE = 8;
export const SECRET_CUE = 16;
export const PLATE_CUE = 32;
/** What follows is a version, an order, a book: no number of a person. */
export const OTHER_CUE = 64;
export const CARD_CUE = 128;
export const ADDRESS_CUE = 256;
export const PASSWORD_CUE = 512;
/** Hashes of contents, which are long and random but not secret. */
export const HASH_CUE = 1024;
export const VERSION_CUE = 2048;
export const SSN_CUE = 4096;
export const BSN_CUE = 8192;
export const TAX_CUE = 16_384;
export const IP_CUE = 32_768;
/** A number of some kind: a person's where nothing says otherwise. */
export const NUMBER_CUE = 65_536;
export const IBAN_CUE = 131_072;

const words = (list: string) => list.trim().split(/\s+/);

const LISTS: readonly (readonly [mask: number, list: string])[] = [
  [
    PHONE_CUE,
    `phone phones telephone tel telf mobile cell cellphone call calls called calling ring rang dial fax hotline text
    whatsapp signal sms landline reach reached voicemail contact helpline
    telefon telefonnummer telefonisch handy handynummer mobil mobilnummer mobilfunk rufnummer ruf rufen anrufen angerufen
    anruf erreichbar erreichen erreichst festnetz durchwahl ruckruf zuruckrufen kontakt
    telefono movil celular llama llamar llame llamame llamenos llamada fijo contacto contactar telefonico
    telephonique appeler appelez appelle portable joindre joignable mobile fixe rappeler rappelez contacter
    telefoon telefoonnummer mobiel bel bellen gebeld bereikbaar cellulare chiamare chiamami chiama chiamate
    telefone ligar ligue zap celular`,
  ],
  [
    ID_CUE,
    `ssn itin nino nin insurance identity national identification identifier
    ausweis personalausweis ausweisnummer steuer steuerid identifikationsnummer idnr steueridentifikationsnummer tin
    dni nie nif documento identidad cedula bsn burgerservicenummer sofinummer cpf cadastro securite sociale insee nir
    codice fiscale aadhaar pan secu`,
  ],
  [SSN_CUE, 'ssn itin socialsecurity security taxpayer'],
  [BSN_CUE, 'bsn burgerservicenummer sofinummer sofi burgerservice'],
  [
    TAX_CUE,
    `steuer steuerid steuernummer identifikationsnummer idnr steueridentifikationsnummer steueridnummer steuerliche
    tin taxid tax idnummer`,
  ],
  [
    PASSPORT_CUE,
    `passport passports passportno reisepass reisepassnummer pass passnummer ausweis ausweisnummer personalausweis
    personalausweisnummer pasaporte passeport paspoort passaporto passaporte paspoortnummer`,
  ],
  [
    BIRTH_CUE,
    `born birth birthday birthdate dob dateofbirth bday geboren geburtsdatum geburtstag geb geburt nacido nacida nacio
    naci nacimiento cumpleanos naissance nee anniversaire geboortedatum nato nata nascita nascido nascida
    nascimento geboorte ne`,
  ],
  [
    SECRET_CUE,
    `key keys apikey token tokens secret secrets credential credentials authorization auth bearer
    schlussel zugangsschlussel geheimnis clave claves llave cle jeton secreto sas signature accesskey secretkey`,
  ],
  [
    PASSWORD_CUE,
    `password passwords passwort kennwort passphrase passwd pwd pass contrasena clave pin passcode
    wachtwoord senha parola secret token apikey dbpassword userpassword mdp motdepasse zugangscode`,
  ],
  [
    PLATE_CUE,
    `plate plates licence license registration kennzeichen nummernschild autokennzeichen matricula placa
    immatriculation plaque kenteken targa reg`,
  ],
  [
    CARD_CUE,
    'card visa mastercard amex maestro karte kreditkarte kreditkartennummer tarjeta carte creditcard',
  ],
  [
    OTHER_CUE,
    `order orders invoice tracking isbn issn doi ticket sku part serial model article item case
    bestellung bestellnummer rechnung rechnungsnummer artikel artikelnummer sendung sendungsnummer ticketnummer auftrag
    auftragsnummer seriennummer aktenzeichen vorgang
    pedido factura seguimiento referencia articulo expediente serie
    commande facture suivi reference article dossier ean upc gtin barcode batch lot page line lines row rows bytes port id
    count total population revenue commit build revision rev`,
  ],
  [
    VERSION_CUE,
    'version versions ver v release releases build firmware driver update section chapter oid kernel',
  ],
  [
    ADDRESS_CUE,
    `address addresses addr live lives lived living resides mail ship deliver delivery shipping billing moved home
    adresse anschrift wohne wohnt wohnen wohnhaft lieferadresse rechnungsadresse postanschrift zugezogen
    direccion domicilio vivo vive vivimos envio enviar residencia reside calle
    habite habitons domicile livraison adresser residence woon woont adres indirizzo abito endereco moro`,
  ],
  [
    HASH_CUE,
    `commit sha sha1 sha256 md5 hash hashes digest checksum integrity etag revision uuid guid fingerprint
    prufsumme sumdb`,
  ],
  [NUMBER_CUE, 'number numero nummer no nr'],
  [IBAN_CUE, 'iban konto account cuenta compte kontonummer bankverbindung conta rekening'],
  [IP_CUE, 'ip ipv ipv4 ipv6 host server addr gateway dns login'],
];

/** Word to what it is a cue for, as a sum of the masks above. */
export const CUE_WORDS: ReadonlyMap<string, number> = collect();

function collect(): Map<string, number> {
  const masks = new Map<string, number>();
  for (const [mask, list] of LISTS) {
    for (const word of words(list)) masks.set(word, (masks.get(word) ?? 0) | mask);
  }
  return masks;
}
