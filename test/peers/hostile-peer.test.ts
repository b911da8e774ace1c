/**
 * Peers that die, stall, lie and flood: each is a failed attempt, and another backend answers. Two real hosts; the hostile
 * one speaks the protocol by hand.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  type CborMap,
  createSeededRandom,
  isKithError,
  silentLogger,
  systemClock,
} from '../../src/base/index.ts';
import { type PeerBackend, type PeerReceipt, peerProvider } from '../../src/gateway/backends/peer/index.ts';
import {
  type ChatEvent,
  type ChatRequest,
  createGateway,
  type Gateway,
  localProvider,
} from '../../src/gateway/index.ts';
import {
  encodeEvent,
  encodeLease,
  encodeModels,
  PEER_METHODS,
  type PeerEvent,
} from '../../src/gateway/peers/index.ts';
import { type ReceiptFacts, signReceipt } from '../../src/gateway/peers/receipt.ts';
import type { Session } from '../../src/swarm/index.ts';
import {
  askingBackend,
  chatModel,
  chatRequest,
  collect,
  type Host,
  scriptedEngine,
  startHost,
  textOf,
} from './support.ts';

const parts = new AsyncDisposableStack();
let asker: Host;
let server: Host;
let backend: PeerBackend;
let gateway: Gateway;
let misconduct: string[] = [];
/** What the hostile peer does with a session; set by each test. */
let chat: (session: Session) => Promise<void> = async () => {};
let lease: () => CborMap;
/** Resolves when the peer learned that the session is over. */
let over: Promise<void> = Promise.resolve();
const words = 'the honest answer';

const granted = (): CborMap =>
  encodeLease({ state: 'granted', lease: new Uint8Array(16).fill(3), ms: 600_000 });
const noBytes = new Uint8Array(0);

