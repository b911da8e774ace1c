import assert from 'node:assert/strict';
import { test } from 'node:test';
import { docx } from '../testing/office.ts';
import { outline, parseAll, parseOne } from '../testing/parsed.ts';

const sentence =
  'The engine weaves algebraic patterns just as the loom weaves flowers and leaves, it was said at the time. ';

test('a page has its article without menus, scripts, styles, comments and what is hidden', async () => {
  const { type, document } = await parseOne(
    'page.html',
    `<!doctype html><html lang="en"><head><title>Weaving</title><meta name="author" content="Ada"><style>p{}</style></head>
<body><nav><a href="/home">Home</a> menu words</nav><script>alert("script words")</script><!-- comment words -->
<article><h1>Weaving numbers</h1><p>${sentence.repeat(4)}</p><p onclick="steal()">${sentence.repeat(4)}<a href="https://example.org/b">more</a></p>
<p style="display: none">hidden words</p><div hidden>hidden too</div>
<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><blockquote><p>quoted</p></blockquote>
<pre>x  =  1
y = 2</pre><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></article>
<footer>footer words</footer></body></html>`,
  );
  assert.equal(type, 'html');
  assert.equal(document.title, 'Weaving');
  assert.deepEqual(document.properties, { language: 'en', author: 'Ada' });
  const text = JSON.stringify(outline(document));
  assert.doesNotMatch(text, /menu words|script words|comment words|hidden|footer words|alert/);
  const blocks = document.sections.flatMap((section) => section.blocks);
  assert.deepEqual(
    blocks.map(({ kind }) => kind),
    ['text', 'text', 'list', 'quote', 'code', 'table'],
  );
  assert.equal(blocks[2]!.text, '- one\n  - inner\n- two');
  assert.equal(blocks[4]!.text, 'x  =  1\ny = 2');
  assert.equal(blocks[5]!.text, 'a | b\n1 | 2');
  assert.deepEqual(
    document.links.map(({ target }) => target),
    ['https://example.org/b'],
  );
});

test('a page that is no article has its whole body', async () => {
  const { document } = await parseOne(
    'list.html',
    '<html><body><h2>Shops</h2><div>Tea <b>here</b></div><div>Bread there</div><table><tr><td><table><tr><td>layout</td></tr></table></td></tr></table></body></html>',
  );
  assert.deepEqual(outline(document), [['Shops', 'text: Tea here', 'text: Bread there', 'text: layout']]);
});

test('a page is decoded as it says where its bytes do not tell', async () => {
  const page = Buffer.from(
    '<html><head><meta charset="koi8-r"></head><body><p>\xf0\xd2\xc9\xd7\xc5\xd4</p></body></html>',
    'latin1',
  );
  const { document } = await parseOne('page.html', page);
  assert.deepEqual(outline(document), [['', 'text: Привет']]);
  const xml = Buffer.from(
    '<?xml version="1.0" encoding="windows-1251"?><note><to>\xcf\xf0\xe8\xe2\xe5\xf2</to></note>',
    'latin1',
  );
  assert.deepEqual(outline((await parseOne('note.xml', xml)).document), [['', 'text: Привет']]);
});

const mail = (body: string, type = 'text/plain; charset=utf-8') =>
  `From: "Ada Lovelace" <ada@example.org>\r\nTo: Charles <charles@example.org>, friends@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}`;

test('a mail has its people as links, headers as properties and its text', async () => {
  const { type, document } = await parseOne('x.eml', mail('Dear Charles,\r\n\r\nthe engine works.\r\n'));
  assert.equal(type, 'eml');
  assert.equal(document.title, 'Grüße');
  assert.deepEqual(document.links, [
    { target: 'ada@example.org', kind: 'person', label: 'Ada Lovelace' },
    { target: 'charles@example.org', kind: 'person', label: 'Charles' },
    { target: 'friends@example.org', kind: 'person', label: null },
  ]);
  assert.deepEqual(document.properties.from, ['Ada Lovelace <ada@example.org>']);
  assert.match(String(document.properties.date), /^2024-01-01T10:00/);
  assert.deepEqual(outline(document), [['', 'text: Dear Charles,', 'text: the engine works.']]);
});

test('attachments of a mail are read one level deep, and what cannot be read is said', async () => {
  const attached = (name: string, bytes: Uint8Array | string, type: string) =>
    `--b\r\nContent-Type: ${type}; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(bytes).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`;
  const inner = mail(
    `--b\r\nContent-Type: text/plain\r\n\r\nInner text.\r\n${attached('deep.txt', 'too deep', 'text/plain')}--b--\r\n`,
    'multipart/mixed; boundary=b',
  );
  const body = [
    '--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>See <a href="https://example.org/">this</a>.</p>\r\n',
    attached(
      'report.docx',
      docx('Report', [{ heading: 1, text: 'Sums' }, { paragraph: 'Seven.' }]),
      'application/octet-stream',
    ),
    attached('broken.json', '{"a":', 'application/json'),
    attached('photo.jpg', 'xx', 'image/jpeg'),
    `--b\r\nContent-Type: message/rfc822\r\n\r\n${inner.replaceAll('--b', '--c').replace('boundary=b', 'boundary=c')}\r\n`,
    '--b--\r\n',
  ].join('');
  const { document } = await parseOne('x.eml', mail(body, 'multipart/mixed; boundary=b'));
  const outlined = outline(document);
  assert.deepEqual(outlined[0], ['', 'text: See this.']);
  assert.deepEqual(outlined[1], ['report.docx > Sums', 'text: Seven.']);
  assert.equal(document.sections[1]!.blocks[0]!.place.part, 'report.docx');
  assert.match(JSON.stringify(outlined), /Inner text\./);
  assert.doesNotMatch(JSON.stringify(outlined), /too deep/);
  const notes = document.notes.map(({ code, message }) => `${code} ${message}`).join('\n');
  assert.match(notes, /part_failed .*broken\.json.*not JSON/);
  assert.match(notes, /part_failed .*deep\.txt was left out/);
  assert.doesNotMatch(notes, /photo/);
});

