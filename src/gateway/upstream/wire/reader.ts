/**
 * Reads the answers on one connection from their bytes, however they are cut.
 *
 * Pieces of a body that came in one read are given as one, whatever chunks they came in: the chunks of HTTP say nothing
 * of what is in them.
 *
 * @module gateway/upstream/wire/reader
 */
import { type Framing, type Head, maxHeadBytes, parseHead } from './head.ts';
import { type Headers, WireError } from './types.ts';

export interface ReaderSink {
  head(status: number, headers: Headers, keeps: boolean): void;
  data(bytes: Buffer): void;
  /** @param more bytes came behind the answer: nothing that follows on the connection can be trusted */
  end(more: boolean): void;
}

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const DEL = 0x7f;
const SEMICOLON = 0x3b;
const blank = Buffer.from('\r\n\r\n');
const begin = Buffer.from('HTTP/1.');

/** Hexadecimal digits of a chunk's size: less than 2^48. */
const maxDigits = 12;
/** Bytes of extensions and trailers of one answer: nobody reads them. */
const maxExtraBytes = 16 * 1024;
/** Of each chunk, those that do not count: some servers leave room for the longest size there is. */
const spareBytes = 16;
/** Informational answers before the one that counts. */
const maxInformational = 16;

/** Of a chunked body, what comes next. */
type Part = 'size' | 'extension' | 'sizeLf' | 'data' | 'dataCr' | 'dataLf' | 'trailer' | 'trailerLf' | 'over';

export class AnswerReader {
  readonly #sink: ReaderSink;
  /** Of a head that is not whole. */
  #held: Buffer | null = null;
  /** Null: the head has not come. */
  #framing: Framing | null = null;
  #informational = 0;
  /** Bytes of the body, or of the chunk, that have not come. */
  #left = 0;
  #part: Part = 'size';
  #digits = 0;
  #extra = 0;
  /** Of the line of a trailer. */
  #line = 0;
  #waiting = false;

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  /** An answer is waited for. */
  expect(): void {
    this.#waiting = true;
    this.#held = null;
    this.#framing = null;
    this.#informational = 0;
  }

  /**
   * @param bytes may be changed here
   * @param borrowed they are not ours after this call: what is given of them is copied
   * @throws WireError
   */
  read(bytes: Buffer, borrowed: boolean): void {
    if (!this.#waiting) throw excess();
    let at = 0;
    while (this.#framing === null) {
      const whole: Buffer = this.#held === null ? bytes.subarray(at) : Buffer.concat([this.#held, bytes]);
      const end = headEnd(whole);
      if (end === 0) {
        this.#held = Buffer.from(whole);
        return;
      }
      // What was held is no part of these bytes.
      at += end - (this.#held?.length ?? 0);
      this.#held = null;
      const framing = this.#head(parseHead(whole.toString('latin1', 0, end - 2)));
      if (at < bytes.length) continue;
      if (framing === 0) this.#end(false);
      return;
    }
    if (this.#framing === 'chunked') this.#chunks(bytes, at, borrowed);
    else if (this.#framing === 'close') this.#give(bytes.subarray(at), borrowed);
    else this.#counted(bytes, at, borrowed);
  }

  /** The other side sends no more. @throws WireError unless that was the end of the answer */
  close(): void {
    if (!this.#waiting) return;
    if (this.#framing !== 'close')
      throw new WireError('OTHER_SIDE_CLOSED', 'The server closed the connection.');
    this.#end(false);
  }

  /** Null: the one that counts is still to come. */
  #head({ status, headers, framing, keeps }: Head): Framing | null {
    if (status < 200) {
      if (status === 101 || ++this.#informational > maxInformational)
        throw new WireError('NOT_HTTP', `An answer of status ${status} came that was not asked for.`);
      return null;
    }
    this.#framing = framing;
    this.#left = typeof framing === 'number' ? framing : 0;
    this.#part = 'size';
    this.#digits = 0;
    this.#extra = 0;
    this.#sink.head(status, headers, keeps);
    return framing;
  }

  #counted(bytes: Buffer, at: number, borrowed: boolean): void {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    this.#give(bytes.subarray(at, end), borrowed);
    if (this.#left === 0) this.#end(end < bytes.length);
  }

  /** Moves the data of all chunks together, to where the first of them begins. */
  #chunks(bytes: Buffer, start: number, borrowed: boolean): void {
    let at = start;
    let to = start;
    while (at < bytes.length && this.#part !== 'over') {
      if (this.#part === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        if (to !== at) bytes.copyWithin(to, at, end);
        to += end - at;
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#part = 'dataCr';
      } else if (!this.#between(bytes[at++]!)) {
        // What came before it is still told.
        this.#give(bytes.subarray(start, to), borrowed);
        throw new WireError('NOT_HTTP', 'A chunk of the answer has no form of one.');
      }
    }
    const isOver = this.#part === 'over';
    this.#give(bytes.subarray(start, to), borrowed);
    if (isOver) this.#end(at < bytes.length);
  }

  /** One byte of what stands between the data (RFC 9112, 7.1). False: it cannot stand there. */
  #between(byte: number): boolean {
    switch (this.#part) {
      case 'size': {
        const digit = hexOf(byte);
        if (digit >= 0) {
          this.#left = this.#left * 16 + digit;
          return ++this.#digits <= maxDigits;
        }
        if (this.#digits === 0) return false;
        if (byte === CR) this.#part = 'sizeLf';
        else if (byte === SEMICOLON || byte === SPACE || byte === TAB) this.#part = 'extension';
        else return false;
        return true;
      }
      case 'extension':
        if (byte !== CR) return this.#skips(byte);
        this.#part = 'sizeLf';
        return true;
      case 'dataCr':
        this.#part = 'dataLf';
        return byte === CR;
      case 'trailer':
        if (byte !== CR) {
          this.#line++;
          return this.#skips(byte);
        }
        this.#part = 'trailerLf';
        return true;
      default:
        this.#endLine();
        return byte === LF;
    }
  }

  #endLine(): void {
    if (this.#part === 'dataLf') this.#part = 'size';
    else if (this.#part === 'sizeLf') {
      this.#part = this.#left === 0 ? 'trailer' : 'data';
      this.#extra = Math.max(0, this.#extra - spareBytes);
    } else this.#part = this.#line === 0 ? 'over' : 'trailer';
    this.#digits = 0;
    this.#line = 0;
  }

  #skips(byte: number): boolean {
    return (byte >= SPACE || byte === TAB) && byte !== DEL && ++this.#extra <= maxExtraBytes;
  }

  #give(bytes: Buffer, borrowed: boolean): void {
    if (bytes.length > 0) this.#sink.data(borrowed ? Buffer.from(bytes) : bytes);
  }

  /** The sink may have the next answer waited for at once. */
  #end(more: boolean): void {
    this.#waiting = false;
    this.#sink.end(more);
  }
}

/** Behind the empty line; 0: it has not come. */
function headEnd(bytes: Buffer): number {
  const compared = Math.min(bytes.length, begin.length);
  if (bytes.compare(begin, 0, compared, 0, compared) !== 0)
    throw new WireError('NOT_HTTP', 'The answer does not begin as one of HTTP/1.');
  const end = bytes.indexOf(blank);
  if ((end < 0 ? bytes.length : end) > maxHeadBytes)
    throw new WireError('HEAD_TOO_LARGE', `The head of the answer has more than ${maxHeadBytes} bytes.`);
  return end < 0 ? 0 : end + blank.length;
}

function hexOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const excess = () => new WireError('NOT_HTTP', 'Bytes came that belong to no answer.');
