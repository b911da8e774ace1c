/** A process of its own that pulls one model and prints the result as a line of JSON. @module test/model-store/pull-child */

import { createModelStore } from '../../src/models/index.ts';

const [home, ref, sha256] = process.argv.slice(2);
await using store = createModelStore({ home: home!, env: {}, catalogue: [], packageRoots: [] });
const entry = await store.pull(ref!, { id: 'm', ...(sha256 === undefined ? {} : { sha256 }) });
process.stdout.write(`${JSON.stringify({ sha256: entry.manifest.sha256 })}\n`);
