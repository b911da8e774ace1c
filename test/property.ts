/**
 * fast-check with one seed for a whole run, so that a run can be repeated: `npm test` always draws the same cases,
 * `npm run test:long` new ones each time. `KITH_TEST_SEED=<integer>` chooses; a failing property names its seed.
 *
 * @module test/property
 */
import fc from 'fast-check';

const seed = Number(process.env.KITH_TEST_SEED ?? 20_261_121);
if (!Number.isSafeInteger(seed)) {
  throw new Error(`KITH_TEST_SEED is ${JSON.stringify(process.env.KITH_TEST_SEED)}: give an integer.`);
}
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });

export { fc };
