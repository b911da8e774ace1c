/**
 * Kith's own routes in the document: the document itself, and what the command line asks.
 *
 * @module server/openapi/kith
 */
import { entrySchema } from '../entry.ts';
import { type Api, answer, type Operation, pathParameter } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import { anyObject, boolean, count, described, literal, object, ref, type Schema, string } from './schema.ts';

const schemas: Readonly<Record<string, Schema>> = {
  NodeStatus: described('The whole state of the node, for the command line.', anyObject),
  Stopping: object({ status: literal('stopping') }),
  Unloaded: object({ unloaded: boolean }),
  EntryCode: object({ code: string, until: described('Milliseconds since 1970.', count) }),
  Entered: object({ token: described('The run token.', string) }),
  OpenApiDocument: object(
    {
      openapi: { type: 'string', pattern: '^3\\.1\\.' },
      info: anyObject,
      paths: anyObject,
      components: anyObject,
    },
    { servers: { type: 'array' }, tags: { type: 'array' } },
  ),
};

const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This document',
    scope: 'read',
    answers: { '200': answer('OpenAPI 3.1.', ref('OpenApiDocument')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/status',
    id: 'kithStatus',
    summary: 'State of the node in full',
    scope: 'control',
    answers: { '200': answer('The state.', ref('NodeStatus')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/shutdown',
    id: 'kithShutdown',
    summary: 'Stop the node',
    scope: 'control',
    answers: { '202': answer('It stops once its requests are answered.', ref('Stopping')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/models/{id}/unload',
    id: 'kithUnload',
    summary: 'Take a model out of memory',
    scope: 'control',
    parameters: [pathParameter('id', 'Model id.')],
    answers: { '200': answer('Whether it was there.', ref('Unloaded')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/entry/codes',
    id: 'kithEntryCode',
    summary: 'Make the code of a one-time link to the page',
    scope: 'control',
    answers: { '200': answer('Good once, for two minutes, on this machine.', ref('EntryCode')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/entry',
    id: 'kithEnter',
    summary: 'Trade the code of a one-time link for the run token',
    scope: 'read',
    body: requestSchema(entrySchema),
    answers: { '200': answer('What the owner may do is open.', ref('Entered')) },
    error: 'OpenAiError',
  },
];

export const kithApi: Api = { tag: 'Kith', description: 'The node itself.', schemas, operations };
