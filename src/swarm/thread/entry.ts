/**
 * Where the swarm thread begins: with the cache of compiled code that the node uses, if it has one, then the rest.
 *
 * @module swarm/thread/entry
 */
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { ThreadSettings } from './messages.ts';

const { compileCache } = workerData as ThreadSettings;
if (compileCache !== undefined) enableCompileCache(compileCache);
await import('./swarm-thread.ts');
