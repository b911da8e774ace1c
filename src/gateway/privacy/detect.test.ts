import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { BUILT_IN_DETECTORS, detect, resolveOverlaps } from './detect.ts';
import { PII_CLASSES, type Span } from './types.ts';

/** `class:text` of each span. */
const found = (text: string) =>
  detect(text).spans.map((span) => `${span.class}:${text.slice(span.start, span.end)}`);

/** Each text with its values between ‹ and ›, and the class of all of them. */
function expect(className: string, marked: readonly string[]): void {
  for (const each of marked) {
    const text = each.replaceAll(/[‹›]/g, '');
    const wanted = [...each.matchAll(/‹([^›]*)›/g)].map((match) => `${className}:${match[1]}`);
    assert.deepEqual(found(text), wanted, text);
  }
}

test('e-mail addresses are found whole, with signs, other scripts and spelt out', () => {
  expect('email', [
    'write to ‹anna.weber+x@mail.example.co.uk›.',
    "<‹o'neill@example.org›>, mailto:‹a_b@example.io›?subject=x",
    '‹jörg@bücher.example› und ‹x@xn--bcher-kva.example›',
    '‹anna (at) example (dot) org› or ‹anna at example dot org›',
    '@media and user@ and a@b are none',
  ]);
});

test('phone numbers are found in international and national forms', () => {
  expect('phone', [
    '‹+1 (415) 555-0132›, ‹415-555-0132›, ‹(415) 555-0132›, ‹415.555.0132›',
    '‹+44 20 7946 0958› or ‹020 7946 0958› or ‹07700 900123›',
    '‹+49 (0)30 1234567›; ‹030 / 12 34 56 78›; ‹0171/1234567›',
    '‹06-12345678›, ‹01 23 45 67 89›, ‹06.12.34.56.78›',
    'móvil ‹612 34 56 78›, ‹(11) 91234-5678›, ‹+55 11 91234-5678›',
    '‹98765 43210› and call me at ‹9876543210›',
    'Handy: ‹01701234567›',
  ]);
});

test('numbers that are no phone numbers are left', () => {
  expect('phone', [
    'on 2024-10-05 and 05.10.2024 at 12:30, 1990-2020, 3.14159265',
    'order 1234567890, ISBN 978-3-16-148410-0, 612 345 678 km, 1.234.567 euros, $415 555 0132',
    'left-pad@1.2.3 v10.0.19041.1 0x12345678 100000000%',
  ]);
});

test('cards and IBANs are found by their check digits only', () => {
  expect('card', [
    'visa ‹4111 1111 1111 1111›, amex ‹3782-822463-10005›, ‹5555555555554444›',
    '4111 1111 1111 1112 fails, 1732201234567 is a time',
    '‹４１１１ １１１１ １１１１ １１１１› in wide digits',
  ]);
  expect('iban', [
    '‹DE89 3704 0044 0532 0130 00›, ‹gb82west12345698765432›',
    'GB83 WEST 1234 5698 7654 32 fails',
  ]);
});

test('ids are found by their forms and check digits, papers after their names', () => {
  expect('id', [
    'SSN ‹219-09-9999›, NINO ‹JG 10 37 59 A›',
    'Steuer-ID ‹86 095 742 719› und BSN ‹111222333›',
    'DNI ‹12345678Z›, ‹12.345.678-Z›, NIE ‹X1234567L›, CPF ‹111.444.777-35›',
    'NIR ‹255081416802538›, codice fiscale ‹RSSMRA85T10A562S›, Aadhaar ‹2341 2341 2346›',
    'Passport No. ‹C01X00T47›, Reisepass: ‹C01X00T47›',
    'NIE ‹X1234567A› is mistyped; 12345678A alone fails, the number 111222333 is just a number',
  ]);
});

test('keys, tokens and passwords are found; words about them are not', () => {
  expect('secret', [
    'key ‹sk-proj-abcdefghijklmnopqrstuvwx12›, ‹ghp_abcdefghijklmnopqrstuvwxyz0123456789›, ‹AKIAIOSFODNN7EXAMPLE›',
    'AWS_SECRET_ACCESS_KEY=‹wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›',
    'Authorization: Bearer ‹eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123_-x›',
    '‹-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----›\nafter',
    'password: ‹hunter2!›, das Passwort lautet ‹Sommer2024!› bitte',
    '"dbPassword": "‹correct horse›"',
    'mot de passe : ‹s3cr3t!x›',
    'the password is wrong, password: string, password = getPassword(), the key is to rest',
    'commit 0123456789abcdef0123456789abcdef01234567 is the key change',
  ]);
  expect('secret', ['postgres://app:‹s3cr3t›@db.internal/x']);
});

