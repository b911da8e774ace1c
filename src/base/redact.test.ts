import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { redact, redactText } from './redact.ts';

const SECRET = 'Zq7PLANTEDsecretVALUEx9';
const PROMPT = 'my neighbour Marguerite hides the silver under the stairs';

const text = (value: unknown, keepContent = false) => JSON.stringify(redact(value, { keepContent }));

test('values under the names of credentials are hidden at every level', () => {
  const names = [
    'authorization',
    'api_key',
    'apikey',
    'apiKey',
    'x-api-key',
    'API-KEY',
    'token',
    'accessToken',
  ];
  const more = [
    'client_secret',
    'password',
    'Cookie',
    'set-cookie',
    'privateKey',
    'secretToken',
    'passphrase',
  ];
  for (const name of [...names, ...more]) {
    for (const keepContent of [false, true]) {
      assert.ok(!text({ [name]: SECRET }, keepContent).includes(SECRET), name);
      assert.ok(!text({ a: [{ [name]: { deep: [SECRET] } }] }, keepContent).includes(SECRET), name);
    }
  }
});

test('what people write is hidden, and kept for debug lines', () => {
  for (const name of [
    'prompt',
    'messages',
    'content',
    'input',
    'text',
    'systemPrompt',
    'user_input',
    'body',
  ]) {
    assert.ok(!text({ [name]: PROMPT }).includes('silver'), name);
    assert.ok(!text({ [name]: [{ role: 'user', x: PROMPT }] }).includes('silver'), name);
    assert.ok(text({ [name]: PROMPT }, true).includes('silver'), name);
  }
});

test('counts stay readable', () => {
  const fields = {
    promptTokens: 12,
    tokens: 5,
    cachedTokens: 3,
    input: 7,
    maxTokens: 9,
    ok: true,
    none: null,
  };
  assert.deepEqual(redact(fields), fields);
});

test('credentials inside strings are hidden', () => {
  const lines = [
    `Authorization: Bearer ${SECRET}`,
    `authorization: Digest username="bob", response="${SECRET}"`,
    `curl -H "x-api-key: ${SECRET}"`,
    `{"apiKey":"${SECRET}","model":"x"}`,
    `{\\"apiKey\\":\\"${SECRET}\\"}`,
    `https://host/path?api_key=${SECRET}&x=1`,
    `https://bob:${SECRET}@host/path`,
    `Cookie: session=${SECRET}; other=${SECRET}`,
    `key sk-${SECRET} was refused`,
    `key kith_0123456789_${SECRET.replaceAll(/\W/g, 'x')} was refused`,
    `hf_${SECRET} was refused`,
    `password = 'it is ${SECRET}'`,
    `passphrase: correct horse ${SECRET}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
    `jwt eyJhbGciOiJIUzI1.${SECRET}.${SECRET}`,
    `seed=${'0123456789abcdef'.repeat(4)}${SECRET.replace(/[^0-9a-f]/gi, '')}`,
  ];
  for (const line of lines) {
    for (const options of [{}, { keepContent: true }]) {
      const safe = redactText(line, options);
      assert.ok(!safe.includes(SECRET) && !safe.includes('0123456789abcdef'.repeat(2)), safe);
    }
  }
});

test('a digest is not a secret', () => {
  const line = `sha256=${'9ee11adf'.repeat(8)} of the file`;
  assert.equal(redactText(line), line);
});

test('a prompt in an assignment or in a JSON parse error is hidden', () => {
  const lines = [
    `prompt: ${PROMPT}`,
    `bad request {"messages":[{"role":"user","content":"${PROMPT}"}]}`,
    `input='${PROMPT}' failed`,
    `{\\"prompt\\": \\"${PROMPT}\\"}`,
  ];
  for (const source of [`{"a": ${PROMPT}}`, PROMPT, `{"x":"silver" silver}`, '{"x": "silver\\"" silver']) {
    try {
      JSON.parse(source);
    } catch (error) {
      lines.push((error as Error).message);
    }
  }
  assert.equal(lines.length, 8);
  for (const line of lines) assert.ok(!/silver|Marguerite|neighb/.test(redactText(line)), redactText(line));
});

test('what validators say about an invalid input stays readable', () => {
  const line = 'Invalid input: expected number, received string';
  assert.equal(redactText(line), line);
});

test('a planted secret or prompt never survives, wherever it stands', () => {
  const planted = fc.oneof(
    fc.constantFrom('token', 'apiKey', 'password', 'x-authorization').map((key) => ({ [key]: SECRET })),
    fc.constantFrom('prompt', 'messages', 'content', 'text').map((key) => ({ [key]: [PROMPT] })),
    fc.constant(`Bearer ${SECRET}`),
    fc.constant({ [`api_key=${SECRET}`]: 1 }),
    fc.constant(new URL(`https://u:${SECRET}@h/`)),
    fc.constant(new Map([['secret', SECRET]])),
    fc.constant(new Set([`password=${SECRET}`])),
  );
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      planted,
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 8 }), tie('node'), { maxKeys: 4 }),
      tie('node').map((cause) => new Error(`failed with token=${SECRET}`, { cause })),
      fc
        .array(tie('node'), { maxLength: 2 })
        .map((errors) => new AggregateError(errors, `prompt="${PROMPT}"`)),
      tie('node').map((extra) => Object.assign(new TypeError('x'), { request: extra })),
    ),
  })).node;
  fc.assert(
    fc.property(tree, (value) => {
      const out = text({ value }) ?? '';
      assert.ok(!out.includes(SECRET) && !out.includes('silver'), out);
    }),
    { numRuns: 500 },
  );
});

