/**
 * The routes of the Hivemind bridge in the document. The shapes are those of `swarm/hivemind.ts`.
 *
 * @module server/openapi/hivemind
 */
import { type Answer, type Api, answer, type Operation, queryParameter } from './operation.ts';
import {
  array,
  boolean,
  count,
  described,
  nullable,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment } from './swarm-parts.ts';

const peerId = pattern('^[1-9A-HJ-NP-Za-km-z]{46,52}$');
const nodeId = described('Id of a node in the DHT.', pattern('^[0-9a-f]{40}$'));
const json: Schema = { description: 'Any JSON, as a stranger stored it.' };
const claim = {
  value: json,
  raw: described(
    'First bytes, `0x...`, of what is no value that can be shown; else null.',
    nullable(pattern('^0x[0-9a-f]*$')),
  ),
  bytes: described('Length as stored.', count),
  expiresAt: { ...moment, minimum: -Number.MAX_SAFE_INTEGER },
};

const schemas: Readonly<Record<string, Schema>> = {
  Hivemind: object({
    on: described('False: no node of a DHT is configured.', boolean),
    node: nullable(nodeId),
    bootstrap: array(string),
    contacts: array(object({ peer: peerId, node: nodeId })),
    kept: described('Null: this node only asks.', nullable(object({ keys: count, bytes: count }))),
    clockOffsetMs: described("A node's clock minus this one's.", nullable({ type: 'integer' })),
    announcing: described('Null: it tells nothing of itself.', nullable(ref('HivemindAnnounced'))),
  }),
  HivemindAnnounced: object({
    key: string,
    subkey: peerId,
    models: array(described('Id of a model.', string)),
    at: nullable(moment),
    expiresAt: nullable(moment),
    stored: described('Nodes that took it the last time.', count),
    refused: described('Nodes that had something newer.', count),
    failed: described('Nodes that did not answer.', count),
    message: described('Why nobody has it; null when somebody does.', nullable(string)),
  }),
  HivemindFound: object({
    key: string,
    claim: nullable(object(claim)),
    entries: array(object({ subkey: json, ...claim }), { maxItems: 4096 }),
    more: described('Entries that the list is too short for.', count),
    asked: described('Nodes that were asked.', count),
    answered: count,
  }),
};

const failures: Readonly<Record<string, Answer>> = {
  '409': answer(
    '`swarm_off`, `hivemind_off`: the swarm, or the bridge, is not switched on; `hivemind_silent`: it may tell nothing.',
    ref('OpenAiError'),
    ['x-should-retry'],
  ),
  '503': answer('`hivemind_unreachable`: no node of the DHT answers.', ref('OpenAiError'), [
    'x-should-retry',
  ]),
};

const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/kith/v1/swarm/hivemind',
    id: 'kithHivemind',
    summary: "This node's part in a Hivemind DHT",
    scope: 'monitor',
    answers: { '200': answer('Also when it has none.', ref('Hivemind')), '409': failures['409']! },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/swarm/hivemind/find',
    id: 'kithHivemindFind',
    summary: 'What stands under a key of a Hivemind DHT: claims of strangers',
    scope: 'control',
    parameters: [
      queryParameter('key', 'The key, a text such as `_petals.models`.', string),
      queryParameter('subkey', 'Only the entry of this subkey.', string),
      queryParameter('limit', 'Entries at most; 200 unless it says otherwise.', count),
    ],
    answers: { ...failures, '200': answer('Also when nobody has it.', ref('HivemindFound')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/swarm/hivemind/announce',
    id: 'kithHivemindAnnounce',
    summary: 'Tell a Hivemind DHT now which models this node serves',
    scope: 'control',
    answers: { ...failures, '200': answer('What was told, and to how many.', ref('HivemindAnnounced')) },
    error: 'OpenAiError',
  },
];

export const hivemindApi: Api = {
  tag: 'Hivemind',
  description: 'The bridge to a Hivemind DHT (Petals, KwaaiNet).',
  schemas,
  operations,
};
