/**
 * Text from stdin.
 *
 * @module cli/stdin
 */
import { fstatSync } from 'node:fs';
import { InputError } from '../base/index.ts';

/** Bytes taken from stdin at most. */
const maxBytes = 4 * 1024 * 1024;

/**
 * True when stdin is a file or a pipe, which ends by itself. A terminal does not, nor may a socket that a parent
 * process holds open.
 */
export function stdinEnds(): boolean {
  if (process.stdin.isTTY) return false;
  try {
    const stat = fstatSync(0);
    return stat.isFile() || stat.isFIFO();
  } catch {
    return false;
  }
}

/** All of stdin as UTF-8. Throws `InputError` when it is too long or no text. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new InputError('stdin_too_large', `stdin has more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new InputError('invalid_utf8', 'stdin is not valid UTF-8 text.');
  }
}
