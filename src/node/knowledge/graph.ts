/**
 * The graph of a knowledge base of the node, for people: what it names, how that hangs together, when it was.
 *
 * @module node/knowledge/graph
 */
import { KithError } from '../../base/index.ts';
import { type EntityMerge, normalForm, proposeMerges, tellingOf } from '../../knowledge/index.ts';
import type { CommunitiesView, EntityPage, EntityQuery, GraphDesk } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import { entityDetail } from './graph-entity.ts';
import { networkView } from './graph-network.ts';
import { isA, type Scene, sceneOf } from './graph-scene.ts';
import { timelineView } from './graph-timeline.ts';

const MOST_COMMUNITIES = 1000;
const MOST_MEMBERS = 20;
/** Members that give a community its name. */
const NAMED_BY = 3;

export function graphDesk({ withKb, clock }: AreaParts): GraphDesk {
  const withScene = <T>(kb: string, work: (scene: Scene) => T | Promise<T>): Promise<T> =>
    withKb(kb, async (open) => work(await sceneOf(open)));
  return {
    entities: (kb, query) => withScene(kb, (scene) => entitiesIn(scene, query)),
    entity: (kb, key) => withScene(kb, (scene) => entityDetail(scene, key)),
    network: (kb, query) =>
      withScene(kb, (scene) =>
        scene.remember(`network ${JSON.stringify([query.around, query.limit, query.documents])}`, () =>
          networkView(scene, query),
        ),
      ),
    merges: (kb) => withKb(kb, ({ store }) => store.merges()),
    merge: (kb, { alias, entity, reason }) =>
      withScene(kb, (scene) => {
        const { store } = scene;
        // Both are looked for: a name that is mistyped would be merged with nothing, and nobody would notice.
        scene.entityOf(alias);
        scene.entityOf(entity);
        const names = { alias: scene.formOf(alias), entity: scene.formOf(entity) };
        const id = store.merge({ ...names, reason, made: clock.now() });
        return store.merges().find((merge) => merge.id === id)!;
      }),
    unmerge: (kb, id) =>
      withKb(kb, ({ store }): EntityMerge => {
        if (!store.undoMerge(id, clock.now()))
          throw new KithError(
            'merge_unknown',
            `There is no merge ${id} that holds. \`kith rag graph ${kb} merges\` lists them.`,
            { status: 404, param: 'merge' },
          );
        return store.merges().find((merge) => merge.id === id)!;
      }),
    proposals: (kb) => withScene(kb, ({ network }) => proposeMerges(network)),
    timeline: (kb, query) => withScene(kb, (scene) => timelineView(scene, query)),
    communities: (kb) => withScene(kb, communitiesView),
  };
}

async function entitiesIn(scene: Scene, { prefix, type, after, limit }: EntityQuery): Promise<EntityPage> {
  const wanted = prefix === undefined ? '' : normalForm(`${prefix}x`).slice(0, -1);
  const { network } = scene;
  const fits = (entity: number): boolean => {
    if (wanted !== '') {
      const form = network.nameOf(entity);
      if (!form.startsWith(wanted) && !form.includes(` ${wanted}`)) return false;
    }
    if (type === undefined) return true;
    const typed = scene.typeOf(entity)?.type;
    return typed !== undefined && isA(typed, type);
  };
  const { order } = scene;
  const all =
    wanted === '' && type === undefined
      ? order
      : await scene.remember(`entities ${JSON.stringify([wanted, type])}`, async () => order.filter(fits));
  const before = after === undefined ? -1 : all.indexOf(scene.entityOf(after));
  return {
    entities: all.slice(before + 1, before + 1 + limit).map((entity) => scene.viewOf(entity)),
    of: all.length,
  };
}

async function communitiesView(scene: Scene): Promise<CommunitiesView> {
  const { members, modularity, divided } = await scene.communities();
  return {
    communities: members.slice(0, MOST_COMMUNITIES).map((group, id) => ({
      ...{ id, size: group.length },
      name: tellingOf(scene.network, group, NAMED_BY)
        .map((entity) => scene.nameOf(entity))
        .join(', '),
      members: group.slice(0, MOST_MEMBERS).map((entity) => ({
        key: scene.network.nameOf(entity),
        name: scene.nameOf(entity),
        mentions: scene.network.frequency[entity]!,
      })),
    })),
    ...{ modularity, of: divided },
  };
}
