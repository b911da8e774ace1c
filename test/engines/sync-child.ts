/** A process that puts points into an engine, for tests that kill it on the way: `node sync-child.ts URL COLLECTION POINTS`. */
import { engineAddress, openVectorEngine, syncEngine } from '../../src/vault/index.ts';
import { madePoints } from './made-points.ts';

const [url = '', collection = '', count = '0'] = process.argv.slice(2);
await using engine = await openVectorEngine({ address: engineAddress(url), collection, dimension: 8 });
await syncEngine({
  engine,
  points: madePoints(Number(count)),
  told: ({ sent }) => console.log(sent),
});
