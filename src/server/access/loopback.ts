/**
 * Access without keys: this machine only. A node has `createAccess`; this is for servers that need no more.
 *
 * @module server/access/loopback
 */
import { checkHost } from '../http/host.ts';
import type { Access } from '../types.ts';
import { agentOf } from './agent.ts';

export function loopbackAccess(): Access {
  return {
    guarded: false,
    admit(request) {
      checkHost(request.headers, undefined, request.method);
      return { key: null, name: 'local', agent: agentOf(request.headers) };
    },
    preflight: () => false,
  };
}
