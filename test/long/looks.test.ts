/** axe-core in the pairs of theme and width that test/browser/access.test.ts leaves out. */
import { testLooks } from '../browser/looks.ts';

testLooks([
  ['dark', 390],
  ['light', 820],
  ['light', 1440],
]);
