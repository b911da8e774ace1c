/**
 * What people write around ids and secrets; documents, tables, logs and JSON with several values; neutral paragraphs.
 * `{class}` is replaced by a value of the class, `{id}` and `{secret}` by one with words that fit its kind.
 *
 * @module bench/privacy/templates
 */

/** How people name each kind of id, with `#` for the value. */
export const ID_PHRASES: Readonly<Record<string, readonly string[]>> = {
  ssn: [
    'My SSN is #.',
    'Social Security number: #',
    'SSN #',
    'For the W-2 I need to confirm the social security no. #.',
  ],
  nino: ['National Insurance number: #', 'My NI number is #.', 'NINO #', 'HMRC has me under #.'],
  passport_en: [
    'Passport number: #',
    'My passport is # and expires next year.',
    'Passport No. #',
    'travelling on US passport #',
  ],
  steuer: [
    'Steuer-ID: #',
    'Meine Steueridentifikationsnummer lautet #.',
    'IdNr. #',
    'Das Finanzamt braucht die Steuer-IdNr #.',
  ],
  bsn: ['BSN: #', 'Mein Burgerservicenummer ist #.', 'mijn BSN is #', 'Burgerservicenummer #'],
  passport_de: ['Reisepass Nr. #', 'Meine Passnummer ist #.', 'Personalausweis: #', 'Reisepassnummer: #'],
  dni: [
    'DNI: #',
    'Mi DNI es #.',
    'con documento nacional de identidad #',
    'titular con DNI #, mayor de edad',
  ],
  nie: ['NIE: #', 'Mi NIE es #.', 'número de identidad de extranjero #'],
  cpf: ['CPF: #', 'Mi CPF es #.', 'portador do CPF #'],
  nir: ['Numéro de sécurité sociale : #', 'Mon numéro de sécu est le #.', 'NIR #', 'N° INSEE : #'],
  passport_fr: ['Passeport n° #', 'Mon numéro de passeport est #.', 'Passeport : #'],
};

export const SECRET_PHRASES: Readonly<Record<string, readonly string[]>> = {
  key: [
    'Here is the key I use: #',
    'export API_KEY=#',
    'api_key: "#"',
    'curl -H "x-api-key: #" https://api.example.com',
    'client = Client("#")',
    'It prints #, why is it rejected?',
  ],
  jwt: ['Authorization: Bearer #', 'The session cookie holds #', 'token=#'],
  pem: ['Why does ssh refuse this?\n#\n', 'I pasted the file:\n#'],
  aws_secret: ['aws_secret_access_key = #', 'AWS_SECRET_ACCESS_KEY=#', '"secretAccessKey": "#"'],
  bearer: [
    'Authorization: Bearer #',
    "headers['Authorization'] = 'Bearer #'",
    'curl -H "Authorization: Bearer #"',
  ],
  password: [
    'password: #',
    'My password is # and it does not work.',
    'Das Passwort lautet #',
    'mi contraseña es #',
    'Mot de passe : #',
    '"password": "#"',
    'Passwort: #',
    'la contraseña del wifi es #',
    'login admin, pwd=#',
    'DB_PASSWORD=#',
  ],
  url: [
    'postgres://app:#@db.internal:5432/main',
    'git clone https://deploy:#@git.example.com/x.git',
    'redis://default:#@cache:6379',
  ],
  random: [
    'client secret: #',
    'The access token is #',
    'Zugangsschlüssel: #',
    'clave secreta: #',
    'encryption_key=#',
  ],
};

/** Whole documents with several values and few words around them. */
export const DOCUMENTS: readonly string[] = [
  '{\n  "customer": {\n    "fullName": "{name}",\n    "email": "{email}",\n    "phoneNumber": "{phone}",\n    "birthDate": "{birth}"\n  },\n  "iban": "{iban}",\n  "items": 3\n}',
  'id;name;email;phone\n1;{name};{email};{phone}\n2;{name};{email};{phone}',
  '| Name | E-Mail | Card |\n|---|---|---|\n| {name} | {email} | {card} |',
  '2026-03-14T09:12:44Z INFO auth user={email} ip={ip} ua="Mozilla/5.0" ok',
  "INSERT INTO users (email, ip, card) VALUES ('{email}', '{ip}', '{card}');",
  '- host: {ip}\n  mac: {mac}\n  owner: {email}\n  version: 1.4.2',
];

