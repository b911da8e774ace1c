import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { attempt, connect, endAttempt } from './connect.ts';
import { prove } from './paths.ts';

const PEER = '12D3KooWFsuHBh89LE3AMmTyt1guF3KfCv7TUfe9AtygG31m4D1z';
const RELAYED = `/ip4/45.83.0.1/tcp/1/p2p/${PEER}/p2p-circuit/p2p/${PEER}`;
const signal = AbortSignal.timeout(60_000);

function link(address: string, limited = false): Connection {
  return {
    status: 'open',
    remoteAddr: multiaddr(address),
    timeline: { open: 0 },
    ...(limited && { limits: {} }),
  } as Connection;
}

/** As libp2p's connection manager does it: an open link without limits is given back instead of dialling, unless forced. */
function nodeWith(...links: Connection[]) {
  const dialled: Connection[] = [];
  return {
    dialled,
    getConnections: () => links,
    async dial(_to: unknown, { force = false }: { force?: boolean } = {}): Promise<Connection> {
      const standing = links.find(({ status, limits }) => status === 'open' && limits === undefined);
      if (standing !== undefined && !force) return standing;
      const made = link(RELAYED);
      dialled.push(made);
      links.push(made);
      return made;
    },
  };
}

const silent = () => link(`/webrtc/p2p/${PEER}`);

test('a peer is dialled where all there is of it is a link over WebRTC on which nothing ever came', async () => {
  for (const target of [RELAYED, PEER])
    for (const others of [[], [link(RELAYED, true)]]) {
      const node = nodeWith(silent(), ...others);
      assert.equal(await connect(node, target, signal), node.dialled[0]);
      assert.equal(node.dialled.length, 1);
    }
});

test('a link that works is given back, also beside a silent one', async () => {
  const works = link('/ip4/45.83.0.9/tcp/1');
  for (const links of [[works], [silent(), works], [works, silent()]]) {
    const node = nodeWith(...links);
    assert.equal(await connect(node, PEER, signal), works);
    assert.equal(node.dialled.length, 0);
  }
  const proven = silent();
  prove(proven);
  assert.equal(await connect(nodeWith(proven), PEER, signal), proven);
});

test('a silent link that is closed changes nothing', async () => {
  const closed = { ...silent(), status: 'closed' } as Connection;
  const node = nodeWith(closed);
  assert.equal(await connect(node, RELAYED, signal), node.dialled[0]);
});

test('where the dial fails, a link that proved itself meanwhile is taken, and else the error told', async () => {
  const late = silent();
  const dial = (proves: boolean) => () => {
    if (proves) prove(late);
    return Promise.reject(new Error('No way there.'));
  };
  const getConnections = () => [late];
  await assert.rejects(connect({ getConnections, dial: dial(false) }, PEER, signal), /No way there/);
  assert.equal(await connect({ getConnections, dial: dial(true) }, PEER, signal), late);
});

test('who needs a link ends the attempt at a better one instead of waiting for it', async () => {
  const standing = link(RELAYED);
  const order: string[] = [];
  const node = {
    getConnections: () => [],
    dial(_to: unknown, { force = false, signal }: { force?: boolean; signal?: AbortSignal } = {}) {
      order.push(force ? 'attempt' : 'dial');
      if (!force) return Promise.resolve(standing);
      return new Promise<Connection>((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          order.push('ended');
          reject(signal.reason);
        });
      });
    },
  };
  const improving = attempt(node, PEER, [multiaddr(RELAYED)], signal);
  assert.equal(await connect(node, PEER, signal), standing);
  assert.deepEqual(order, ['attempt', 'ended', 'dial']);
  assert.equal(await improving, false);
  await endAttempt(node, PEER);
  assert.deepEqual(order.length, 3, 'nothing is left to end');
});

