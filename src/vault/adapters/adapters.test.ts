import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom, InputError, isKithError } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { engineAddress } from './address.ts';
import { openVectorEngine } from './open.ts';
import { wholeMessages } from './postgres-guard.ts';
import { engineSealer } from './sealing.ts';
import { ENGINE_BOUNDS } from './types.ts';

const COLLECTION = '0123456789abcdef0123456789abcdef';
const SECRET = 'planted-Secret';

test('an address is read with its credentials, and shown without them', () => {
  const postgres = engineAddress(`postgres://ada:${SECRET}@db.example/notes%20b`);
  assert.deepEqual(postgres, {
    ...{
      kind: 'postgres',
      host: 'db.example',
      port: 5432,
      tls: 'verified',
      user: 'ada',
      database: 'notes b',
    },
    ...{ secret: SECRET, shown: 'postgres://ada@db.example:5432/notes%20b' },
  });
  assert.equal(engineAddress('postgres://a@127.0.0.1/b').tls, 'off');
  assert.equal(engineAddress('postgres://a@127.0.0.1/b?sslmode=require').tls, 'verified');
  assert.equal(engineAddress('postgresql://a@far.example/b?sslmode=disable').tls, 'off');
  assert.equal(engineAddress('postgres://a@far.example/b?sslmode=no-verify').tls, 'unverified');
  assert.equal(engineAddress('postgres://a@[::1]:99/b').shown, 'postgres://a@[::1]:99/b');
  const qdrant = engineAddress(`https://:${SECRET}@q.example`);
  assert.deepEqual(
    [qdrant.kind, qdrant.port, qdrant.secret, qdrant.shown],
    ['qdrant', 6333, SECRET, 'https://q.example:6333'],
  );
  assert.equal(engineAddress('http://localhost:1').secret, null);
  assert.equal(engineAddress('https://q.example', 'beside').secret, 'beside');
});

test('an address that is none, or that would send a key in plain text, is refused without being repeated', () => {
  for (const text of [
    ...['', 'mysql://a@b/c', 'postgres://db/x', 'postgres://a@b/', 'postgres://a@b/c?sslmode=allow'],
    ...['postgres://a@b/c?host=evil', 'postgres://a@b/c#x', 'postgres://a@b/c/d', 'postgres://a@b:0/c'],
    ...[`http://:${SECRET}@far.example:6333`, `https://user:${SECRET}@far.example`, 'https://q.example/path'],
    ...['https://q.example?tls=off', 'postgres://a:%0a@b/c', 'postgres://a:%E0@b/c', `https://:ü@q.example`],
  ])
    assert.throws(
      () => engineAddress(text),
      (error) =>
        error instanceof InputError && error.code === 'engine_address' && !error.message.includes(SECRET),
      text,
    );
});

