/**
 * Grants by which others read what peers keep of a knowledge base, in the document. The shapes are those of `rag/vault-grant-types.ts`.
 *
 * @module server/openapi/rag-vault-grant
 */
import { grantedBody, grantedSearchBody, vaultGrantBody } from '../rag/vault-grant-bodies.ts';
import { answer, type Operation, pathParameter } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import { array, choice, count, described, nullable, object, ref, type Schema, string } from './schema.ts';
import { moment, peerId } from './swarm-parts.ts';

const mode = choice('sealed', 'split', 'perturbed');
const grant: Readonly<Record<string, Schema>> = {
  id: described('32 hex digits.', string),
  kb: string,
  holder: described('Who may read it.', peerId),
  state: described(
    '`old_keys`: the keys were changed since, so that it opens nothing that is placed now.',
    choice('holds', 'old_keys', 'expired', 'revoked'),
  ),
  until: moment,
  revoked: nullable(moment),
  untold: described('Eves that were away and are told as soon as they answer.', array(peerId)),
};

export const ragVaultGrantSchemas: Readonly<Record<string, Schema>> = {
  VaultGrant: object(grant),
  VaultGrantGiven: object({
    ...grant,
    text: described('The line for its holder, sealed to their key.', string),
  }),
  VaultGranted: object({
    id: string,
    kb: described('As its owner calls it.', string),
    collection: string,
    issuer: peerId,
    rights: array(choice('read')),
    from: moment,
    until: moment,
    mode,
    label: described(
      'What stands beside the name of the mode: `weak`, or that it awaits review.',
      nullable(string),
    ),
    warning: described('What is to be known of the mode before it is relied upon.', nullable(string)),
    replicas: count,
    eves: array(
      object({
        peer: peerId,
        operator: nullable(string),
        trouble: described('Why this Eve gives nothing.', nullable(string)),
      }),
    ),
    number: described('State that can be read now.', nullable(count)),
    trouble: described('Why none can.', nullable(string)),
  }),
};

const own = { scope: 'control', error: 'OpenAiError' } as const;
const kb = pathParameter('kb', 'Name of the knowledge base.');
const fault = (what: string) => answer(what, ref('OpenAiError'), ['x-should-retry']);
const gone = { '404': fault("It is on no peer's disk, or there is no such grant.") };
const refused = {
  '400': fault('It is no grant, or not for this node.'),
  '403': fault('Eves do not honour it, or the keys were changed since.'),
  '503': fault('No Eve answered.'),
};

export const ragVaultGrantOperations: readonly Operation[] = [
  {
    ...own,
    method: 'post',
    path: '/api/rag/vault/granted',
    id: 'ragVaultGranted',
    summary: 'Show what a grant opens, and what its Eves say',
    body: requestSchema(grantedBody),
    answers: { '200': answer('What it says.', ref('VaultGranted')), '400': refused['400'] },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/vault/granted/search/{kb}',
    id: 'ragVaultGrantedSearch',
    summary: 'Search by a grant what peers keep for somebody else',
    parameters: [kb],
    body: requestSchema(grantedSearchBody),
    answers: { '200': answer('Passages, and what it took.', ref('VaultSearch')), ...refused },
  },
  {
    ...own,
    method: 'get',
    path: '/api/rag/kbs/{kb}/vault/grants',
    id: 'ragVaultGrants',
    summary: 'List the grants that were given',
    parameters: [kb],
    answers: { '200': answer('By their end.', object({ grants: array(ref('VaultGrant')) })) },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/grants',
    id: 'ragVaultGrantCreate',
    summary: 'Let a peer read what peers keep of a knowledge base',
    parameters: [kb],
    body: requestSchema(vaultGrantBody),
    answers: {
      '200': answer('The grant.', ref('VaultGrantGiven')),
      ...gone,
      '409': fault('It has to be brought up to date first.'),
    },
  },
  {
    ...own,
    method: 'delete',
    path: '/api/rag/kbs/{kb}/vault/grants/{id}',
    id: 'ragVaultGrantRevoke',
    summary: 'Revoke a grant at every Eve',
    description: 'Eves that are away are told as soon as they answer.',
    parameters: [kb, pathParameter('id', 'Of the grant.')],
    answers: { '200': answer('The grant.', ref('VaultGrant')), ...gone },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/vault/rotate',
    id: 'ragVaultRotate',
    summary: 'Change the keys of what peers keep: all is sealed anew',
    parameters: [kb],
    answers: { '200': answer('A job.', ref('KbJob')), ...gone },
  },
];
