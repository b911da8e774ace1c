/**
 * Knowledge bases on the disks of peers, in the document. The shapes are those of `rag/vault-types.ts`.
 *
 * @module server/openapi/rag-vault
 */
import { TIERS } from '../../base/index.ts';
import {
  changeBody,
  checkBody,
  discoverBody,
  findBody,
  placeBody,
  placedSearchBody,
  restoreFromBody,
} from '../rag/vault-bodies.ts';
import { answer, type Operation, pathParameter } from './operation.ts';
import { place } from './rag-schemas.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment, peerId } from './swarm-parts.ts';

const bytes = described('Bytes.', count);
const mode = described(
  '`split` awaits independent review; `perturbed` is weak.',
  choice('sealed', 'split', 'perturbed'),
);
const label = described(
  'What stands beside the name of the mode: `weak`, or that it awaits review.',
  nullable(string),
);
const warning = described('What is to be known of the mode before it is relied upon.', nullable(string));
const eves = array(
  object({ peer: peerId, operator: described('Who runs it, as the owner says.', nullable(string)) }),
);
const passphrase = described("Whether a passphrase opens it beside the identity's key.", boolean);
const trouble = described('Why it did not answer as it should.', nullable(string));
const standing = object({
  score: described('0 to 1: the score of the trust room.', number),
  tier: choice(...TIERS),
  poor: described('So much bad was seen of her that others ought to keep what she keeps.', boolean),
});
const placed: Readonly<Record<string, Schema>> = {
  kb: string,
  mode,
  label,
  warning,
  replicas: described('Copies of each block.', count),
  eves,
  number: described('State that was reached last; 0 before the first.', count),
  synced: nullable(moment),
  stale: described(
    'Whether the knowledge base changed since; null when that cannot be told.',
    nullable(boolean),
  ),
  poor: described(
    'Its Eves of whom so much bad was seen that others ought to keep what they keep.',
    array(peerId),
  ),
  passphrase,
};

export const ragVaultSchemas: Readonly<Record<string, Schema>> = {
  VaultEve: object({
    peer: peerId,
    heard: described(
      'What it announces; sizes are rounded down to powers of two. Null: it announces nothing, or not on which terms.',
      nullable(
        object({
          modes: array(string),
          freeBytes: bytes,
          largestBytes: bytes,
          days: count,
          to: described('`friends`, or the lowest tier that gets space.', string),
        }),
      ),
    ),
    answered: described('Whether it was asked and answered: what follows is its answer then.', boolean),
    open: described('Whether it would give this node a tenant.', boolean),
    freeBytes: nullable(bytes),
    largestBytes: nullable(bytes),
    days: nullable(count),
    ms: nullable(milliseconds),
    trouble,
    standing,
  }),
  VaultPlaced: object(placed),
  VaultInfo: object({
    ...placed,
    tenants: array(
      object({
        peer: peerId,
        state: nullable(choice('open', 'grace')),
        quotaBytes: nullable(bytes),
        usedBytes: nullable(bytes),
        blocks: nullable(count),
        until: nullable(moment),
        trouble,
        standing,
      }),
    ),
  }),
  VaultCheck: object({
    forked: described(
      'Number of which there are two states, of two machines with this key.',
      nullable(count),
    ),
    eves: array(
      object({
        peer: peerId,
        asked: described('Leaves of blocks, drawn at random.', count),
        failed: described('That did not come back whole.', count),
        why: nullable(string),
        standing,
      }),
    ),
  }),
  VaultSearch: object({
    kb: string,
    mode,
    label,
    warning,
    number: described('State that was searched.', count),
    hits: array(
      object({
        score: described('Cosine of the angle between question and passage.', number),
        path: string,
        title: string,
        place,
        text: string,
      }),
    ),
    times: object({
      open: described('Reading the index; near 0 when it is at hand.', milliseconds),
      embed: milliseconds,
      own: described('Work of this machine.', milliseconds),
      scores: described('Waiting for scores; likewise rows and texts.', milliseconds),
      rows: milliseconds,
      texts: milliseconds,
    }),
    bytesUp: bytes,
    bytesDown: bytes,
    learned: described('What Eves learned of it.', array(string)),
  }),
  VaultFound: object({
    id: string,
    name: string,
    mode,
    label,
    warning,
    replicas: count,
    eves,
    at: described('Where it was found.', array(peerId)),
    passphrase,
  }),
};

const own = { scope: 'control', error: 'OpenAiError' } as const;
const kb = pathParameter('kb', 'Name of the knowledge base.');
const gone = { '404': answer("It is on no peer's disk.", ref('OpenAiError'), ['x-should-retry']) };
const eveFault = { '502': answer('An Eve refused, or failed.', ref('OpenAiError'), ['x-should-retry']) };
const noRoom = { '507': answer('An Eve has no room for it.', ref('OpenAiError'), ['x-should-retry']) };
const job = answer('A job.', ref('KbJob'));

