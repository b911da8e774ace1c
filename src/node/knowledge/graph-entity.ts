/**
 * One name of a knowledge base with all that is known of it.
 *
 * @module node/knowledge/graph-entity
 */
import {
  type Assertion,
  factsOf,
  relationWord,
  type StoredChunk,
  tiesOf,
  wordFormsOf,
} from '../../knowledge/index.ts';
import type { EntityDetail, EntityDocument, EntityRelation, Neighbour } from '../../server/index.ts';
import { rowsOf, type Scene, whyOf } from './graph-scene.ts';
import { sentenceAt, timelineOf } from './graph-timeline.ts';

const MOST_DOCUMENTS = 50;
const MOST_CHUNKS = 5;
const MOST_NEIGHBOURS = 50;
const MOST_DATES = 50;
const MOST_ALIASES = 100;
const MOST_RELATIONS = 200;
/** Characters of the beginning of a chunk. */
const BEGINNING = 200;

export async function entityDetail(scene: Scene, key: string): Promise<EntityDetail> {
  const entity = scene.entityOf(key);
  const forms = scene.formsOf(entity);
  const { summary, relations, properties } = factsOf(scene.store.assertionsOf(forms));
  const said = [...relations, ...properties.filter(({ property }) => property !== 'name')];
  const timeline = await timelineOf(scene, entity, MOST_DATES);
  return {
    ...scene.viewOf(entity, MOST_ALIASES),
    said: scene.typeOf(entity)?.said ?? null,
    summary:
      summary === null ? null : { text: summary.value ?? '', said: { by: summary.by, why: whyOf(summary) } },
    relations: said.slice(0, MOST_RELATIONS).map((each) => relationOf(scene, each)),
    places: placesOf(scene, entity),
    neighbours: neighboursOf(scene, entity),
    timeline,
  };
}

function relationOf(scene: Scene, each: Assertion): EntityRelation {
  const { property, object, value, evidence } = each;
  const word = relationWord(each);
  let to: EntityRelation['object'] = null;
  if (object !== null) {
    const found = scene.network.entityOf(object);
    to = {
      key: found < 0 ? object : scene.network.nameOf(found),
      // A word of the owner's for the relation is no name.
      name: found < 0 ? (word === value ? object : (value ?? object)) : scene.nameOf(found),
    };
  }
  return {
    ...{ property: word ?? property, object: to, value: object === null ? value : null },
    said: { by: each.by, why: whyOf(each) },
    ...{ chunk: evidence?.chunk ?? null, sentence: evidence?.sentence ?? null },
  };
}

function placesOf(scene: Scene, entity: number): EntityDocument[] {
  const { network, facts, store } = scene;
  const rows = new Map<number, number[]>();
  for (const row of rowsOf(network, entity)) {
    const document = facts.rows.get(row)?.document;
    if (document === undefined) continue;
    const list = rows.get(document);
    if (list === undefined) rows.set(document, [row]);
    else list.push(row);
  }
  const forms = scene.formsOf(entity);
  const own = new Set(network.ownOf(entity).map((row) => facts.rows.get(row)?.document));
  return [...rows]
    .sort(
      ([a, one], [b, other]) => Number(own.has(b)) - Number(own.has(a)) || other.length - one.length || a - b,
    )
    .slice(0, MOST_DOCUMENTS)
    .flatMap(([, of]): EntityDocument[] => {
      const chunks = store
        .chunks(of.slice(0, MOST_CHUNKS))
        .filter((chunk): chunk is StoredChunk => chunk !== null);
      const [first] = chunks;
      if (first === undefined) return [];
      return [
        {
          ...{ path: first.path, title: first.title.split(' › ')[0] ?? '', mentions: of.length },
          chunks: chunks
            .toSorted((a, b) => a.position - b.position)
            .map(({ row, id, position, place, text }) => ({
              ...{ id, position, place, sentence: sentenceOf(scene, row, text, forms) },
            })),
        },
      ];
    });
}

/** Where a mention says, or where the words of the name stand; the beginning where they do not. */
function sentenceOf({ store }: Scene, row: number, text: string, forms: readonly string[]): string {
  const wanted = new Set(forms);
  for (const { surface, span } of store.mentions([row]))
    if (span !== null && wanted.has(wordFormsOf(surface).join(' '))) return sentenceAt(text, span);
  const words = ` ${wordFormsOf(text).join(' ')} `;
  for (const form of forms) {
    if (!words.includes(` ${form} `)) continue;
    const at = text.toLowerCase().indexOf(form.split(' ')[0]!);
    if (at >= 0) return sentenceAt(text, [at, at + 1]);
  }
  return text.slice(0, BEGINNING).toWellFormed().trim().replace(/\s+/gu, ' ');
}

function neighboursOf(scene: Scene, entity: number): Neighbour[] {
  const neighbours: Neighbour[] = [];
  for (const { entity: other, weight, shared } of tiesOf(scene.network, entity)) {
    if (neighbours.length >= MOST_NEIGHBOURS) break;
    if (!scene.isTelling(other)) continue;
    const key = scene.network.nameOf(other);
    neighbours.push({
      ...{ key, name: scene.nameOf(other), type: scene.typeOf(other)?.type ?? null },
      ...{ weight, shared },
    });
  }
  return neighbours;
}
