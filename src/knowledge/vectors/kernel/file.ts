/** The file bytes.ts as the source makes it. @module knowledge/vectors/kernel/file */
import { kernel } from './source.ts';

const WIDTH = 100;

export function kernelFile(): string {
  const constant = (name: string, bytes: Uint8Array): string => {
    const text = Buffer.from(bytes).toString('base64');
    const lines = text.match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
    return `export const ${name} =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
  };
  return [
    '/** The kernel as WebAssembly, in base64. Made by `node scripts/vector-kernel.ts`: do not edit. @module knowledge/vectors/kernel/bytes */\n',
    constant('RELAXED', kernel('relaxed')),
    constant('BASELINE', kernel('baseline')),
  ].join('\n');
}
