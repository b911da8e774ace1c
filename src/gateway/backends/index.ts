/**
 * Backends over other servers, one folder for each API.
 *
 * @module gateway/backends
 */
export { type AnthropicBackendOptions, createAnthropicBackend } from './anthropic/index.ts';
export { createOpenAiBackend, type OpenAiBackendOptions } from './openai/index.ts';
export { SERVER_KINDS, type ServerKind, type ServerKindName } from './openai/servers/index.ts';
export { createRecordedBackend, type RecordedBackendOptions } from './recorded/index.ts';
export type { RemoteModel, RemoteOptions, RemoteReceipt, UsageReport } from './types.ts';
