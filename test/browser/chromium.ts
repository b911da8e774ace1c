/**
 * Where a Chromium is. Tests drive the system's own: `KITH_TEST_CHROMIUM` names it, otherwise the usual places are
 * looked at.
 *
 * @module test/browser/chromium
 */
import { existsSync } from 'node:fs';

/** Chromium without windows: the same pages for half of the processor time (measured over the tests of the page). */
const shells = ['/usr/bin/chromium-headless-shell'];
const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Path of the program that tests drive; null when none is here. */
export const findChromium = (): string | null => find([...shells, ...browsers]);

/** Path of a browser as people use it, for figures of the page; null when none is here. */
export const findBrowser = (): string | null => find(browsers);

function find(places: readonly string[]): string | null {
  const named = process.env.KITH_TEST_CHROMIUM;
  return [...(named ? [named] : []), ...places].find((path) => existsSync(path)) ?? null;
}
