/**
 * LiteLLM's proxy: what it forwards depends on the provider behind it, so only what all of them share is sent.
 *
 * @module gateway/backends/openai/servers/litellm
 */
import { generic } from './generic.ts';
import type { ServerKind } from './types.ts';

export const litellm: ServerKind = { ...generic, kind: 'litellm', strictSchema: 'closed' };