test('whatever is given as an address, none that is read shows its secret', () => {
  const part = fc.string({ minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.constantFrom('postgres', 'postgresql', 'http', 'https', 'ftp'),
      part,
      part,
      fc.domain(),
      part,
      (scheme, user, password, host, path) => {
        const secret = `${SECRET}${password}`;
        const text = `${scheme}://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@${host}/${path}`;
        try {
          const address = engineAddress(text);
          assert.equal(address.secret, secret);
          assert.ok(!address.shown.includes(SECRET));
        } catch (error) {
          assert.ok(error instanceof InputError && !error.message.includes(SECRET));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('what is sealed opens under its own id and collection alone, and never when it was changed', () => {
  const random = createSeededRandom(3);
  const sealer = engineSealer(identityOf('bob'), 'kb-1/model-a');
  const other = engineSealer(identityOf('bob'), 'kb-1/model-b');
  assert.notEqual(sealer.collection, other.collection);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(1e6), fc.nat(), (plain, id, at) => {
      const sealed = sealer.seal(id, plain, random);
      assert.deepEqual(sealer.open(id, sealed), plain);
      for (const open of [() => sealer.open(id + 1, sealed), () => other.open(id, sealed)])
        assert.throws(open, { code: 'vault_damaged' });
      const changed = Uint8Array.from(sealed);
      changed[at % changed.length]! ^= 1 + (at % 255);
      assert.throws(() => sealer.open(id, changed), { code: 'vault_damaged' });
      assert.throws(() => sealer.open(id, sealed.subarray(0, at % sealed.length)), { code: 'vault_damaged' });
    }),
    { numRuns: 60 },
  );
});

test('a digest tells parts apart that only join to the same', () => {
  const sealer = engineSealer(identityOf('bob'), 'kb');
  const digest = (id: number, parts: string[]) => Buffer.from(sealer.digest(id, parts)).toString('hex');
  assert.equal(digest(1, ['ab', 'c']), digest(1, ['ab', 'c']));
  assert.equal(
    new Set([digest(1, ['ab', 'c']), digest(1, ['a', 'bc']), digest(1, ['abc']), digest(11, ['ab', 'c'])])
      .size,
    4,
  );
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing failed',
    (error: unknown) => (isKithError(error) ? error.code : String(error)),
  );

/** A server of raw bytes. */
async function serving<T>(answer: (socket: Socket) => void, work: (port: number) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const opening = (url: string, callMs = 3000) =>
  codeOf(
    openVectorEngine({ address: engineAddress(url), collection: COLLECTION, dimension: 4, callMs }).then(
      (engine) => engine[Symbol.asyncDispose](),
    ),
  );
const urls = (port: number) => [
  `postgres://a:${SECRET}@127.0.0.1:${port}/b`,
  `http://:${SECRET}@127.0.0.1:${port}`,
];

test('an engine that is away, silent, or hangs up is named as such', async () => {
  const free = await serving(
    () => undefined,
    async (port) => port,
  );
  for (const url of urls(free)) assert.equal(await opening(url), 'engine_unreachable');
  await serving(
    (socket) => socket.destroy(),
    async (port) => {
      for (const url of urls(port)) assert.equal(await opening(url), 'engine_unreachable');
    },
  );
  await serving(
    () => undefined,
    async (port) => {
      for (const url of urls(port)) assert.equal(await opening(url, 60), 'engine_timeout');
    },
  );
});

/** Type, length of itself and the body, body (PostgreSQL, 55.7). */
function message(type: string, body: Uint8Array, length = 4 + body.length): Uint8Array {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
}

test('bytes that are no message of PostgreSQL end a connection, and not the node', async () => {
  const welcome = Buffer.concat([message('R', new Uint8Array(4)), message('Z', Buffer.from('I'))]);
  const ended = Buffer.from('SERROR\0C42P01\0Mno\0\0');
  const first = [
    message('R', Uint8Array.of(0, 0, 0, 99)),
    message('Z', new Uint8Array(0), 3),
    ...['E', 'N'].flatMap((type) => [
      message(type, Buffer.from('SFATAL')),
      message(type, Buffer.from('SFATAL\0')),
    ]),
  ];
  const then = [
    message('D', Uint8Array.of(255, 255)),
    message('D', Uint8Array.of(0, 3, 119, 0, 0, 0)),
    message('T', new Uint8Array(0)),
    message('E', ended.subarray(0, -1)),
    message('D', new Uint8Array(0), 2 ** 31),
  ];
  for (const [bytes, before] of [
    ...first.map((each) => [each, null] as const),
    ...then.map((each) => [each, welcome] as const),
  ])
    await serving(
      (socket) => {
        socket.write(before ?? bytes);
        socket.once('data', () => socket.write(bytes));
      },
      async (port) => assert.equal(await opening(urls(port)[0]!), 'engine_failed', String(bytes)),
    );
});

test('however a stream of messages is cut, they come whole and in order', () => {
  const letter = fc.constantFrom('D', 'T', 'C', 'Z');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(letter, fc.uint8Array({ maxLength: 40 })), { maxLength: 20 }),
      fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }),
      (messages, cuts) => {
        const all = Buffer.concat(messages.map(([type, body]) => message(type, body)));
        const ends = new Set<number>([0]);
        for (const [, body] of messages) ends.add(Math.max(...ends) + 5 + body.length);
        const whole = wholeMessages(() => new Error('broken'));
        const given: Uint8Array[] = [];
        for (let at = 0, i = 0; at < all.length; i++) {
          const step = 1 + cuts[i % cuts.length]!;
          given.push(whole(all.subarray(at, at + step)) ?? new Uint8Array(0));
          at += step;
          const so = Buffer.concat(given).length;
          assert.equal(so, Math.max(...[...ends].filter((end) => end <= at)));
        }
        assert.deepEqual(Buffer.concat(given), all);
      },
    ),
    { numRuns: 200 },
  );
});

test('a server that sends without end before anything was asked is not read on', async () => {
  const status = Buffer.concat(Array<Uint8Array>(4096).fill(message('S', Buffer.from('a\0b\0'))));
  for (const [begin, piece] of [
    [message('N', new Uint8Array(0), 2 ** 32 - 1), Buffer.alloc(1 << 16)],
    [new Uint8Array(0), status],
  ] as const) {
    let sent = 0;
    await serving(
      (socket) => {
        const flood = () => {
          for (let goesOn = !socket.destroyed; goesOn; sent += piece.length) goesOn = socket.write(piece);
        };
        socket.write(begin);
        socket.on('drain', flood);
        flood();
      },
      async (port) => assert.equal(await opening(urls(port)[0]!), 'engine_failed'),
    );
    assert.ok(sent < 32 << 20, `${sent}`);
  }
});

test('PostgreSQL is given the password of its address, or of the side, and what refuses it is named', async () => {
  const plain = message('R', Uint8Array.of(0, 0, 0, 3));
  const scram = message('R', Buffer.concat([Uint8Array.of(0, 0, 0, 10), Buffer.from('SCRAM-SHA-256\0\0')]));
  for (const [asks, secret] of [
    [plain, SECRET],
    [plain, 'other'],
    [scram, ''],
  ] as const) {
    let said = '';
    await serving(
      (socket) => {
        socket.write(asks);
        socket.once('data', (bytes) => {
          said = bytes.toString('latin1');
          socket.end(message('E', Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed\0\0')));
        });
      },
      async (port) => {
        const at = secret === SECRET ? `a:${SECRET}@127.0.0.1` : 'a@127.0.0.1';
        const beside = secret === 'other' ? secret : null;
        const address = engineAddress(`postgres://${at}:${port}/b`, beside);
        const opened = openVectorEngine({ address, collection: COLLECTION, dimension: 4, callMs: 3000 });
        assert.equal(await codeOf(opened), 'engine_refused');
        if (asks === plain) assert.equal(said.slice(5), `${secret}\0`);
      },
    );
  }
});

test('noise in place of answers ends in an error of its own, whatever it is', async () => {
  const random = createSeededRandom(9);
  for (let round = 0; round < 12; round++)
    await serving(
      (socket) => socket.end(random.bytes(200)),
      async (port) => {
        for (const url of urls(port)) assert.match(await opening(url, 500), /^engine_/u);
      },
    );
});

async function httpServing(
  answer: (path: string) => readonly [number, string],
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = createHttpServer((request, response) => {
    request.resume();
    const [status, body] = answer(request.url ?? '/');
    response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:9/' } : {});
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://:${SECRET}@127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('what Qdrant refuses says why, and none of it repeats the key', async () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [401, `Your key ${SECRET} is wrong`, 'engine_refused'],
    [403, '{"status":{"error":"Forbidden: collection access"}}', 'engine_refused'],
    [500, '{"status":{"error":"Service internal error: No space left on device"}}', 'engine_full'],
    [507, '', 'engine_full'],
    [429, '{"status":{"error":"Rate limit exceeded"}}', 'engine_unreachable'],
    [400, '{"status":{"error":"Wrong input"}}', 'engine_failed'],
    [200, '{"version":7}', 'engine_failed'],
    [200, 'no json', 'engine_failed'],
    [200, '[]', 'engine_failed'],
    [404, '', 'engine_failed'],
    [302, '', 'engine_unreachable'],
  ];
  for (const [status, body, code] of cases)
    await httpServing(
      () => [status, body],
      async (url) => {
        const error: unknown = await openVectorEngine({
          ...{ address: engineAddress(url), collection: COLLECTION, dimension: 4 },
        }).catch((thrown: unknown) => thrown);
        assert.ok(isKithError(error));
        assert.equal(error.code, code, `${status} ${body}: ${error.message}`);
        assert.ok(!error.message.includes(SECRET) && !String(error.cause).includes(SECRET));
      },
    );
});

test('answers that are not as documented, and endless ones, are no results', async () => {
  const information = '{"result":{"config":{"params":{"vectors":{"size":4,"distance":"Dot"}}}}}';
  const bodies = [
    '{"result":{"points":[{"id":-1,"score":1}]}}',
    '{"result":{"points":[{"id":1.5,"score":1}]}}',
    '{"result":{"points":[{"id":1,"score":"9"}]}}',
    `{"result":{"points":[${'{"id":1,"score":1},'.repeat(ENGINE_BOUNDS.hits)}{"id":1,"score":1}]}}`,
    '{"result":null}',
  ];
  let body = '';
  await httpServing(
    (path) => [200, path === '/' ? '{"version":"1"}' : path.includes('/points') ? body : information],
    async (url) => {
      await using engine = await openVectorEngine({
        ...{ address: engineAddress(url), collection: COLLECTION, dimension: 4 },
      });
      const vector = Float32Array.of(1, 0, 0, 0);
      for (body of bodies) assert.equal(await codeOf(engine.search(vector, { k: 3 })), 'engine_failed');
      body = `"${'x'.repeat(ENGINE_BOUNDS.replyBytes)}"`;
      assert.equal(await codeOf(engine.search(vector, { k: 3 })), 'engine_failed');
      body = '{"result":{"points":[{"id":2,"score":0.5},{"id":1,"score":0.5},{"id":2,"score":0.5}]}}';
      assert.deepEqual(
        (await engine.search(vector, { k: 3 })).map(({ id }) => id),
        [1, 2],
      );
    },
  );
});
