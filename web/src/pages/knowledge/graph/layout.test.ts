/** Where names stand: always the same places, communities apart, every name with room for its label. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atlasOf } from './atlas.ts';
import { communitiesOf } from './communities.ts';
import { orderOf } from './laying-out.ts';
import { createLayout, type Layout, SMALLEST } from './layout.ts';
import { placedOf } from './placed.ts';
import { randomOf } from './random.ts';
import { regionsOf } from './regions.ts';

const GROUPS = 5;
const COUNT = 150;

/** A few groups with many ties inside and some between them. */
function network(told: boolean) {
  const random = randomOf(7);
  const nodes = Array.from({ length: COUNT }, (_, i) => ({
    key: `name ${i}`,
    name: `Name number ${i}`.slice(0, 6 + Math.floor(random() * 12)),
    kind: 'entity' as const,
    type: null,
    weight: 1 + Math.floor(random() ** 3 * 40),
    community: told ? i % GROUPS : null,
  }));
  const edges: [number, number, number][] = [];
  for (let i = GROUPS; i < COUNT; i++) {
    for (let n = 0; n < 4; n++)
      edges.push([i, (i % GROUPS) + GROUPS * Math.floor(random() * (i / GROUPS)), 1 + random()]);
    if (random() < 0.15) edges.push([i, Math.floor(random() * i), 0.5]);
  }
  return { nodes, edges, of: COUNT };
}

const widthOf = (text: string, style: number) => text.length * (9 - style);
const order = (told: boolean) => orderOf(atlasOf(network(told), widthOf), 1.4);

function settle(layout: Layout): Layout {
  for (let tick = 0; !layout.settled; tick++) {
    assert.ok(tick < 2_000, 'it settles');
    layout.tick();
  }
  return layout;
}

test('the same graph always gives the same map', () => {
  const [one, other] = [settle(createLayout(order(true))), settle(createLayout(order(true)))];
  assert.deepEqual(one.x, other.x);
  assert.deepEqual(one.y, other.y);
  assert.ok(one.x.every(Number.isFinite) && one.y.every(Number.isFinite));
});

test('when it has settled nearly every label has its own room', () => {
  const problem = order(true);
  const { x, y } = settle(createLayout(problem));
  let overlaps = 0;
  for (let i = 0; i < COUNT; i++) {
    for (let j = 0; j < i; j++) {
      const beside = problem.halfWidth[i]! + problem.halfWidth[j]! - Math.abs(x[i]! - x[j]!);
      const above = problem.halfHeight[i]! + problem.halfHeight[j]! - Math.abs(y[i]! - y[j]!);
      if (beside > 0.2 && above > 0.2) overlaps++;
    }
  }
  assert.ok(overlaps <= 1, `${overlaps}`);
});

test('names of a community stand together, as the node told it or as ties show it', () => {
  for (const told of [true, false]) {
    const layout = settle(createLayout(order(told)));
    let together = 0;
    for (let i = 0; i < COUNT; i++) {
      let nearest = -1;
      let best = Infinity;
      for (let j = 0; j < COUNT; j++) {
        const d = Math.hypot(layout.x[i]! - layout.x[j]!, layout.y[i]! - layout.y[j]!);
        if (j !== i && d < best) [best, nearest] = [d, j];
      }
      if (layout.community[i] === layout.community[nearest]) together++;
    }
    assert.ok(together > 0.9 * COUNT, `${told}: ${together}`);
  }
});

test('communities that nobody told are found by their ties, without a name left out', () => {
  const { nodes, edges } = network(false);
  const found = communitiesOf(nodes.length, {
    ends: Uint32Array.from(edges.flatMap((edge) => edge.slice(0, 2))),
    strength: Float32Array.from(edges, ([, , strength]) => strength),
  });
  let [same, all] = [0, 0];
  for (let i = 0; i < COUNT; i++) {
    for (let j = 0; j < i; j++) {
      all++;
      if ((found[i] === found[j]) === (i % GROUPS === j % GROUPS)) same++;
    }
  }
  assert.ok(same / all > 0.9, `${same} of ${all} pairs`);
  assert.deepEqual(
    [...new Set(found)].sort((a, b) => a - b),
    [...new Set(found)].map((_, i) => i),
  );
});

test('every place of the map is one region’s at most, and every region encloses names of its own', () => {
  const { x, y, community, sizes } = settle(createLayout(order(true)));
  const regions = regionsOf(x, y, community, sizes, SMALLEST);
  assert.equal(regions.length, GROUPS);
  const inside = (ring: Float32Array, px: number, py: number): boolean => {
    let odd = false;
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ax, ay, bx, by] = [ring[i]!, ring[i + 1]!, ring[j]!, ring[j + 1]!];
      if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
    }
    return odd;
  };
  let own = 0;
  for (let i = 0; i < COUNT; i++) {
    const owners = regions.filter(
      ({ rings }) => rings.filter((ring) => inside(ring, x[i]!, y[i]!)).length % 2 === 1,
    );
    assert.ok(owners.length <= 1);
    if (owners[0]?.community === community[i]) own++;
  }
  assert.ok(own > 0.9 * COUNT, `${own}`);
});

test('every region is called by one of its weightiest names, and nothing that a filter leaves out is written', () => {
  const atlas = atlasOf(network(true), widthOf);
  const { x, y, community, sizes } = settle(createLayout(orderOf(atlas, 1.4)));
  const news = {
    ...{ x: Float32Array.from(x), y: Float32Array.from(y), community, sizes, settled: true, after: 0 },
    regions: regionsOf(x, y, community, sizes, SMALLEST),
  };
  const visible = Uint8Array.from(atlas.nodes, (_, i) => (i % 3 === 0 ? 0 : 1));
  const placed = placedOf(atlas, news, visible, 700, widthOf);
  const capitals = [...placed.capital.keys()].filter((i) => placed.capital[i] === 1);
  assert.equal(new Set(capitals.map((i) => community[i])).size, GROUPS);
  for (const i of capitals) {
    const heavier = atlas.order.filter((j) => visible[j] === 1 && community[j] === community[i]).indexOf(i);
    assert.ok(visible[i] === 1 && heavier < 5, `${heavier}`);
  }
  for (const [i, seen] of visible.entries()) if (seen === 0) assert.equal(placed.appears[i], Infinity);
});

test('no network, one name and names without ties are maps, too', () => {
  for (const count of [0, 1, 2, 30]) {
    const nodes = network(false).nodes.slice(0, count);
    const layout = settle(createLayout(orderOf(atlasOf({ nodes, edges: [], of: count }, widthOf), 1)));
    assert.equal(layout.x.length, count);
    assert.ok(layout.x.every(Number.isFinite) && layout.y.every(Number.isFinite));
    assert.deepEqual(regionsOf(layout.x, layout.y, layout.community, layout.sizes, SMALLEST), []);
  }
});
