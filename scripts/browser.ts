/**
 * The browser that the tests of the page drive. On Debian the test command installs it where it is missing and allowed
 * to; elsewhere, or when that fails, those tests are skipped, and with CI=true they fail.
 *
 * @module scripts/browser
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findChromium } from '../test/browser/chromium.ts';

/** How to become root: `[]` as root, `['sudo', '-n']` where no password is asked for, null otherwise. */
function asRoot(): string[] | null {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

function isDebian(): boolean {
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** Brings Chromium when it is missing. Says in one line why there is none, if so. */
export function provideBrowser(): void {
  if (findChromium() !== null) return;
  const root = isDebian() ? asRoot() : null;
  if (root !== null) {
    console.log('Installing Chromium, which drives the tests of the page (apt-get install) ...');
    const [program, ...rest] = [...root, 'apt-get', '-q'];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args: string[]) =>
      spawnSync(program!, [...rest, ...args], { stdio: 'inherit', env }).status === 0;
    // A release of Debian without the small one has the whole browser.
    const names = apt('update') ? ['chromium-headless-shell', 'chromium'] : [];
    if (
      names.some((name) => apt('install', '-y', '--no-install-recommends', name)) &&
      findChromium() !== null
    )
      return;
  }
  console.log(
    `The tests of the page ${process.env.CI === 'true' ? 'will fail' : 'are skipped'}: there is no Chromium here, and it could not be installed (Debian: apt-get install chromium-headless-shell; or name one in KITH_TEST_CHROMIUM).`,
  );
}
