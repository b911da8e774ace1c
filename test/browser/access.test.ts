/** axe-core in both themes, at each width once; the other pairs are in test/long/looks.test.ts. */
import { testLooks } from './looks.ts';

testLooks([
  ['light', 390],
  ['dark', 820],
  ['dark', 1440],
]);