test('an attempt goes on while another link stands', async () => {
  const works = link('/ip4/45.83.0.9/tcp/1');
  const made = link(RELAYED);
  let finish = (_link: Connection): void => {};
  const node = {
    getConnections: () => [works],
    dial: (_to: unknown, { force = false }: { force?: boolean } = {}) =>
      force ? new Promise<Connection>((resolve) => (finish = resolve)) : Promise.resolve(works),
  };
  const improving = attempt(node, PEER, [multiaddr(RELAYED)], signal);
  assert.equal(await connect(node, PEER, signal), works);
  finish(made);
  assert.equal(await improving, true);
});

/** Dials that end in these answers, in their order; the last goes well. */
function answering(...answers: (Error | 'ok')[]) {
  const dialled: string[] = [];
  const slept: number[] = [];
  const node = {
    getConnections: () => [],
    async dial(to: unknown): Promise<Connection> {
      dialled.push(String(to));
      const answer = answers.shift() ?? 'ok';
      if (answer !== 'ok') throw answer;
      return link(RELAYED);
    },
  };
  const sleep = async (ms: number) => void slept.push(ms);
  return { dialled, slept, ask: (target: string) => connect(node, target, signal, sleep) };
}
const relayed = (status: string) => new Error(`failed to connect via relay with status ${status}`);

test('a relay that knows the peer only a moment later is asked again, other ways to the peer first', async () => {
  const soon = answering(relayed('NO_RESERVATION'), new Error('no other way'), relayed('MALFORMED_MESSAGE'));
  await soon.ask(RELAYED);
  assert.deepEqual(soon.dialled, [RELAYED, PEER, RELAYED, PEER], 'the second other way goes well');
  assert.deepEqual(soon.slept, [250]);
  // Of a peer all ways are tried at once: there is no other.
  const all = answering(new AggregateError([new Error('refused'), relayed('NO_RESERVATION')]), 'ok');
  await all.ask(PEER);
  assert.deepEqual([all.dialled, all.slept], [[PEER, PEER], [250]]);
});

test('a relay is asked again three times and no more, and not at all for what stays so', async () => {
  const never = answering(...Array.from({ length: 20 }, () => relayed('NO_RESERVATION')));
  await assert.rejects(never.ask(PEER), /NO_RESERVATION/);
  assert.deepEqual([never.dialled.length, never.slept], [4, [250, 750, 1500]]);
  for (const error of [
    relayed('PERMISSION_DENIED'),
    relayed('RESOURCE_LIMIT_EXCEEDED'),
    new Error('refused'),
  ]) {
    const once = answering(error);
    await assert.rejects(once.ask(RELAYED), error);
    assert.deepEqual([once.dialled.length, once.slept], [1, []]);
  }
});

test('an address that is named is dialled at once while one is looked for, and who looked gets that link', async () => {
  for (const works of [true, false]) {
    const made = link(RELAYED);
    const known = link('/ip4/45.83.0.9/tcp/1');
    let under: Promise<Connection> | null = null;
    let looks = 0;
    // As libp2p does it: a dial joins one to the same peer that is under way.
    const node = {
      getConnections: () => [],
      dial(to: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<Connection> {
        if (under !== null) return under;
        const looking = String(to) === PEER;
        const dial = looking
          ? ++looks > 1
            ? Promise.resolve(known)
            : new Promise<Connection>((_resolve, reject) => {
                signal?.addEventListener('abort', () => reject(signal.reason));
              })
          : new Promise<Connection>((resolve, reject) => {
              setTimeout(() => (works ? resolve(made) : reject(new Error('refused'))), 20);
            });
        under = dial;
        const over = () => {
          under = null;
        };
        dial.then(over, over);
        return dial;
      },
    };
    const looking = connect(node, PEER, signal);
    const named = connect(node, RELAYED, signal);
    if (works) assert.equal(await named, made);
    else await assert.rejects(named, /refused/);
    assert.equal(await looking, works ? made : known);
  }
});
