/**
 * `npm run test:nat`: swarms behind real NATs on one machine, with figures. Needs Linux, root, `ip` (iproute2) and `nft`
 * (nftables); says so and ends well without them. Ends with 1 when something did not hold.
 *
 * `node test/nat/run.ts direct` runs the scenarios whose name begins so. The scenario `upnp` needs miniupnpd too, which
 * `--install` installs by apt-get.
 *
 * @module test/nat/run
 */
import { installIgd, machine, whyNot } from './lab.ts';
import { Report } from './report.ts';
import { SCENARIOS } from './scenarios.ts';

const why = whyNot();
if (why !== null) {
  console.log(`Skipped: ${why}.`);
  console.log('test:nat needs Linux, root, ip (package iproute2) and nft (package nftables).');
  process.exit(0);
}
const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('-'));
if (flags.some((flag) => flag !== '--install')) {
  console.error(`Unknown option ${flags.find((flag) => flag !== '--install')}. There is --install.`);
  process.exit(2);
}
if (flags.includes('--install')) installIgd();
const [only = ''] = args.filter((arg) => !arg.startsWith('-'));
const report = new Report();
console.log(`NAT tests on ${machine()}`);
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (!name.startsWith(only)) continue;
  report.scenario(name);
  try {
    await scenario(report);
  } catch (error) {
    report.failed((error as Error).message);
  }
}
process.exit(report.end());