/** Paragraphs with nothing personal and much that looks like it. `d`, `n`, `x` in braces are filled with digits. */
export const NEUTRAL: readonly string[] = [
  'Version {n}.{n}.{nd} fixes the crash on start; upgrade from {n}.{n}.{n} with npm install --save-exact left-pad@{n}.{n}.{n}.',
  'Node v{nd}.{n}.{n} and Python 3.{nd}.{n} are supported; Windows 10.0.{ndddd}.{nd} is not.',
  'On 14 March 2024 the council approved a budget of {n},{ndd},{ndd} euros, {n}.{n} percent more than in 2023.',
  'The lecture runs from 10:15 to 11:45 in room {ndd}; see pages {nd}-{nd} and exercise {n}.{n}.',
  'const MAX = {ndddd}; for (let i = 0; i < MAX; i += {n}) total += prices[i] * 1.{nd};',
  'commit {xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}: rename the parser and delete {ndd} lines',
  'The SHA-256 of the archive is {xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}.',
  'Order {ndddddddd} shipped on 2024-0{n}-1{n}; the tracking number is {nddddddddddd}.',
  'ISBN 978-3-16-148410-0, DOI 10.{nddd}/{ndddd}.{ndd}, pages {ndd}-{ndd}.',
  'The planet is {ndd} {ddd} {ddd} km away and has a mass of {n}.{ndd}e24 kg.',
  "SELECT id, total FROM orders WHERE total > {nddd}.{nd} AND created_at < '2023-1{n}-0{n} 12:30:45' LIMIT {ndd};",
  'Bake at {ndd} degrees for {nd} minutes, then add {ndd} g of flour and 2 eggs.',
  'Der Umsatz stieg um {n},{n} Prozent auf {n}.{ndd}.{ndd} Euro im dritten Quartal 2023.',
  'Am 3. Oktober 1990 wurde die Einheit gefeiert; Artikel {nd} Absatz {n} regelt das.',
  'Die Datei hat {nddddddd} Bytes, Zeile {nddd} enthält den Fehler 0x{xxxxxxxx}.',
  'El 12 de octubre de 1492 llegaron tres barcos; el capítulo {n}.{n} lo cuenta en {nd} páginas.',
  'La población creció de {n}.{ndd}.{ndd} a {n}.{ndd}.{ndd} habitantes entre 1990 y 2020.',
  'Le train part à 14 h {nd}, quai {n}, et arrive à 17 h {nd}; comptez {nd} euros.',
  'La Révolution de 1789 dura dix ans; voir tome {n}, pages {ndd} à {ndd}.',
  'docker run -p 8080:80 -e TIMEOUT={nddd} nginx:1.{nd}.{n}-alpine --workers={n}',
  'Set password rules: at least {nd} characters, one digit. The password field is required; password: string.',
  'function login(user: string, password: string) { return hash(password) === user.password; }',
  'The key is to rest well; a token of thanks costs nothing and the secret is patience.',
  'UUID {xxxxxxxx}-{xxxx}-4{xxx}-a{xxx}-{xxxxxxxxxxxx} is version 4; the epoch was {1ndddddddd} or {1ndddddddddddd} ms.',
  'std::vector<int> v({n}); v[{n}] = a::b(c); std::chrono::milliseconds({nddd});',
  'The ratio 16:9 at {nddd}x{nddd} pixels and 23:59:59 as the end of the day.',
  'matrix = [[{n}, {n}], [{n}, {n}]]; det = {n}*{n} - {n}*{n}; pi = 3.14159265358979',
  'Coordinates: {nd}.{ndddd}, -{nd}.{ndddd}; altitude {nddd} m; gradient {n}%.',
  'In 2019-2023 the index went from {n} {ndd} to {n} {ndd} points; Q{n} was weak.',
  'Case {n}:2{n}-cv-0{nddd} was closed on 01/0{n}/2022 after {ndd} days; fees of € {n},{ndd}.{nd}.',
  'Invoice {n}{ndd}-{nddd} over 1.{ndd},{nd} EUR, part no. {ndd}-{nddd}-{nd}, quantity {ndd}.',
  'It will rain in April and May; hope and grace are words, so are will, mark, and rose.',
  'Die Straße ist lang, der Platz voll, und am Markt stehen 12 Bäume; Hausaufgabe {n} auf Seite {ndd}.',
  'The street was empty; 5 roads lead out of town and 3 avenues cross them.',
  'Use @media (min-width: {ndd}px) and @import "x"; decorators like @Component or user@ are fine.',
  'RFC {nddd} section {n}.{n}.{n} defines port {nddd}; see also CVE-2023-{ndddd} and bug #{ndddd}.',
  'Loopback is 127.0.0.1 and the mask is 255.255.255.0; ::1 is the same in version 6.',
  'The team played 4-4-2 and won 3-1 in the 89th minute before {ndddd} people.',
  'Temperatures: 12 14 15 17 19 21 22 20 18; pressure {1ddd} hPa; humidity {nd}%.',
  'Chapter {n}: The Long Road. Hello World! Dear reader, best wishes and thanks for {n} years.',
];
