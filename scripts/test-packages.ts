/**
 * Installs the packages that only tests use, where they are missing: the type checker reads their types.
 *
 * @module scripts/test-packages
 */
import { installTestPackages } from './test.ts';

installTestPackages();
