/**
 * A process that issues and revokes without end and tells of each: to be killed in the midst of it.
 *
 * @module identity/testing/issue-forever
 */
import { writeSync } from 'node:fs';
import { systemClock, systemRandom } from '../../base/index.ts';
import { openWallet } from '../wallet/wallet.ts';
import { CLAIMS, identityOf } from './credentials.ts';

using wallet = openWallet(process.argv[2]!, { clock: systemClock, random: systemRandom });
const issuer = identityOf('issuer');
for (;;) {
  const { digest } = wallet.issued.issue(issuer, {
    type: 'Uptime',
    subject: identityOf('subject').did,
    claims: CLAIMS.Uptime,
    validFrom: systemClock.now(),
    validUntil: systemClock.now() + 1000 * (1 + (systemRandom.uint32() % 1_000_000)),
  });
  writeSync(1, `${digest} issued\n`);
  wallet.issued.revoke(issuer, digest);
  writeSync(1, `${digest} revoked\n`);
  wallet.issued.publish(issuer, `${issuer.did}/status/1`);
}
