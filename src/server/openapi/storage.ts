/**
 * The space that this node lends, in the document. The shapes are those of `storage/types.ts`.
 *
 * @module server/openapi/storage
 */
import { storageBackupBody } from '../storage/index.ts';
import { type Api, answer, type Operation, pathParameter } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  mapOf,
  object,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment, peerId } from './swarm-parts.ts';

const bytes = described('Bytes.', count);
const schemas: Readonly<Record<string, Schema>> = {
  Storage: object({
    enabled: boolean,
    swarm: described('Whether the swarm is on: without it no peer gets anything.', boolean),
    folder: string,
    capacityBytes: described('Bytes that are lent at most.', count),
    promisedBytes: described('Bytes that were promised to tenants.', count),
    usedBytes: described('Bytes that tenants take on the disk.', count),
    tenantBytes: described('Bytes that one tenant gets at most.', count),
    days: described('Days that a tenant lasts until it is renewed, at most.', count),
    graceDays: count,
    serveTier: described('`nobody`: friends alone.', string),
    friends: described('How many friends the node has.', count),
    counters: described(
      'Since the start of the node.',
      object({
        answered: count,
        refused: count,
        refusals: described('Refused calls by their code.', mapOf(count)),
        bytesIn: bytes,
        bytesOut: bytes,
      }),
    ),
    tenants: array(ref('StorageTenant')),
  }),
  StorageTenant: object({
    owner: peerId,
    label: described('What its owner calls it: nothing that this node could read.', string),
    state: described('`grace`: its time is over, it can be read and renewed.', choice('open', 'grace')),
    damaged: described('Its file is gone or damaged, and nothing of it can be read.', boolean),
    quotaBytes: bytes,
    usedBytes: bytes,
    blocks: count,
    made: moment,
    until: moment,
    deletedAt: described('When it goes unless it is renewed, if the node runs until then.', moment),
  }),
  StorageBackup: object({ file: string, bytes }),
};

const tenantAt = '/kith/v1/storage/tenants/{owner}/{label}';
const problems = {
  '404': answer('There is no such tenant.', ref('OpenAiError'), ['x-should-retry']),
  '409': answer('This node lends no space.', ref('OpenAiError'), ['x-should-retry']),
};
const parameters = [pathParameter('owner', 'PeerId of its owner.'), pathParameter('label', 'Its label.')];
const own = { scope: 'control', error: 'OpenAiError' } as const;

const operations: readonly Operation[] = [
  {
    ...own,
    method: 'get',
    path: '/kith/v1/storage',
    id: 'kithStorage',
    summary: 'Show the space that is lent to peers',
    answers: { '200': answer('Space, tenants and figures.', ref('Storage')) },
  },
  {
    ...own,
    method: 'delete',
    path: tenantAt,
    id: 'kithStorageDestroy',
    summary: 'Delete a tenant and all that is in it',
    parameters,
    answers: { '200': answer('It is gone.', object({ owner: peerId, label: string })), ...problems },
  },
  {
    ...own,
    method: 'post',
    path: `${tenantAt}/backup`,
    id: 'kithStorageBackup',
    summary: 'Copy a tenant into a file',
    parameters,
    body: requestSchema(storageBackupBody),
    answers: { '200': answer('The copy is written.', ref('StorageBackup')), ...problems },
  },
  {
    ...own,
    method: 'post',
    path: `${tenantAt}/restore`,
    id: 'kithStorageRestore',
    summary: 'Bring a backup of a tenant back',
    description:
      'What the tenant holds now is lost. A file that is no whole backup, or is larger than the tenant, changes nothing.',
    parameters,
    body: requestSchema(storageBackupBody),
    answers: {
      '200': answer('It is as in the backup.', object({ owner: peerId, label: string })),
      ...problems,
    },
  },
];

export const storageApi: Api = {
  tag: 'Kith storage',
  description: 'Space that this node lends to peers, who keep there what it cannot read.',
  schemas,
  operations,
};
