import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { KithError } from '../../base/index.ts';
import { readTar } from './tar.ts';

interface Member {
  path: string;
  data?: Uint8Array;
  flag?: string;
  size?: number;
}

/** A ustar archive; checksums right unless the test damages them. */
function archive(members: readonly Member[], end = true): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, data = new Uint8Array(0), flag = '0', size = data.length } of members) {
    const header = Buffer.alloc(512);
    header.write(path, 0, 100, 'utf8');
    header.write('0000644\0', 100);
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(flag, 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, Buffer.from(data), Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  if (end) blocks.push(Buffer.alloc(1024));
  return Buffer.concat(blocks);
}

async function* inPieces(bytes: Uint8Array, piece: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

async function readAll(bytes: Uint8Array, piece = 700): Promise<{ path: string; data: Buffer }[]> {
  const found: { path: string; data: Buffer }[] = [];
  for await (const entry of readTar(inPieces(bytes, piece))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    found.push({ path: entry.path, data: Buffer.concat(chunks) });
  }
  return found;
}

function pax(records: Record<string, string>): Uint8Array {
  const lines = Object.entries(records).map(([key, value]) => {
    const body = ` ${key}=${value}\n`;
    let length = body.length;
    while (String(length).length + body.length !== length) length = String(length).length + body.length;
    return `${length}${body}`;
  });
  return Buffer.from(lines.join(''));
}

test('what was packed comes out, whatever the sizes and however the stream is cut', async () => {
  const file = fc.record({
    path: fc.stringMatching(/^[a-z]{1,20}(\/[a-z]{1,20}){0,2}$/),
    data: fc.uint8Array({ maxLength: 2000 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 6 }),
      fc.integer({ min: 1, max: 3000 }),
      async (files, piece) => {
        const found = await readAll(archive(files), piece);
        assert.deepEqual(
          found.map((one) => [one.path, one.data.toString('hex')]),
          files.map((one) => [one.path, Buffer.from(one.data).toString('hex')]),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('a member that nobody reads is skipped', async () => {
  const bytes = archive([
    { path: 'a', data: new Uint8Array(5000) },
    { path: 'b', data: Buffer.from('hello') },
  ]);
  const names: string[] = [];
  for await (const entry of readTar(inPieces(bytes, 333))) names.push(entry.path);
  assert.deepEqual(names, ['a', 'b']);
});

test('long names come from pax and GNU records', async () => {
  const long = `package/${'x'.repeat(200)}/file`;
  const viaPax = archive([
    { path: 'pax', flag: 'x', data: pax({ mtime: '1.5', path: long }) },
    { path: 'short', data: Buffer.from('1') },
  ]);
  const viaGnu = archive([
    { path: '././@LongLink', flag: 'L', data: Buffer.from(`${long}\0`) },
    { path: 'short', data: Buffer.from('1') },
  ]);
  for (const bytes of [viaPax, viaGnu]) {
    const [first] = await readAll(bytes);
    assert.equal(first?.path, long);
    assert.equal(first?.data.toString(), '1');
  }
});

test('links carry no data and do not shift what follows', async () => {
  const found = await readAll(
    archive([
      { path: 'link', flag: '2', size: 99 },
      { path: 'b', data: Buffer.from('x') },
    ]),
  );
  assert.deepEqual(
    found.map((one) => [one.path, one.data.length]),
    [
      ['link', 0],
      ['b', 1],
    ],
  );
});

test('a path that leaves the folder, a wrong checksum, an oversized record and a cut archive are refused', async () => {
  const good = archive([{ path: 'package/a', data: Buffer.alloc(600, 7) }]);
  const wrongSum = Buffer.from(good);
  wrongSum[0] = 0x7a;
  const cases: [string, Buffer][] = [
    ['dots', archive([{ path: 'package/../../etc/passwd' }])],
    ['absolute', archive([{ path: '/etc/passwd' }])],
    ['backslash', archive([{ path: 'a\\..\\b' }])],
    ['pax path', archive([{ path: 'p', flag: 'x', data: pax({ path: '../x' }) }, { path: 'a' }])],
    ['pax size', archive([{ path: 'p', flag: 'x', data: pax({ size: '-5' }) }, { path: 'a' }])],
    ['pax junk', archive([{ path: 'p', flag: 'x', data: Buffer.from('999 a=b\n') }, { path: 'a' }])],
    ['huge record', archive([{ path: 'p', flag: 'x', size: 2 ** 30 }], false)],
    ['checksum', wrongSum],
    ['cut in data', good.subarray(0, 700)],
    ['cut in header', good.subarray(0, 300)],
  ];
  for (const [name, bytes] of cases) {
    await assert.rejects(readAll(bytes), { code: 'archive_invalid' }, name);
  }
});

test('a damaged archive never gives anything but entries or a typed error', async () => {
  const good = archive([
    { path: 'p', flag: 'x', data: pax({ path: 'package/long-name', size: '900' }) },
    { path: 'package/a', data: Buffer.alloc(900, 7) },
    { path: 'package/dir', flag: '5' },
    { path: 'package/b', data: Buffer.alloc(100, 8) },
  ]);
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (changes, repair) => {
        const bytes = Buffer.from(good);
        for (const { at, to } of changes) bytes[at] = to;
        // With the checksum mended, the damage reaches the fields behind it.
        if (repair) for (let at = 0; at + 512 <= bytes.length; at += 512) mend(bytes.subarray(at, at + 512));
        try {
          for (const { path } of await readAll(bytes)) {
            assert.ok(!path.startsWith('/') && !path.split('/').includes('..'), path);
          }
        } catch (error) {
          assert.ok(error instanceof KithError, String(error));
        }
      },
    ),
    { numRuns: 400 },
  );
});

function mend(header: Buffer): void {
  if (header.toString('latin1', 257, 262) !== 'ustar') return;
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
}