const article = `{{Infobox person|name=Ada Lovelace|spouse=[[William King]]}}
'''Ada''' was a [[mathematician|math person]]<ref>{{cite book|title=X}}</ref>.

== Life ==
* one [[London]]
* two
=== Early ===
{| class="wikitext"
! A !! B
|-
| 1 || 2
|}
[[Category:Women in computing]]
`;

test('a page of a wiki has sections, lists, tables, infobox, links and categories', async () => {
  const { type, document } = await parseOne('Ada.wiki', article);
  assert.equal(type, 'wikitext');
  assert.deepEqual(outline(document), [
    ['', 'table: name | Ada Lovelace\nspouse | William King', 'text: Ada was a math person.'],
    ['Life', 'list: - one London\n- two'],
    ['Life > Early', 'table: A | B\n1 | 2'],
  ]);
  assert.equal(document.properties.name, 'Ada Lovelace');
  assert.deepEqual(document.links, [
    { target: 'William King', kind: 'wiki', label: null },
    { target: 'mathematician', kind: 'wiki', label: 'math person' },
    { target: 'London', kind: 'wiki', label: null },
    { target: 'Women in computing', kind: 'category', label: null },
  ]);
});

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const wikiPage = (title: string, text: string, more = '', space = 0) =>
  `<page><title>${title}</title><ns>${space}</ns>${more}<revision><timestamp>2024-01-01T00:00:00Z</timestamp><text xml:space="preserve">${escaped(text)}</text></revision></page>`;

test('a dump of a wiki is a document for each article, the last of its revisions', async () => {
  const two = `<page><title>Two</title><ns>0</ns><revision><text>old</text></revision><revision><text>new &amp; good</text></revision></page>`;
  const dump = `<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo/>${wikiPage('Ada', article)}${wikiPage('Talk:Ada', 'chat', '', 1)}${wikiPage('AL', '#REDIRECT [[Ada]]', '<redirect title="Ada"/>')}${two}</mediawiki>`;
  const pages = await parseAll('dump.xml', dump);
  assert.deepEqual(
    pages.map(({ type, page }) => [type, page]),
    [
      ['mediawiki', 'Ada'],
      ['mediawiki', 'AL'],
      ['mediawiki', 'Two'],
    ],
  );
  assert.equal(pages[0]!.document.title, 'Ada');
  assert.deepEqual(pages[1]!.document.links, [{ target: 'Ada', kind: 'wiki', label: null }]);
  assert.deepEqual(outline(pages[2]!.document), [['', 'text: new & good']]);
});

test('a dump that ends early gives the pages before, and then says that it is broken', async () => {
  const dump = `<mediawiki>${wikiPage('One', 'text')}${wikiPage('Two', 'text').slice(0, 60)}`;
  const found: unknown[] = [];
  await assert.rejects(
    async () => {
      const { parseFile } = await import('../parse-file.ts');
      const { DEFAULT_LIMITS } = await import('../limits.ts');
      for await (const { page } of parseFile({ name: 'x.xml', bytes: Buffer.from(dump) }, DEFAULT_LIMITS))
        found.push(page);
    },
    { code: 'parse_broken' },
  );
  assert.deepEqual(found, ['One']);
});

test('a mail with few headers, or out of a mailbox, is one where its name says so', async () => {
  const few = 'Subject: Looms\nContent-Type: text/plain\n\nThey weave.\n';
  assert.equal((await parseOne('few.eml', few)).document.title, 'Looms');
  assert.equal((await parseOne('few.txt', few)).type, 'text');
  const boxed = `From ada@example.com Mon Jan  1 00:00:00 1843\n${few}`;
  assert.deepEqual(outline((await parseOne('boxed.eml', boxed)).document), [['', 'text: They weave.']]);
  assert.equal((await parseOne('list.eml', 'Buy: thread\nand needles\n')).type, 'text');
});

test('a dump in UTF-16 is read as one in UTF-8', async () => {
  const dump = `\ufeff<mediawiki>${wikiPage('Ада', 'Она писала о машинах.')}</mediawiki>`;
  const [page, ...rest] = await parseAll('dump.xml', Buffer.from(dump, 'utf16le'));
  assert.equal(rest.length, 0);
  assert.equal(page!.page, 'Ада');
  assert.deepEqual(outline(page!.document), [['', 'text: Она писала о машинах.']]);
});

test('cells of a table in a wiki lose their attributes, also before templates', async () => {
  const { document } = await parseOne(
    'cast.wiki',
    '{| class="wikitable"\n! Actor !! S1\n|-\n| Ada || bgcolor=white style="color: red" {{N/A}}\n|}\n',
  );
  assert.deepEqual(outline(document), [['', 'table: Actor | S1\nAda | N/A']]);
});
