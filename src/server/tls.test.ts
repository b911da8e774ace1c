import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '../base/index.ts';
import { warnEarly } from './tls.ts';

test('a certificate that has not begun is told with by how much, and the clock named', () => {
  const said: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => void said.push(text) };
  warnEarly({ validFrom: 3_600_000 }, 3_600_000, log);
  assert.deepEqual(said, []);
  warnEarly({ validFrom: 3 * 3_600_000 }, 0, log);
  assert.match(
    said.join(),
    /valid from 1970-01-01T03:00.*3 h.* ahead of this machine's clock .*check this machine's clock/,
  );
});