test('addresses of machines are found; versions, times and everybody’s own addresses are not', () => {
  expect('ip', [
    'from ‹203.0.113.7› and ‹2001:db8::ff00:42:8329›, ‹fe80::1ff:fe23:4567:890a›',
    'version 1.2.3.4, 12:30:45, 127.0.0.1, 255.255.255.0, ::1, std::vector, 1.2.3.4.5, 300.1.1.1',
  ]);
  expect('mac', ['‹00:1A:2B:3C:4D:5E› and ‹00-1a-2b-3c-4d-5e›']);
});

test('dates are dates of birth after words of birth only, plates after words for them', () => {
  expect('birth', [
    'born on ‹May 3, 1987›; DOB: ‹1987-05-03›; geboren am ‹3. Mai 1987›',
    'nacida el ‹3 de mayo de 1987›; née le ‹3 mai 1987›; geb. ‹03.05.1987›',
    'the meeting is on May 3, 2027 and 03.05.2027',
  ]);
  expect('plate', ['Kennzeichen ‹B-MW 1234›, matrícula ‹1234 BCD›', 'room B-MW 1234']);
});

test('names are found after titles, introductions, labels, greetings and closings', () => {
  expect('name', [
    "my name is ‹Wren Oduya›. Mr. ‹O'Neill-Smith› and Dr. ‹von der Heide› came",
    'Ich heiße ‹Jürgen Müller-Lüdenscheidt› und bin neu',
    'me llamo ‹María José García de la Torre›',
    "je m'appelle ‹Hélène Dupont›",
    'Name: ‹Tomáš Novák›\nPatient: ‹Ada O. Quill›',
    'Dear ‹Thandiwe›,\nthanks.\n\nBest regards,\n‹Zsófia Kovács›\nSales',
    'my name is ‹anna schmidt›',
    'name;city\n‹Iker Zubiri›;Bilbao\n‹Ottoline Quist›;Leeds',
    'Hello World! Dear all, I am happy. It is May, and hope is a word.',
  ]);
});

test('addresses are found in the order each language writes them', () => {
  expect('address', [
    'at ‹221B Baker Street, London NW1 6XE›.',
    'to ‹350 5th Ave, Apt 4B, New York, NY 10118›',
    'in der ‹Hauptstraße 12a, 10115 Berlin›',
    'en ‹Calle de Alcalá, 12, 3º B, 28014 Madrid›',
    'au ‹12 bis rue de la Paix, 75002 Paris›',
    'in ‹Via Roma 12, 00184 Roma›; ‹P.O. Box 123›',
    'Die Straße ist lang; im Jahr 2023; 5 roads; 12 Street lamps',
  ]);
});

test('zero-width characters, combining marks and look-alike signs do not hide a value, and its span covers them', () => {
  for (const text of [
    'j\u200bo\u200dhn\u2060@example.com',
    'john＠example.com',
    'john﹫example.com',
    'ｊｏｈｎ@ｅｘａｍｐｌｅ.ｃｏｍ',
    '𝐣𝐨𝐡𝐧@example.com',
    'jo\u0308hn@example.com',
  ]) {
    assert.deepEqual(found(`to ${text} now`), [`email:${text}`]);
  }
  assert.deepEqual(found('SSN ٢١٩-٠٩-٩٩٩٩'), ['id:٢١٩-٠٩-٩٩٩٩']);
  assert.deepEqual(found('card 4111\u00a01111\u20091111\u202f1111'), [
    'card:4111\u00a01111\u20091111\u202f1111',
  ]);
  assert.deepEqual(found('(415) 555\u20110132'), ['phone:(415) 555\u20110132']);
  assert.deepEqual(found('my name is Jose\u0301 Nu\u0301n\u0303ez.'), ['name:Jose\u0301 Nu\u0301n\u0303ez']);
});

const span: fc.Arbitrary<Span> = fc
  .record({
    class: fc.constantFrom(...PII_CLASSES),
    start: fc.nat(40),
    length: fc.integer({ min: 1, max: 15 }),
    confidence: fc.integer({ min: 1, max: 4 }).map((value) => value / 4),
  })
  .map(({ length, ...rest }) => ({ ...rest, end: rest.start + length }));

test('spans never overlap, cover every letter that was covered, and do not depend on the order of detectors', () => {
  const text = 'abc def, gh.i jkl-mno pq rstu (vwx) yz 0123 456 789 abc';
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), fc.integer(), (spans, turn) => {
      const resolved = resolveOverlaps(spans, text);
      for (let i = 1; i < resolved.length; i++) assert.ok(resolved[i - 1]!.end <= resolved[i]!.start);
      const covers = (list: readonly Span[], at: number) =>
        list.some(({ start, end }) => at >= start && at < end);
      for (let at = 0; at < text.length; at++) {
        if (/\w/.test(text[at]!)) assert.equal(covers(resolved, at), covers(spans, at), `unit ${at}`);
      }
      const turned = spans.map((_, i) => spans[(i + Math.abs(turn)) % spans.length]!);
      assert.deepEqual(resolveOverlaps(turned, text), resolved);
    }),
    { numRuns: 400 },
  );
});

