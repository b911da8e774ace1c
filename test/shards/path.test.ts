/** Paths of a model through peers, over real connections: the tokens are those of the whole model, whatever is lost. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testModel } from '../models/index.ts';
import { until } from '../swarm/members.ts';
import { delayed } from './delayed.ts';
import { type Lab, type LabPeer, loadHalves, newEngine, openLab } from './lab.ts';

let lab: Lab;
/** One node for each half of the model. */
let peers: LabPeer[] = [];

before(async () => {
  lab = await openLab(60);
  peers = [await lab.startPeer(0, 3), await lab.startPeer(3, 6)];
});
after(() => lab[Symbol.asyncDispose]());

const sampled = { sampler: { temperature: 0.9, seed: 3, topLogprobs: 0 } };
const long = {
  prompt: { kind: 'text' as const, text: 'The little robot walked to the big house. '.repeat(18) },
};

test('answers over two peers have the tokens of the whole, greedy, sampled, and several at once', async () => {
  const { path } = await lab.overPath('over', peers, []);
  await using _ = path;
  assert.equal(path.width, 288);
  const { answer } = lab;
  assert.deepEqual(await answer('over'), await answer('whole'));
  assert.deepEqual(await answer('over', sampled), await answer('whole', sampled));
  assert.deepEqual(await answer('over', long), await answer('whole', long));
  const some = await Promise.all([answer('over'), answer('over', sampled), answer('over')]);
  assert.deepEqual(some[0], some[2]);
});

test('peers that hold more blocks than are asked of them give the tokens of the whole, whatever the cuts', async () => {
  await lab.engine.load({
    id: 'blocks 0-6',
    path: await testModel('stories15m-f16'),
    range: { from: 0, to: 6, embed: false, head: false },
  });
  const all = await lab.startPeer(0, 6);
  const of = (peer: LabPeer, from: number, to: number) => ({ ...peer, offer: { ...peer.offer, from, to } });
  const [front, back] = peers as [LabPeer, LabPeer];
  const expected = [await lab.answer('whole'), await lab.answer('whole', sampled)];
  for (const [i, through] of [
    [of(all, 0, 6)],
    [of(front, 0, 1), of(all, 1, 6)],
    [of(all, 0, 2), of(front, 2, 3), of(back, 3, 6)],
    [of(front, 0, 2), of(all, 2, 5), of(back, 5, 6)],
  ].entries()) {
    const { path } = await lab.overPath(`cut ${i}`, through, []);
    await using _ = path;
    assert.deepEqual([await lab.answer(`cut ${i}`), await lab.answer(`cut ${i}`, sampled)], expected);
  }
});

test('passes of more rows than a shard takes go through in several steps', async () => {
  await using small = newEngine({ prefillChunk: 32 });
  await loadHalves(small);
  const peer = await lab.startPeer(3, 6, small);
  const { path } = await lab.overPath('small', [peers[0]!, peer], []);
  await using _ = path;
  assert.ok(path.maxRows < 64);
  assert.equal((await lab.answer('small', long)).length, 24);
});

test('left to choose, each link takes its own type: exact where it is near, rounded where it is far', async () => {
  const far = delayed(lab.owner, () => 40);
  const sent: { peer: string; metadata: Record<string, unknown> }[] = [];
  const links: { from: string; to: string; ms: number }[] = [];
  const { path } = await lab.overPath('auto', peers, [], {
    type: 'auto',
    onLink: (from, to, ms) => links.push({ from, to, ms }),
    swarm: {
      learn: far.learn,
      async openSession(peer, ...given) {
        const session = await far.openSession(peer, ...given);
        const send = session.send.bind(session);
        session.send = (metadata, payload) => {
          sent.push({ peer, metadata });
          return send(metadata, payload);
        };
        return session;
      },
    },
  });
  await using _ = path;
  assert.equal((await lab.answer('auto', { maxTokens: 4 })).length, 4);
  assert.equal((await lab.answer('auto', { ...long, maxTokens: 2 })).length, 2);
  const [front, back] = peers.map(({ offer }) => offer.peer) as [string, string];
  const steps = sent.flatMap(({ metadata: { k, t, p } }) =>
    k === 'step' ? [{ t, parts: p as number[][] }] : [],
  );
  for (const { t, parts } of steps) assert.equal(t, parts.some(([, count]) => count! > 16) ? 'i8' : 'f16');
  assert.deepEqual(new Set(steps.map(({ t }) => t)), new Set(['i8', 'f16']));
  // The first shard's link to the next one is near, and the way back from that is as far as the way to it.
  const told = (peer: string) =>
    sent.flatMap((one) => (one.peer === peer && one.metadata.k === 'types' ? [one.metadata.types] : []));
  assert.deepEqual(told(back), [['i8', 'f16']]);
  assert.deepEqual(
    links.map(({ from, to }) => [from, to]),
    [[front, back]],
  );
  const between = links[0]!.ms;
  assert.deepEqual(told(front), between < 5 ? [] : between < 30 ? [['f16', 'f32']] : [['i8', 'f16']]);
});

for (const [place, which] of ['first', 'last'].entries()) {
  test(`the ${which} shard dies in mid-answer: another takes its place and no token changes`, async () => {
    const victim = peers[place]!;
    const other = await lab.startPeer(victim.offer.from, victim.offer.to);
    const { path, events } = await lab.overPath(`dies ${which}`, peers, [other]);
    await using _ = path;
    const tokens = await lab.answer(`dies ${which}`, {}, async (count) => {
      if (count === 10) await lab.stopPeer(victim);
    });
    assert.deepEqual(tokens, await lab.answer('whole'));
    assert.deepEqual(
      events.map(({ type }) => type),
      ['lost', 'joined', 'recovered'],
    );
    assert.equal(path.shards()[place]!.peer, other.offer.peer);
    // The path goes on with what it has.
    assert.deepEqual(await lab.answer(`dies ${which}`, sampled), await lab.answer('whole', sampled));
    peers[place] = other;
  });
}

