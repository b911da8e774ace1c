/** Blocks of a model from peers over real swarms: from those that have all or some of it, some of whom lie or die. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { isKithError, KithError, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import {
  CATALOGUE,
  type CatalogueEntry,
  createModelStore,
  fileSource,
  listOfFile,
  type ModelStore,
  parseTensorList,
  readGguf,
  serialiseTensorList,
  sliceModel,
} from '../../src/models/index.ts';
import { peerWeights, serveWeights, type WeightPeer, type WeightService } from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';

const stories = await testModel('stories15m-f16');
const ID = 'stories15m';
/** Known to all, to be had from peers alone. */
const known = CATALOGUE.filter(({ manifest }) => manifest.id === ID).map((entry) => ({
  ...entry,
  manifest: { ...entry.manifest, sources: [] },
}));
const MODEL = known[0]!.manifest.sha256;
const gate = { tierOf: () => 'known' as const, strikes: 1000 };
let root: string;
let asker: Swarm;
/** Nodes for `serving`, each with what it serves now. */
const nodes: { readonly swarm: Swarm; service: WeightService | null }[] = [];
let used = 0;
const open: AsyncDisposable[] = [];

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'kith-weights-'));
  const numbers = [100, 101, 102];
  const swarms = await Promise.all(numbers.map((number) => swarmOnLoopback(number, { gate })));
  open.push(...swarms);
  asker = swarms[0]!;
  nodes.push(...swarms.slice(1).map((swarm) => ({ swarm, service: null })));
});
/** Nobody serves anything from now on. */
function release(): void {
  used = 0;
  for (const node of nodes) node.service?.[Symbol.dispose]();
}
beforeEach(release);
after(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

let homes = 0;
function store(catalogue: readonly CatalogueEntry[] = known): ModelStore {
  homes += 1;
  const one = createModelStore({ home: join(root, `home-${homes}`), env: {}, catalogue, packageRoots: [] });
  open.unshift(one);
  return one;
}

/** A store that fetched these blocks from the file. */
async function part(from: number, to: number): Promise<ModelStore> {
  const [entry] = known;
  const catalogue = [
    { ...entry!, manifest: { ...entry!.manifest, sources: [{ parts: [`file:${stories}`] }] } },
  ];
  const one = store(catalogue);
  await one.ensureBlocks(ID, { from, to });
  return one;
}

interface Server {
  readonly swarm: Swarm;
  readonly offer: WeightPeer;
  readonly asked: string[];
}

function serving(
  models: Pick<ModelStore, 'holding'>,
  options: { readonly vouches?: boolean; readonly bytesPerHour?: number; readonly refuse?: boolean } = {},
): Server {
  const node = nodes[used++]!;
  const { swarm } = node;
  const asked: string[] = [];
  node.service = serveWeights({
    swarm,
    models,
    admit(peer, model) {
      asked.push(`${peer} ${model}`);
      if (options.refuse === true) throw new KithError('disk_full', 'Not for you.', { status: 507 });
    },
    clock: systemClock,
    log: silentLogger,
    ...(options.bytesPerHour === undefined ? {} : { bytesPerHour: options.bytesPerHour }),
  });
  const offer = { peer: swarm.peer, addresses: swarm.addresses, vouches: options.vouches ?? false };
  return { swarm, offer, asked };
}

function providerOf(servers: readonly Server[], onLiar: (peer: string) => void = () => {}) {
  return peerWeights({
    swarm: asker,
    peers: () => servers.map(({ offer }) => offer),
    onLiar: (peer) => onLiar(peer),
    stallMs: 5000,
    clock: systemClock,
    log: silentLogger,
  });
}

async function assertSame(
  path: string,
  range: { from: number; to: number; embedding?: boolean; head?: boolean },
) {
  await using a = await fileSource(stories);
  await using b = await fileSource(path);
  for (const { name, offset, bytes } of sliceModel(await readGguf(b), range).tensors)
    assert.ok(Buffer.from(await a.read(offset, bytes)).equals(await b.read(offset, bytes)), name);
}

test('two peers that have a part each give what is wanted, and the blocks compute what the whole does', async () => {
  const [first, second] = [serving(await part(0, 3)), serving(await part(2, 5))];
  const mine = store();
  const range = { from: 1, to: 4 };
  const got = await mine.ensureBlocks(ID, range, { providers: [providerOf([first, second])] });
  await assertSame(got.path, range);
  assert.deepEqual([...got.sources].sort(), [first.swarm.peer, second.swarm.peer].sort());
  assert.deepEqual(new Set(first.asked), new Set([`${asker.peer} ${MODEL}`]));
  const again = await mine.ensureBlocks(ID, range, { providers: [providerOf([])] });
  assert.equal(again.fetchedBytes, 0);

  await using engine = createEngine({
    threads: 1,
    device: 'cpu',
    context: 64,
    log: silentLogger,
    clock: systemClock,
    random: systemRandom,
  });
  const middle = { ...range, embed: false, head: false };
  const { embedding } = await engine.load({ id: 'whole', path: stories, range: middle });
  await engine.load({ id: 'part', path: got.path, range: middle });
  const hidden = Float32Array.from({ length: 3 * embedding }, (_, i) => Math.sin(i));
  const pass = async (id: string) => {
    const cells = Int32Array.from([0, 1, 2]);
    return await engine.forward(id, [{ cells, start: 0, count: 3, tokens: null, hidden, outputs: 'all' }]);
  };
  assert.deepEqual((await pass('part')).rows, (await pass('whole')).rows);
});

test('a peer that changes a byte is named and left out, and another gives what it owed', async () => {
  const honest = serving(await part(0, 6));
  const bad = join(root, 'bad.gguf');
  const bytes = await readFile(stories);
  await using source = await fileSource(stories);
  for (const { offset } of sliceModel(await readGguf(source), { from: 0, to: 6 }).tensors)
    bytes[offset]! ^= 1;
  await writeFile(bad, bytes);
  const list = await listOfFile(stories, MODEL);
  const liar = serving({
    holding: async () => ({ path: bad, list, has: list.sections.map(() => true) }),
  });
  const liars: string[] = [];
  const range = { from: 0, to: 2, embedding: false };
  const got = await store().ensureBlocks(ID, range, {
    providers: [providerOf([liar, honest], (peer) => liars.push(peer))],
  });
  await assertSame(got.path, range);
  assert.deepEqual(liars, [liar.swarm.peer]);

  const alone = store().ensureBlocks(ID, range, { providers: [providerOf([liar])] });
  await assert.rejects(alone, (error: unknown) => {
    assert.ok(isKithError(error) && error.code === 'blocks_unobtainable');
    assert.ok(
      error.message.includes(`${liar.swarm.peer} gave wrong bytes for the tensor blk.`),
      error.message,
    );
    return true;
  });
});

test('peers that refuse, that have nothing, that end in the middle or spend their hour are named, and others asked', async () => {
  const all = await part(0, 6);
  const list = await listOfFile(stories, MODEL);
  const short = join(root, 'short.gguf');
  await writeFile(short, (await readFile(stories)).subarray(0, 1_000_000));
  const cut = { holding: async () => ({ path: short, list, has: list.sections.map(() => true) }) };
  const mine = store();
  const range = { from: 0, to: 2 };
  let last: Server | null = null;
  for (const [bad, said] of [
    [() => serving(all, { refuse: true }), /Not for you/],
    [() => serving(store()), /no tensors of that model/],
    [() => serving(cut), /source has 1000000 bytes/],
    [() => serving(all, { bytesPerHour: 900_000 }), /900000 bytes of models an hour/],
  ] as const) {
    release();
    const one = bad();
    last = one;
    await assert.rejects(
      mine.ensureBlocks(ID, range, { providers: [providerOf([one])] }),
      (error: unknown) => {
        assert.ok(isKithError(error) && error.code === 'blocks_unobtainable');
        assert.match(error.message, said);
        assert.ok(error.message.includes(one.swarm.peer), error.message);
        return true;
      },
    );
  }
  // What came is kept, and the rest alone is asked of the next one.
  const got = await mine.ensureBlocks(ID, range, { providers: [providerOf([last!, serving(all)])] });
  await assertSame(got.path, range);
  const blocks = list.sections.slice(2, 20).reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(got.fetchedBytes < blocks + list.sections[0].bytes, `${got.fetchedBytes} of ${blocks}`);
});

test('a list of tensors is taken from a peer whose word counts, from no other, and is kept', async () => {
  // A model that no release knows: its list is nowhere but with those who have the file.
  const file = await testModel('stories15m-q8_0');
  const maker = store([]);
  const { manifest, path } = await maker.add(file, { id: 'unheard' });
  const known = [{ builtin: false, manifest: { ...manifest, sources: [] } }];
  const stranger = serving(maker);
  const mine = store(known);
  const range = { from: 1, to: 3 };
  const ask = (servers: Server[]) =>
    mine.ensureBlocks('unheard', range, { providers: [providerOf(servers)] });
  await assert.rejects(ask([stranger]), {
    code: 'tensor_list_missing',
    message: /kith models tensors unheard/,
  });
  const friend = serving(maker, { vouches: true });
  const got = await ask([friend]);
  assert.equal((await mine.get('unheard')).blocks?.bytes, got.fetchedBytes);
  // From now on strangers may give the bytes; and this node can pass on what it has.
  await mine.ensureBlocks('unheard', { from: 3, to: 4 }, { providers: [providerOf([stranger])] });
  const list = await maker.tensorList('unheard');
  // A whole model whose file was touched is hashed again before it counts as there.
  await utimes(path!, new Date(), new Date());
  assert.ok((await maker.holding(manifest.sha256))?.has.every((there) => there));
  assert.equal((await mine.holding(manifest.sha256))?.list.root, list.root);
  // An owner may give it as a file.
  const other = store(known);
  const given = parseTensorList(serialiseTensorList(list));
  const from = { providers: [providerOf([stranger])], list: given };
  assert.ok((await other.ensureBlocks('unheard', range, from)).fetchedBytes > 0);
  const wrong = await listOfFile(stories, MODEL);
  await assert.rejects(store(known).ensureBlocks('unheard', range, { ...from, list: wrong }), {
    code: 'tensor_list_mismatch',
  });
});

test('questions that follow no protocol end their session with a reason, and no other', async () => {
  const { swarm, offer } = serving(await part(0, 3));
  await asker.learn(offer.peer, offer.addresses!);
  const begin = () => asker.openSession(swarm.peer, '/kith/tensors/1', { model: MODEL });
  await using good = await begin();
  assert.equal((await good.receive())?.metadata.k, 'have');
  const get = { k: 'get', n: 1, s: 0, at: 0, length: 1000 };
  for (const [question, code] of [
    [{ k: 'put' }, 'weights_malformed'],
    [{ ...get, length: 0 }, 'weights_malformed'],
    [{ ...get, length: 2 ** 30 }, 'weights_malformed'],
    [{ ...get, at: 727_296 }, 'weights_malformed'],
    [{ ...get, s: 1 }, 'weights_not_here'],
    [{ ...get, s: 100_000 }, 'weights_not_here'],
    [{ ...get, path: '/etc/passwd' }, 'weights_malformed'],
  ] as const) {
    await using session = await begin();
    await session.receive();
    await session.send(question);
    await assert.rejects(session.receive(), { code }, JSON.stringify(question));
  }
  for (const model of ['', '../../../etc/passwd', MODEL.toUpperCase(), 'f'.repeat(64)]) {
    await using session = await asker.openSession(swarm.peer, '/kith/tensors/1', { model });
    await assert.rejects(session.receive(), {
      code: model.startsWith('f') ? 'weights_not_here' : 'weights_malformed',
    });
  }
  await good.send(get);
  const { payload } = (await good.receive())!;
  assert.ok((await readFile(stories)).subarray(0, 1000).equals(payload));
});
