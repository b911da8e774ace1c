/**
 * Where in a home the node keeps what commands read without it.
 *
 * @module node/home-files
 */
import { join } from 'node:path';

/** Where the usage of a home is written down. */
export const ledgerPath = (home: string): string => join(home, 'gateway', 'usage.sqlite');

/** Folder laid out like node_modules that holds the GPU packages added by `kith calibrate --install`. */
export const enginePackages = (home: string): string => join(home, 'engine', 'backends');
