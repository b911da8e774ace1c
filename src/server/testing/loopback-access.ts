/**
 * Access without keys, for servers in tests: this machine only. A node has `createAccess`; this is for servers that need no more.
 *
 * @module server/testing/loopback-access
 */

import { agentOf } from '../access/agent.ts';
import { checkHost } from '../http/host.ts';
import type { Access } from '../types.ts';

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
