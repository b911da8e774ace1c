/**
 * The gateway room: takes a request for text or embeddings, chooses the backend that answers it, and hands back
 * events and a receipt. It never speaks HTTP to clients and never touches native code.
 *
 * @module gateway
 * @example
 * const gateway = createGateway({ backends: [createLocalBackend({ engine, models, ... })] });
 * for await (const event of gateway.chat(request)) if (event.type === 'text') write(event.text);
 */
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { createLocalBackend, type LocalBackend, type LocalBackendOptions } from './local.ts';
export type * from './types.ts';