test('a detector can be added, and what it says beyond the text or under the threshold is dropped', () => {
  const staff = {
    name: 'staff',
    classes: ['id' as const],
    detect: ({ text }: { text: string }) => [
      { class: 'id' as const, start: text.indexOf('EMP'), end: text.indexOf('EMP') + 8, confidence: 1 },
      { class: 'id' as const, start: 0, end: 3, confidence: 0.1 },
      { class: 'id' as const, start: 900, end: 950, confidence: 1 },
      { class: 'id' as const, start: 5, end: 5, confidence: 1 },
      { class: 'id' as const, start: 0, end: 3, confidence: Number.NaN },
    ],
  };
  const text = 'ask for EMP-0042 or a@example.org';
  const spans = detect(text, { detectors: [...BUILT_IN_DETECTORS, staff] }).spans;
  assert.deepEqual(
    spans.map(({ start, end }) => text.slice(start, end)),
    ['EMP-0042', 'a@example.org'],
  );
});

test('a span never cuts a character in two', () => {
  const text = `password: "${'😀'.repeat(100)}x1"`;
  for (const { start, end } of detect(text).spans) {
    assert.ok(text.slice(start, end).isWellFormed() && text.slice(0, start).isWellFormed());
  }
  assert.equal(detect(text).spans.length, 1);
  const odd = {
    name: 'odd',
    classes: ['id' as const],
    detect: () => [{ class: 'id' as const, start: 1, end: 3, confidence: 1 }],
  };
  const [span] = detect('😀😀', { detectors: [odd] }).spans;
  assert.deepEqual([span!.start, span!.end], [0, 4]);
});

test('spans of any text lie within it, in order', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom(
      '@',
      ' 12 ',
      '+49 30 ',
      'Mr. ',
      'Anna ',
      'password: ',
      '\n',
      '-----BEGIN PRIVATE KEY-----',
      '\u200b',
      '\ud835',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      let floor = 0;
      for (const { start, end } of detect(text).spans) {
        assert.ok(start >= floor && end > start && end <= text.length);
        floor = end;
      }
    }),
    { numRuns: 400 },
  );
});

test('values are found where they are written in escapes or in base64, as a whole', () => {
  for (const [text, value] of [
    ['see ?mail=anna%40example.org&x=1', 'anna%40example.org'],
    ['{\\"mail\\":\\"anna\\u0040example.org\\"}', 'anna\\u0040example.org'],
    ['<a>anna&#64;example.org</a> and <b>anna&#x40;example.org</b>', 'anna&#64;example.org'],
    ['call %2B49%2030%205550%201234 now', '%2B49%2030%205550%201234'],
    ['token YW5uYUBleGFtcGxlLm9yZyBhbmQgbW9yZQ== end', 'YW5uYUBleGFtcGxlLm9yZyBhbmQgbW9yZQ=='],
  ] as const) {
    const spans = detect(text).spans.map(({ start, end }) => text.slice(start, end));
    assert.ok(
      spans.some((span) => span.includes(value)),
      `${text}: ${spans.join(', ')}`,
    );
  }
  // Percentages, paths and hashes are none.
  for (const text of [
    'a rise of 20%40 over 100% and 5%25 off',
    'src/gateway/privacy/detectors/family-names and SGVsbG8gd29ybGQhIEhvdyBhcmU',
    'sha d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89',
  ])
    assert.deepEqual(detect(text).spans, [], text);
});

test('names of the lists are found without cues, and words, places and firms are left', () => {
  const names = (text: string) =>
    detect(text)
      .spans.filter((span) => span.class === 'name')
      .map(({ start, end }) => text.slice(start, end));
  assert.deepEqual(names('the board thanked Ingrid Halvorsen and then Thandiwe for the work'), [
    'Ingrid Halvorsen',
    'Thandiwe',
  ]);
  assert.deepEqual(names('gestern hat Torben den Schlüssel bei Wiebke Thomsen vergessen'), [
    'Torben',
    'Wiebke Thomsen',
  ]);
  for (const text of [
    'The Florence City Council and the Bergmann Foundation met in Austin, Texas.',
    'Der Bergmann und der Schneider gingen zum Markt, die Rose blühte.',
    'Install Jenkins, Docker and Kafka, then open Visual Studio Code.',
    'import Freya/core and use Bogdan_config or @Saskia',
  ])
    assert.deepEqual(names(text), [], text);
});
