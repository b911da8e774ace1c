/**
 * The OpenAPI 3.1 document of the node: every route with the bodies it takes and the answers it gives.
 *
 * @module server/openapi/document
 */
import { anthropicApi } from './anthropic.ts';
import { gatewayApi } from './gateway.ts';
import { healthApi } from './health.ts';
import { hivemindApi } from './hivemind.ts';
import { kithApi } from './kith.ts';
import { metricsApi } from './metrics.ts';
import { nsLlmApi } from './nsllm.ts';
import { ollamaApi } from './ollama.ts';
import { chatOperations, chatSchemas } from './openai-chat.ts';
import { modelOperations, modelSchemas } from './openai-models.ts';
import { openAiParts } from './openai-parts.ts';
import { responseOperations, responseSchemas } from './openai-responses.ts';
import { type Api, headers, operationBody } from './operation.ts';
import { ragApi } from './rag.ts';
import type { Schema } from './schema.ts';
import { shardApi } from './shards.ts';
import { storageApi } from './storage.ts';
import { swarmApi } from './swarm.ts';
import { webApi } from './web.ts';

const openAiApi: Api = {
  tag: 'OpenAI',
  description: "OpenAI's API: point its clients at `/v1`.",
  schemas: { ...openAiParts, ...chatSchemas, ...responseSchemas, ...modelSchemas },
  operations: [...chatOperations, ...responseOperations, ...modelOperations],
};

const apis: readonly Api[] = [
  openAiApi,
  anthropicApi,
  ollamaApi,
  nsLlmApi,
  healthApi,
  kithApi,
  gatewayApi,
  swarmApi,
  shardApi,
  storageApi,
  hivemindApi,
  ragApi,
  metricsApi,
  webApi,
];

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Schema;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly headers: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, Schema>>;
  };
}

/** @param version of the product */
export function openApiDocument(version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const { tag, operations } of apis) {
    for (const operation of operations) {
      paths[operation.path] ??= {};
      paths[operation.path]![operation.method] = operationBody(operation, tag);
    }
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Kith',
      version,
      summary: 'A personal AI node.',
      description:
        "Errors have the shape of their route's API. Those that come before a route is found (a malformed request, an unknown path, a node that is shutting down) have OpenAI's.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: apis.map(({ tag: name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: Object.assign({}, ...apis.map(({ schemas }) => schemas)) as Record<string, Schema>,
      headers,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key; none is needed on loopback.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same key.' },
        runToken: { type: 'http', scheme: 'bearer', description: "The run token in the node's home." },
      },
    },
  };
  return document;
}
