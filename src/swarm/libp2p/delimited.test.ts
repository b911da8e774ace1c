import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { fc } from '../../../test/property.ts';
import { readDelimited, sendDelimited, TooLong } from './delimited.ts';

/** As much of a stream as is read from and written to. */
class Pipe extends EventEmitter {
  status = 'open';
  remoteWriteStatus = 'writable';
  readBufferLength = 0;
  maxWriteBufferLength = 0;
  readonly sent: Uint8Array[] = [];
  readonly stream = this as unknown as Stream;
  addEventListener = this.on;
  removeEventListener = this.off;

  send(bytes: Uint8Array): boolean {
    this.sent.push(bytes.slice());
    return true;
  }

  arrive(...chunks: Uint8Array[]): void {
    this.emit('message', { data: chunks });
  }
}

const never = new AbortController().signal;
const yes = () => true;

async function framed(message: Uint8Array): Promise<Uint8Array> {
  const pipe = new Pipe();
  await sendDelimited(pipe.stream, message, never);
  return pipe.sent[0]!;
}

test('a message arrives as it was sent, in whatever pieces, with whatever behind it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat(400), { maxLength: 6 }),
      fc.uint8Array({ maxLength: 5 }),
      async (message, cuts, behind) => {
        const bytes = Uint8Array.from([...(await framed(message)), ...behind]);
        const pipe = new Pipe();
        let told = -1;
        const read = readDelimited(pipe.stream, 400, never, (length) => {
          told = length;
          return true;
        });
        let from = 0;
        for (const to of [...cuts, bytes.length].sort((a, b) => a - b)) {
          pipe.arrive(bytes.subarray(from, to));
          from = to;
        }
        assert.deepEqual(await read, message);
        assert.equal(told, message.length);
        assert.equal(pipe.listenerCount('message') + pipe.listenerCount('close'), 0);
      },
    ),
  );
});

test('lengths over the bound, refusals, ends and silence are told apart', async () => {
  const cases: readonly [string, (pipe: Pipe) => void, (error: Error) => boolean][] = [
    ['too long', (pipe) => pipe.arrive(Uint8Array.of(0xe9, 7)), (error) => error instanceof TooLong],
    ['no end', (pipe) => pipe.arrive(new Uint8Array(9).fill(0x80)), (error) => error instanceof TooLong],
    [
      'closed',
      (pipe) => pipe.emit('close', { error: new Error('reset') }),
      ({ message }) => message === 'reset',
    ],
    ['ended', (pipe) => pipe.emit('remoteCloseWrite'), ({ message }) => /without an answer/.test(message)],
  ];
  for (const [what, make, is] of cases) {
    const pipe = new Pipe();
    const read = readDelimited(pipe.stream, 1000, never, yes);
    make(pipe);
    await assert.rejects(read, is, what);
  }
  const full = new Pipe();
  const refused = readDelimited(full.stream, 1000, never, () => false);
  full.arrive(Uint8Array.of(3, 1));
  await assert.rejects(refused, /wait already/);
  const controller = new AbortController();
  const silent = readDelimited(new Pipe().stream, 1000, controller.signal, yes);
  controller.abort(new Error('too late'));
  await assert.rejects(silent, /too late/);
});
