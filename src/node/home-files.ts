/**
 * Where in a home the node keeps what commands read without it.
 *
 * @module node/home-files
 */
import { join } from 'node:path';
import type { Config } from '../base/index.ts';

/** Where the usage of a home is written down. */
export const ledgerPath = (home: string): string => join(home, 'gateway', 'usage.sqlite');

/** Where the list of knowledge bases is, and those that are not made elsewhere. */
export const knowledgeFolder = ({ home, knowledge }: Pick<Config, 'home' | 'knowledge'>): string =>
  knowledge.folder === '' ? join(home, 'knowledge') : knowledge.folder;

/** Where what peers keep here is. */
export const storageFolder = ({ home, storage }: Pick<Config, 'home' | 'storage'>): string =>
  storage.folder === '' ? join(home, 'vault') : storage.folder;

/** Folder laid out like node_modules that holds the GPU packages added by `kith calibrate --install`. */
export const enginePackages = (home: string): string => join(home, 'engine', 'backends');
