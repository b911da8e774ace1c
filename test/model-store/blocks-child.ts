/** A process of its own that gets blocks of a model from one URL, to be killed. @module test/model-store/blocks-child */
import { createModelStore } from '../../src/models/index.ts';
import { entryFrom } from './blocks-support.ts';

const [home, id, from, to, ...urls] = process.argv.slice(2);
await using store = createModelStore({
  home: home!,
  env: {},
  catalogue: [entryFrom(id!, urls)],
  packageRoots: [],
});
await store.ensureBlocks(id!, { from: Number(from), to: Number(to) }, { download: true });
