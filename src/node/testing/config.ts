/**
 * Configurations of tests: config.yaml as text, in a home of its own.
 *
 * @module node/testing/config
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Config, resolveConfig } from '../../base/index.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-node-'));
after(() => rmSync(root, { recursive: true, force: true }));
let homes = 0;

/** A folder with this config.yaml. Removed when the file's tests are over. */
export function makeHome(yaml: string): string {
  const home = join(root, String(homes++));
  mkdirSync(home);
  writeFileSync(join(home, 'config.yaml'), yaml, { mode: 0o600 });
  return home;
}

export function configOf(yaml: string, env: Readonly<Record<string, string>> = {}): Config {
  return resolveConfig({ env, home: makeHome(yaml) }).config;
}
