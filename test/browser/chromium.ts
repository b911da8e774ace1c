/**
 * Where a Chromium is. Tests drive the system's own: `KITH_TEST_CHROMIUM` names it, otherwise the usual places are
 * looked at.
 *
 * @module test/browser/chromium
 */
import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Path of the program; null when none is here. */
export function findChromium(): string | null {
  const named = process.env.KITH_TEST_CHROMIUM;
  return [...(named ? [named] : []), ...places].find((path) => existsSync(path)) ?? null;
}