test('several that share the blocks take the place of one, and one that has all of them theirs', async () => {
  const file = await testModel('stories15m-f16');
  const spans = [
    [3, 5],
    [5, 6],
  ] as const;
  for (const [from, to] of spans)
    await lab.engine.load({
      id: `blocks ${from}-${to}`,
      path: file,
      range: { from, to, embed: false, head: false },
    });
  const parts = await Promise.all(spans.map(([from, to]) => lab.startPeer(from, to)));
  const [front, back] = peers as [LabPeer, LabPeer];
  const others = [...parts];
  const { path, events } = await lab.overPath('several', [front, back], others);
  await using _ = path;
  const now = () => path.shards().map(({ peer }) => peer);
  const tokens = await lab.answer('several', {}, async (count) => {
    if (count === 6) path.drop(back.offer.peer, 'the test asks for it');
    if (count !== 14) return;
    await until('they have joined', () => path.shards().length === 3);
    others.push(await lab.startPeer(3, 6));
    await Promise.all(parts.map((peer) => lab.stopPeer(peer)));
  });
  assert.deepEqual(tokens, await lab.answer('whole'));
  assert.deepEqual(
    events
      .flatMap((event) => (event.type === 'joined' ? [[event.span.from, event.span.to]] : []))
      .slice(0, 2),
    spans,
  );
  const left = new Set([front, others[2]!].map(({ offer }) => offer.peer));
  await until('one has taken their places', () => now().every((peer) => left.has(peer)));
  assert.deepEqual(await lab.answer('several', sampled), await lab.answer('whole', sampled));
  assert.throws(() => path.move(1, { ...back.offer, from: 2 }), { code: 'path_invalid' });
  peers[1] = others[2]!;
  await lab.stopPeer(back);
});

test('both shards die at once, and a substitute soon after: others take their places', async () => {
  const others = [await lab.startPeer(0, 3), await lab.startPeer(3, 6)];
  const brief = await lab.startPeer(0, 3);
  const { path } = await lab.overPath('both', peers, [brief, ...others]);
  await using _ = path;
  const tokens = await lab.answer('both', {}, async (count) => {
    if (count === 12) for (const peer of peers) await lab.stopPeer(peer);
    if (count === 16) await lab.stopPeer(brief);
  });
  assert.deepEqual(tokens, await lab.answer('whole'));
  assert.deepEqual(
    path.shards().map(({ peer }) => peer),
    others.map(({ offer }) => offer.peer),
  );
  peers = others;
});

test('the first shard dies while another takes the place of the second: nobody waits for what it cannot say any more', async () => {
  const others = [await lab.startPeer(0, 3), await lab.startPeer(3, 6)];
  const offers = [...peers, ...others].map(({ offer }) => offer);
  const [front] = peers as [LabPeer, LabPeer];
  const lost: string[] = [];
  const { path } = await lab.overPath('passed', peers, [], {
    limits: { openMs: 60_000 },
    onEvent: (event) => event.type === 'lost' && lost.push(event.peer),
    async substitute({ from }, gone) {
      if (!gone.has(front.offer.peer)) {
        await lab.stopPeer(front);
        await until('the first is lost, too', () => lost.includes(front.offer.peer));
      }
      return offers.filter((offer) => offer.from === from && !gone.has(offer.peer));
    },
  });
  await using _ = path;
  const begun = performance.now();
  const tokens = await lab.answer('passed', {}, async (count) => {
    if (count === 12) await lab.stopPeer(peers[1]!);
  });
  assert.ok(performance.now() - begun < 45_000);
  assert.deepEqual(tokens, await lab.answer('whole'));
  peers = others;
});

test('a shard that is lost while nothing is asked is replaced before the next question', async () => {
  const brief = await lab.startPeer(3, 6);
  const { path, events } = await lab.overPath('idle', [peers[0]!, brief], [peers[1]!]);
  await using _ = path;
  assert.deepEqual(await lab.answer('idle'), await lab.answer('whole'));
  await lab.stopPeer(brief);
  await until('another has taken the place', () => events.some(({ type }) => type === 'recovered'));
  assert.equal(path.shards()[1]!.peer, peers[1]!.offer.peer);
  assert.deepEqual(await lab.answer('idle', sampled), await lab.answer('whole', sampled));
});

test('nobody can take the place: the answer ends with what there is and a clear error', async () => {
  const { path, events } = await lab.overPath('lost', peers, []);
  await using _ = path;
  const expected = await lab.answer('whole');
  const tokens: number[] = [];
  await assert.rejects(
    (async () => {
      for await (const event of lab.engine.generate({
        model: 'lost',
        prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who' },
        sampler: { temperature: 0, topLogprobs: 0 },
        maxTokens: 24,
        stop: [],
      })) {
        if (event.type !== 'text') continue;
        tokens.push(...event.logprobs!.map(({ token }) => token));
        if (tokens.length === 9) await lab.stopPeer(peers[0]!);
      }
    })(),
    { code: 'path_lost', status: 503 },
  );
  assert.ok(tokens.length >= 9);
  assert.deepEqual(tokens, expected.slice(0, tokens.length));
  assert.equal(path.closed, true);
  assert.equal(events.at(-1)!.type, 'failed');
  await assert.rejects(lab.answer('lost'), { code: 'path_lost' });
});