test('no value makes it throw, and the copy is bounded', () => {
  const cyclic: Record<string, unknown> = { a: 1 };
  cyclic.self = cyclic;
  const hostile = [
    cyclic,
    new Proxy({}, { ownKeys: () => assert.fail('trap') }),
    {
      get x() {
        throw new Error(SECRET);
      },
    },
    Object.assign(Object.create(null), { toString: null }),
    { [Symbol('s')]: 1, f: () => 1, b: 10n, u: undefined, n: Number.NaN, d: new Date(Number.NaN) },
    new Array(100_000).fill('x'.repeat(1000)),
    'x'.repeat(10_000_000),
    JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`),
    JSON.parse('{"__proto__":{"polluted":true}}'),
    new Uint8Array(1_000_000),
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('again');
      },
    }),
  ];
  for (const value of hostile) assert.ok((text(value) ?? '').length < 100_000);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('a string that is passed at one look holds nothing that a closer one would hide', () => {
  const pieces = [
    ...[
      'sk-abcdefgh',
      'Bearer abcdef',
      'basic dXNlcjpwYXNz',
      'kith_0123456789_secret',
      'ghp_abcdefghijkl',
      'eyJhbGciOiJ.x.y',
    ],
    ...[
      'https://user:pass@host',
      'api_key',
      'token',
      'password',
      'prompt',
      'content',
      '=',
      ':',
      ' = ',
      '"',
      "'",
      '\\"',
    ],
    ...[
      '-----BEGIN PRIVATE KEY-----',
      "Unexpected token 'x', ",
      '"secret" is not valid JSON',
      'a'.repeat(40),
      '0123456789abcdef'.repeat(3),
    ],
    ...[
      ' ',
      '\n',
      '-',
      '_',
      '.',
      'word',
      'npm',
      'hf',
      'xoxb',
      'XOXB-0123456789ab',
      'BEARER ABCDEF',
      'SK-ABCDEFGH',
    ],
  ];
  const texts = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 6 })), { maxLength: 6 });
  fc.assert(
    fc.property(texts, fc.boolean(), (parts, keepContent) => {
      const text = parts.join('');
      // The mark before it alone hides nothing and calls for the closer look.
      assert.equal(redactText(`@ ${text}`, { keepContent }), `@ ${redactText(text, { keepContent })}`);
    }),
    { numRuns: 2000 },
  );
});

test('names of nodes stay readable, and nothing that only begins like one', () => {
  const peer = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';
  const key = 'z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH';
  const said = `peer=${peer} is did:key:${key}, did:key:${key}#${key} and did:peer:0${key}`;
  assert.equal(redactText(said), said);
  assert.equal(redactText(`value=${peer}Ab3`), 'value=[redacted]');
  assert.equal(redactText(`token=${peer}`), 'token=[redacted]');
});