before(async () => {
  [asker, server] = await Promise.all([startHost('hp-asker'), startHost('hp-server')]);
  parts.use(asker);
  parts.use(server);
  await asker.swarm.learn(server.swarm.peer, server.swarm.addresses);
  const models = [{ id: chatModel, task: 'chat', state: 'loaded', context: 4096 } as const];
  parts.use(
    server.swarm.handle(PEER_METHODS.models, { handler: () => encodeModels({ models, queueMs: 0 }) }),
  );
  parts.use(server.swarm.handle(PEER_METHODS.lease, { handler: () => ({ metadata: lease() }) }));
  parts.use(
    server.swarm.handle(PEER_METHODS.chat, {
      caps: { maxPayloadBytes: 2 ** 22, maxConcurrent: 64 },
      session: async (session) => {
        over = new Promise((resolve) =>
          session.signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        await session.receive();
        await chat(session);
      },
    }),
  );
  backend = parts.use(askingBackend(asker, server, 'hostile', (what) => misconduct.push(what)));
  await backend.models();
});
after(() => parts.disposeAsync());

beforeEach(() => {
  misconduct = [];
  lease = granted;
  gateway = createGateway({
    providers: [
      peerProvider({
        backend,
        standing: () => ({ tier: 'trusted', pledge: true, region: null }),
        // A peer that keeps silent is given up quickly here.
        facts: { [chatModel]: { limits: { firstTokenMs: 1000, interTokenMs: 1000, totalMs: 60_000 } } },
      }),
      localProvider({
        ...scriptedEngine(async function* () {
          yield { type: 'start', backend: 'honest', model: chatModel };
          yield { type: 'text', choice: 0, text: words, logprobs: null };
          yield { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
          yield* closing;
        }),
        name: 'honest',
        has: async () => true,
        defaultModel: () => null,
        complete: () => assert.fail(),
        countTokens: () => assert.fail(),
        health: () => assert.fail(),
      }),
    ],
    ...{ clock: systemClock, random: createSeededRandom(1), log: silentLogger, probeMs: 0, retries: 0 },
  });
});

const closing: ChatEvent[] = [
  {
    type: 'usage',
    promptTokens: 3,
    cachedTokens: 0,
    completionTokens: 3,
    receipt: { backend: 'honest', model: chatModel, queueMs: 0, prefillMs: 0, decodeMs: 0, notes: [] },
  },
];

async function send(session: Session, ...events: PeerEvent[]): Promise<void> {
  for (const event of events)
    for (const { metadata, payload } of encodeEvent(event)) await session.send(metadata, payload);
}
const raw =
  (metadata: CborMap, payload = noBytes) =>
  async (session: Session) => {
    await send(session, begin);
    await session.send(metadata, payload);
    await hang(session);
  };
/** Until the other side is gone. */
const hang = (session: Session): Promise<void> =>
  new Promise((resolve) => {
    if (session.signal.aborted) resolve();
    session.signal.addEventListener('abort', () => resolve(), { once: true });
  });
/** Both hosts live in this process: a flood that never waits would keep the other from reading. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const said =
  (...events: PeerEvent[]) =>
  async (session: Session) => {
    await send(session, ...events);
    await hang(session);
  };

const begin: PeerEvent = { type: 'start', model: chatModel, promptTokens: 3, cachedTokens: 0 };
const piece = (text: string, choice = 0): PeerEvent => ({ type: 'text', choice, text, logprobs: null });
const stop: PeerEvent = { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
const failed = (code: string, status: number): PeerEvent => ({
  type: 'error',
  ...{ code, status, message: 'for no good reason', retryMs: null },
});

/** Asks through the gateway and expects the honest backend's answer after the peer's failed attempt. */
async function fallsOver(code: string, more: Partial<ChatRequest> = {}): Promise<ChatEvent[]> {
  const events = await collect(gateway.chat(chatRequest('a question', { whole: true, ...more })));
  assert.equal(textOf(events), words);
  const usage = events.at(-1)!;
  assert.ok(usage.type === 'usage');
  const [first, second] = usage.receipt.route!.attempts;
  assert.deepEqual(
    [first!.backend, first!.code, second!.backend, second!.outcome],
    ['hostile', code, 'honest', 'answered'],
  );
  return events;
}

const lies: Readonly<Record<string, (session: Session) => Promise<void>>> = {
  'answers with another model': said({ ...begin, model: 'another' } as PeerEvent),
  'says something before it begins': said(piece('hello')),
  'begins twice': said(begin, begin),
  'sends a choice that nobody asked for': said(begin, piece('hello', 1)),
  'calls a tool that was not offered': said(begin, {
    ...{ type: 'tool_call', choice: 0, index: 0, id: 'call_1', name: 'rm' },
  }),
  'sends arguments of no call': said(begin, { type: 'tool_arguments', choice: 0, index: 0, text: '{}' }),
  'sends an event that there is none of': raw({ e: 'secret' }),
  'sends a field that there is none of': raw({ e: 'text', c: 0, more: 1 }),
  'sends text that is no UTF-8': raw({ e: 'text', c: 0 }, Uint8Array.of(0xff, 0xfe)),
  'sends a piece of text that is too long': raw({ e: 'text', c: 0 }, new Uint8Array(70_000).fill(97)),
  'sends log probabilities that are no CBOR': raw({ e: 'scored', c: 0 }, Uint8Array.of(0xa1)),
  'sends log probabilities that nobody asked for': said(begin, {
    ...{ type: 'text', choice: 0, text: 'a', logprobs: [] },
  }),
  'ends a choice with calls that it did not make': said(begin, {
    ...stop,
    reason: 'tool_calls',
  } as PeerEvent),
  'counts an answer that it did not write': said(begin, {
    ...{ type: 'usage', promptTokens: 1, cachedTokens: 0, completionTokens: 1 },
    ...{ queueMs: null, prefillMs: null, decodeMs: null, notes: [] },
    ...{ receipt: noBytes, signature: new Uint8Array(64) },
  }),
};

for (const [what, does] of Object.entries(lies))
  test(`a peer that ${what} is a failed attempt`, async () => {
    chat = does;
    await fallsOver('peer_bad_answer');
    assert.equal(misconduct.length, 1);
    // It was told to stop.
    await over;
  });

test('a peer that ends without an answer is a failed attempt', async () => {
  chat = async (session) => send(session, begin);
  await fallsOver('peer_cut');
});

test('a peer whose link breaks is a failed attempt, and is asked again by a new link', async () => {
  chat = async (session) => {
    await send(session, begin);
    await server.swarm.disconnect(asker.swarm.peer);
  };
  await fallsOver('peer_cut');
  chat = said(begin, piece('back'), stop);
  const events: ChatEvent[] = [];
  for await (const event of backend.chat(chatRequest('again'))) {
    events.push(event);
    if (event.type === 'finish') break;
  }
  assert.equal(textOf(events), 'back');
});

test('a peer that keeps silent is given up after its time, and told', async () => {
  chat = hang;
  await fallsOver('first_token_timeout');
  await over;
});

test('an answer that stops in the middle is said anew by another, and the peer is told', async () => {
  chat = said(begin, piece('the hon'));
  const events = await fallsOver('stream_stalled');
  assert.ok(events.length > 0);
  await over;
});

test('a peer that floods is cut as soon as it says more than was asked for', async () => {
  let sent = 0;
  chat = async (session) => {
    await send(session, begin);
    while (!session.signal.aborted) {
      await send(session, piece('x'.repeat(3000)));
      sent++;
      await turn();
    }
  };
  await assert.rejects(
    collect(backend.chat(chatRequest('a question', { maxTokens: 8 }))),
    (error) =>
      isKithError(error) && error.code === 'peer_bad_answer' && /8192|characters/.test(error.message),
  );
  await over;
  // Two pieces are within its bound; the window bounds what was on its way.
  assert.ok(sent > 2 && sent < 3000, `${sent} pieces were sent`);
  assert.equal(misconduct.length, 1);
});

test('a peer that floods with empty events is cut too', async () => {
  chat = async (session) => {
    await send(session, begin);
    while (!session.signal.aborted) {
      await send(session, ...Array.from({ length: 100 }, () => piece('')));
      await turn();
    }
  };
  await assert.rejects(
    collect(backend.chat(chatRequest('a question', { maxTokens: 8 }))),
    (error) => isKithError(error) && error.code === 'peer_bad_answer' && /events/.test(error.message),
  );
  await over;
});

for (const [code, status, becomes] of [
  ['invalid_value', 400, 'peer_refused'],
  ['content_filter', 400, 'peer_refused'],
  ['context_length_exceeded', 400, 'peer_refused'],
  ['loop_detected', 508, 'peer_failed'],
  ['peer_not_served', 403, 'peer_denied'],
  ['peer_allowance', 429, 'peer_busy'],
  ['whatever', 500, 'peer_failed'],
] as const)
  test(`whatever a peer says of the request, another is asked: ${code}`, async () => {
    chat = async (session) => send(session, failed(code, status));
    await fallsOver(becomes);
  });

test('a peer that denies its own leases is asked once more and then left', async () => {
  let asked = 0;
  chat = async (session) => {
    asked++;
    await send(session, failed('peer_lease_lost', 409));
  };
  await fallsOver('peer_busy');
  assert.equal(asked, 2);
});

for (const [what, answer, code] of [
  ['is busy', () => encodeLease({ state: 'busy', ms: 9000 }), 'peer_busy'],
  [
    'denies a lease',
    () => encodeLease({ state: 'denied', reason: 'not_allowed', message: 'no' }),
    'peer_denied',
  ],
  ['grants a lease that is none', () => ({ s: 'granted', l: noBytes, ms: 1 }), 'peer_bad_answer'],
] as const)
  test(`a peer that ${what} gets no request`, async () => {
    // One that it granted before would be used.
    const fresh = parts.use(askingBackend(asker, server, 'fresh'));
    lease = answer;
    let asked = false;
    chat = async () => {
      asked = true;
    };
    await assert.rejects(
      collect(fresh.chat(chatRequest('a question'))),
      (error) => isKithError(error) && error.code === code,
    );
    assert.equal(asked, false);
  });

test('tokens that cannot be are not believed', async () => {
  chat = said(begin, piece('ok'), stop, {
    ...{ type: 'usage', promptTokens: 3, cachedTokens: 0, completionTokens: 5000 },
    ...{ queueMs: null, prefillMs: null, decodeMs: null, notes: [] },
    ...{ receipt: noBytes, signature: new Uint8Array(64) },
  });
  const events = await collect(gateway.chat(chatRequest('a question')));
  assert.equal(textOf(events), 'ok');
  const usage = events.at(-1)!;
  assert.ok(usage.type === 'usage' && usage.completionTokens === null);
  assert.equal(misconduct.length, 1);
});

test('a receipt that the peer did not sign, or that is of something else, does not count', async () => {
  const facts: ReceiptFacts = {
    server: server.swarm.peer,
    client: asker.swarm.peer,
    ...{ request: new Uint8Array(16), hash: new Uint8Array(32), task: 'chat', model: chatModel },
    ...{ promptTokens: 3, completionTokens: 1, outcome: 'answered', at: 1 },
  };
  const ofAnother = signReceipt(facts, server.identity);
  for (const signed of [ofAnother, signReceipt(facts, asker.identity), { ...ofAnother, receipt: noBytes }]) {
    misconduct = [];
    chat = said(begin, piece('ok'), stop, {
      ...{ type: 'usage', promptTokens: 3, cachedTokens: 0, completionTokens: 1 },
      ...{ queueMs: null, prefillMs: null, decodeMs: null, notes: [] },
      ...signed,
    });
    const usage = (await collect(backend.chat(chatRequest('a question')))).at(-1)!;
    assert.ok(usage.type === 'usage');
    assert.equal((usage.receipt as PeerReceipt).peer.signed, null);
    assert.match(usage.receipt.notes.join(), /does not count/);
    assert.equal(misconduct.length, 1);
  }
});

test('a client that leaves ends the session at the peer', async () => {
  const leaving = new AbortController();
  chat = said(begin, piece('one'));
  const events = backend.chat(chatRequest('a question', { signal: leaving.signal }));
  const read = (async () => {
    for await (const event of events) if (event.type === 'text') leaving.abort();
  })();
  await assert.rejects(read, (error) => isKithError(error) && error.code === 'aborted');
  await over;
});
