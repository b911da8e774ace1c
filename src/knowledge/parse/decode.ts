/**
 * Bytes of a text file to text: by its byte order mark, as UTF-8 where that is valid, else by a guess that is said.
 *
 * @module knowledge/parse/decode
 */
import chardet from 'chardet';
import iconv from 'iconv-lite';

export interface Decoded {
  readonly text: string;
  /** How it was read, for a note; null where nothing was guessed. */
  readonly guess: string | null;
  /** Two or four bytes for a character. */
  readonly wide: boolean;
}

/** Bytes that the guess looks at. */
const SAMPLE = 256 * 1024;

function byMark(bytes: Uint8Array): { readonly encoding: string; readonly length: number } | null {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', length: 3 };
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return { encoding: 'utf-32le', length: 4 };
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { encoding: 'utf-32be', length: 4 };
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', length: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', length: 2 };
  return null;
}

/** UTF-16 when a byte order mark says so, and else UTF-8: for what is decoded piece by piece. */
export function encodingByMark(head: Uint8Array): string {
  const encoding = byMark(head)?.encoding ?? 'utf-8';
  return encoding.startsWith('utf-16') ? encoding : 'utf-8';
}

/** UTF-16 without a mark: in most scripts every second byte is 0 or of few values. Null when it is not. */
function wideWithoutMark(sample: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const length = Math.min(sample.length, 4096);
  if (length < 8) return null;
  let even = 0;
  let odd = 0;
  for (let at = 0; at + 1 < length; at += 2) {
    if (sample[at] === 0) even += 1;
    if (sample[at + 1] === 0) odd += 1;
  }
  const pairs = Math.floor(length / 2);
  if (odd > 0.4 * pairs && even < 0.05 * pairs) return 'utf-16le';
  if (even > 0.4 * pairs && odd < 0.05 * pairs) return 'utf-16be';
  return null;
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const decodeAs = (bytes: Uint8Array, encoding: string): string =>
  iconv.decode(view(bytes), encoding, { stripBOM: true });

/** UTF-8 with a few bad bytes, such as a cut at the end, is still UTF-8. */
function nearlyUtf8(bytes: Uint8Array): { readonly text: string; readonly lost: number } | null {
  const text = new TextDecoder('utf-8').decode(bytes);
  let lost = 0;
  let wide = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd) lost += 1;
    else if (code > 0x7f) wide += 1;
  }
  return lost <= 1 + wide / 20 ? { text, lost } : null;
}

export function decodeText(bytes: Uint8Array): Decoded {
  const mark = byMark(bytes);
  if (mark !== null)
    return {
      text: decodeAs(bytes.subarray(mark.length), mark.encoding),
      guess: null,
      wide: mark.encoding !== 'utf-8',
    };
  const sample = bytes.subarray(0, SAMPLE);
  const wide = wideWithoutMark(sample);
  if (wide !== null)
    return {
      text: decodeAs(bytes, wide),
      guess: `read as ${wide.toUpperCase()}, which its bytes look like`,
      wide: true,
    };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), guess: null, wide: false };
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
  }
  const nearly = nearlyUtf8(bytes);
  if (nearly !== null)
    return {
      text: nearly.text,
      guess: `read as UTF-8, in which ${nearly.lost} of its bytes are no characters`,
      wide: false,
    };
  const encoding = chardet.detect(sample) ?? 'windows-1252';
  // Its list is longer than the decoder's, and a guess of UTF-8 was refuted above.
  const usable =
    iconv.encodingExists(encoding) && !/^utf-?8$|^ascii$/i.test(encoding) ? encoding : 'windows-1252';
  return {
    text: decodeAs(bytes, usable),
    guess: `read as ${usable}, which its bytes look like`,
    wide: false,
  };
}

/** The text of `bytes`; a guess becomes a note. */
export function textOf(
  bytes: Uint8Array,
  writer: { note(code: 'encoding_guessed', message: string): void },
): string {
  const { text, guess } = decodeText(bytes);
  if (guess !== null)
    writer.note('encoding_guessed', `The encoding had to be guessed: the text was ${guess}.`);
  return text;
}
