/**
 * `node scripts/vector-kernel.ts`: makes src/knowledge/vectors/kernel/bytes.ts of kernel/source.ts. The same source gives the
 * same bytes; a test compares them.
 *
 * @module scripts/vector-kernel
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelFile } from '../src/knowledge/vectors/kernel/file.ts';

const path = join(import.meta.dirname, '../src/knowledge/vectors/kernel/bytes.ts');
writeFileSync(path, kernelFile());
console.log(`Wrote ${path}.`);