export const ragVaultOperations: readonly Operation[] = [
  {
    ...own,
    method: 'get',
    path: '/api/rag/vault',
    id: 'ragVault',
    summary: "List knowledge bases that are on peers' disks",
    answers: { '200': answer('By name.', object({ placed: array(ref('VaultPlaced')) })) },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/vault/discover',
    id: 'ragVaultDiscover',
    summary: 'Ask peers what space they lend',
    description:
      'Without names, those that announce that they lend some. With `ask` false nobody is asked: what is announced, at once.',
    body: requestSchema(discoverBody),
    answers: { '200': answer('What each said.', object({ eves: array(ref('VaultEve')) })) },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/vault/find',
    id: 'ragVaultFind',
    summary: 'Find what Eves keep for this key',
    body: requestSchema(findBody),
    answers: { '200': answer('By name.', object({ found: array(ref('VaultFound')) })), ...eveFault },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/vault/restore/{kb}',
    id: 'ragVaultRestore',
    summary: 'Make a knowledge base of what Eves keep',
    parameters: [kb],
    description:
      'Its job has the name that the knowledge base is to have, which is there once the job has ended; a restore of a killed node goes on. Objects that are done are counted, and their bytes.',
    body: requestSchema(restoreFromBody),
    answers: {
      '200': job,
      '409': answer('There is one of that name, or it is being made.', ref('OpenAiError'), [
        'x-should-retry',
      ]),
      '404': answer('No Eve has it.', ref('OpenAiError'), ['x-should-retry']),
      ...eveFault,
    },
  },
  {
    ...own,
    method: 'get',
    path: '/api/rag/kbs/{kb}/vault',
    id: 'ragVaultInfo',
    summary: 'Show where a knowledge base lies, and what its Eves say',
    parameters: [kb],
    answers: { '200': answer('Its Eves and tenants.', ref('VaultInfo')), ...gone },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault',
    id: 'ragVaultPlace',
    summary: 'Place a knowledge base, sealed, on the disks of peers',
    description:
      'With `mode` `split` Eves of two operators can search in it without learning anything: each Eve is named with who runs her.',
    parameters: [kb],
    body: requestSchema(placeBody),
    answers: {
      '200': job,
      '409': answer('It is placed already; or `split` lacks a second operator.', ref('OpenAiError'), [
        'x-should-retry',
      ]),
      ...eveFault,
      ...noRoom,
    },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/sync',
    id: 'ragVaultSync',
    summary: 'Bring what peers keep up to date',
    parameters: [kb],
    answers: { '200': job, ...gone },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/repair',
    id: 'ragVaultRepair',
    summary: 'Make copies again that were lost, and move those that are elsewhere',
    parameters: [kb],
    answers: { '200': job, ...gone },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/eves',
    id: 'ragVaultEves',
    summary: 'Take other Eves, another mode or more space, and move what has to move',
    description:
      'Another `mode` is put beside what is there, which is removed once the new one stands; a killed node goes on with it. For `split`, `operators` says who runs Eves that it has.',
    parameters: [kb],
    body: requestSchema(changeBody),
    answers: {
      '200': job,
      ...gone,
      '409': answer('`split` lacks a second operator; or the mode is switched off.', ref('OpenAiError'), [
        'x-should-retry',
      ]),
      ...eveFault,
      ...noRoom,
    },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/check',
    id: 'ragVaultCheck',
    summary: 'Ask Eves for pieces at random of what they took',
    parameters: [kb],
    body: requestSchema(checkBody),
    answers: { '200': answer('What each could show.', ref('VaultCheck')), ...gone },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/search',
    id: 'ragVaultSearch',
    summary: 'Search a knowledge base where it lies',
    description:
      'By meaning alone. Of a `sealed` one the index is read here, what changed of it the next time, and a filter may be given; a `split` one is searched by Eves. With `eves` it is found by the key of this node, and need not be here.',
    parameters: [kb],
    body: requestSchema(placedSearchBody),
    answers: {
      '200': answer('Passages, and what it took.', ref('VaultSearch')),
      '404': answer('No Eve has it.', ref('OpenAiError'), ['x-should-retry']),
      '409': answer('It has no index to search it by.', ref('OpenAiError'), ['x-should-retry']),
      ...eveFault,
    },
  },
  {
    ...own,
    method: 'delete',
    path: '/api/rag/kbs/{kb}/vault',
    id: 'ragVaultRemove',
    summary: 'Delete what peers keep of a knowledge base',
    description: 'The knowledge base itself stays. Eves that are away delete theirs when its time is over.',
    parameters: [kb],
    answers: {
      '200': answer(
        'Who deleted it, and who was away.',
        object({ gone: array(peerId), left: array(peerId) }),
      ),
      ...gone,
    },
  },
];
