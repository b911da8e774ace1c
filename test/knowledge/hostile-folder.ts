/**
 * A folder that a stranger could have packed: broken and malicious files of all kinds, names that are hard to write, things that are
 * no files, and files that change while they are read.
 *
 * @module test/knowledge/hostile-folder
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostileFiles, quickHostileFiles, SOUND } from '../../src/knowledge/parse/testing/hostile/index.ts';
import { zipOf } from '../../src/knowledge/parse/testing/office.ts';

export interface HostileFolder extends AsyncDisposable {
  readonly path: string;
  /** Regular files that have a name in UTF-8, as they are called below the folder; what changes meanwhile is not among them. */
  readonly files: readonly string[];
  /** Those of them that must be taken in. */
  readonly sound: readonly string[];
  /** Links, pipes, sockets and devices: nothing is taken of them. */
  readonly others: readonly string[];
  /** Files and folders whose names are no UTF-8, or look like another's. */
  readonly unnamed: number;
  /** Files that change until this is called. */
  stopChanging(): Promise<void>;
}

/** Texts of more than this are thousands of chunks: what embedding takes is not looked for here. */
const MOST_TEXT = 40_000;
const BODY = 'The engine weaves algebraic patterns just as the loom weaves flowers and leaves. ';

/** Beside those that parsers are tried with by themselves. */
function more(isFull: boolean): Record<string, () => Uint8Array> {
  const text = (content: string) => Buffer.from(content);
  const mail = (depth: number): string => {
    let inner = 'Subject: the innermost\r\n\r\ntext\r\n';
    for (let at = 0; at < depth; at++)
      inner = `Subject: ${at}\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n${inner}`;
    return inner;
  };
  const matryoshka = (depth: number): Uint8Array => {
    let inner: Uint8Array = SOUND['a.docx']!();
    for (let at = 0; at < depth; at++) inner = zipOf({ [`inner-${at}.zip`]: inner });
    return inner;
  };
  const size = isFull ? 1 : 0.01;
  const times = (count: number) => Math.ceil(count * size);
  return {
    'million-columns.csv': () =>
      text(`${'a,'.repeat(times(1_000_000))}a\n${'1,'.repeat(times(1_000_000))}1\n`),
    'deep-100k.json': () => text('['.repeat(times(100_000)) + ']'.repeat(times(100_000))),
    'anchors.yaml': () =>
      text(
        `a: &a ["x"]\n${'bcdefghijklmnop'
          .split('')
          .map(
            (name, at) =>
              `${name}: &${name} [${Array(9).fill(`*${at === 0 ? 'a' : 'bcdefghijklmnop'[at - 1]}`)}]`,
          )
          .join('\n')}\n`,
      ),
    'nested-1000.eml': () => text(mail(times(1000))),
    'zip-in-zip-in-zip.docx': () => matryoshka(20),
    'zip-in-zip.zip': () => matryoshka(5),
    'script.html': () =>
      text(
        `<html><head><title>x</title><script>document.write(fetch("http://127.0.0.1:9/stolen"))</script></head><body onload="alert(1)"><iframe src="javascript:alert(2)"></iframe><svg><script>alert(3)</script></svg><p>${BODY}</p><img src=x onerror=alert(4)><style>@import "http://127.0.0.1:9/x.css"</style><noscript><p title="</noscript><script>alert(5)</script>">x</p></noscript></body></html>`,
      ),
    'unclosed.html': () => text('<div><p><b><i><table><tr><td>'.repeat(times(5_000))),
    'entities.html': () => text('&#x10FFFF;&#0;&amp;&bogus;&#xD800;'.repeat(times(2_000))),
    'external.docx': () =>
      zipOf({
        '[Content_Types].xml': '<Types/>',
        'word/document.xml':
          '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y SYSTEM "http://127.0.0.1:9/">]><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>&x;&y;</w:t></w:r></w:p></w:body></w:document>',
      }),
    'utf16-odd.txt': () =>
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(BODY, 'utf16le').subarray(0, -1)]),
    'half-surrogate.json': () => text('{"a": "\\ud800", "\\udc00": "x"}'),
    'nul.csv': () => text('a,b\n1,\0\n'),
    'only-mark.md': () => Buffer.from([0xef, 0xbb, 0xbf]),
    'empty.pdf': () => new Uint8Array(0),
    'empty.docx': () => new Uint8Array(0),
    'spaces.txt': () => text(' \n\t\u00a0\u200b\n'.repeat(1000)),
    'controls.txt': () => Buffer.from(Array.from({ length: 4096 }, (_, at) => at % 32)),
    'tab\there.md': () => text(`# Tab\n\n${BODY}`),
    'line\nbreak.md': () => text(`# Line\n\n${BODY}`),
    'escape\u001b[31m.md': () => text(`# Escape\n\n${BODY}`),
    '\u202egpj.exe.md': () => text(`# Right to left\n\n${BODY}`),
    'quote"\'`$(touch x).md': () => text(`# Quote\n\n${BODY}`),
    '-rf.md': () => text(`# Dash\n\n${BODY}`),
    [`${'n'.repeat(252)}.md`]: () => text(`# Long name\n\n${BODY}`),
    'percent%2e%2e%2fname.md': () => text(`# Percent\n\n${BODY}`),
    README: () => text(BODY),
    'program.exe': () => Buffer.concat([Buffer.from('MZ'), Buffer.alloc(3000, 7)]),
    'picture.png': () => Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    'database.sqlite': () => Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4096)]),
  };
}

/**
 * An error of a file that its owner can do something with: it names the file and says why, in a sentence, and nothing of programs. Three dots stand where
 * a piece of the file is quoted.
 */
export function isClear(name: string, code: string, message: string): boolean {
  return (
    /^[a-z]+_[a-z_]+$/.test(code) &&
    message.includes(JSON.stringify(basename(name).slice(-200)).slice(1, -1)) &&
    /[.!?]$/.test(message) &&
    !/[\p{Cc}]|\s{2}|(?<!\.)\.\.(?!\.)|undefined(?! entity)|\[object|node:internal|file:\/\//u.test(
      message,
    ) &&
    message.length < 700
  );
}

/**
 * @param given `real`: sound files of others, of which pieces are cut off; `large`: with texts of 1 GB, and as many files as there are
 */
export async function makeHostileFolder(given: {
  readonly real: readonly string[];
  readonly large: boolean;
}): Promise<HostileFolder> {
  const outside = await mkdtemp(join(tmpdir(), 'kith-outside-'));
  const path = await mkdtemp(join(tmpdir(), 'kith-hostile-folder-'));
  const files: string[] = [];
  const sound: string[] = [];
  const others: string[] = [];
  const put = (name: string, bytes: Uint8Array, isSound = false): void => {
    writeFileSync(join(path, name), bytes);
    files.push(name);
    if (isSound) sound.push(name);
  };

  mkdirSync(join(path, 'made'));
  const kept = given.large ? hostileFiles() : quickHostileFiles().filter((_, at) => at % 12 === 0);
  for (const { name, make } of kept) {
    const bytes = make();
    if (bytes.length <= MOST_TEXT || /\.(?:docx|xlsx|pptx|epub|doc|pdf)$/.test(name))
      put(`made/${name}`, bytes);
  }
  for (const [name, make] of Object.entries(more(given.large)))
    if (given.large || /line|million|escape|percent|exe|external|nul/.test(name)) put(name, make());
  mkdirSync(join(path, 'cut'));
  for (const [at, file] of given.real.entries()) {
    const bytes = readFileSync(file);
    for (const share of [0.02, 0.35, 0.7, 0.98])
      put(
        `cut/${at}-${share * 100}-${basename(file).slice(-60)}`,
        bytes.subarray(0, Math.min(MOST_TEXT, Math.floor(bytes.length * share))),
      );
    const hurt = Buffer.from(bytes.subarray(0, MOST_TEXT));
    for (let byte = 97; byte < hurt.length; byte += 977) hurt[byte] = (hurt[byte]! * 31 + 7) & 0xff;
    put(`cut/${at}-hurt-${basename(file).slice(-60)}`, hurt);
    put(`cut/${at}-as${extname(given.real[(at + 3) % given.real.length]!)}`, bytes.subarray(0, MOST_TEXT));
  }
  for (let at = 0; at < (given.large ? 20 : 3); at++)
    put(`sound ${at}.md`, Buffer.from(`# Sound ${at}\n\n${BODY}The ${at}th of them.\n`), true);

  if (given.large) {
    const piece = Buffer.from(BODY.repeat(12_000));
    await using huge = await open(join(path, 'huge.txt'), 'w');
    for (let bytes = 0; bytes < 1024 ** 3; bytes += piece.length) await huge.write(piece);
    files.push('huge.txt');
    for (const name of ['sparse.txt', 'sparse.json', 'sparse.pdf', 'sparse.docx', 'sparse.xml', 'sparse']) {
      put(name, new Uint8Array(0));
      truncateSync(join(path, name), 1024 ** 3);
    }
  }

  // Round in circles, out of the folder, to what never ends.
  writeFileSync(join(outside, 'secret.md'), '# Secret\n\nNot in the folder.\n');
  mkdirSync(join(path, 'round', 'about'), { recursive: true });
  for (const [target, name] of [
    ['..', 'round/about/up'],
    ['.', 'round/self'],
    ['endless', 'endless'],
    [outside, 'out'],
    [join(outside, 'secret.md'), 'secret.md'],
    ['/etc/passwd', 'passwd.txt'],
    ['/dev/zero', 'zero.txt'],
    ['/dev/random', 'random'],
    ['/proc/self/mem', 'memory.txt'],
    ['nowhere', 'dangling.md'],
  ] as const) {
    symlinkSync(target, join(path, name));
    others.push(name);
  }
  execFileSync('mkfifo', [join(path, 'pipe.txt')]);
  const socket = createServer().listen(join(path, 'socket.txt'));
  others.push('pipe.txt', 'socket.txt');
  mkdirSync(join(path, 'deep'));
  let below = join(path, 'deep');
  for (let at = 0; at < 80; at++) {
    below = join(below, 'd');
    mkdirSync(below);
  }
  await writeFile(join(path, 'closed.md'), '# Closed\n');
  await chmod(join(path, 'closed.md'), 0);
  files.push('closed.md');
  await mkdir(join(path, 'closed'));
  await chmod(join(path, 'closed'), 0);

  const bytesOf = (name: string) => Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, 'latin1')]);
  writeFileSync(bytesOf('caf\xe9.md'), '# Latin\n');
  mkdirSync(bytesOf('fold\xe9r'));
  writeFileSync(Buffer.concat([bytesOf('fold\xe9r'), Buffer.from('/in.md')]), '# In\n');
  writeFileSync(join(path, 'e\u0301t\u00e9.md'), '# One\n');
  writeFileSync(join(path, '\u00e9te\u0301.md'), '# Other\n');

  // What changes while it is read.
  let going = true;
  const change = async (): Promise<void> => {
    const growing = join(path, 'growing.txt');
    const swapped = join(path, 'swapped.md');
    const replaced = join(path, 'replaced.pdf');
    for (let at = 0; going; at++) {
      if (at < 2000) appendFileSync(growing, `${BODY}\n`);
      await rm(swapped, { recursive: true, force: true });
      if (at % 2 === 0) await mkdir(swapped);
      else await writeFile(swapped, `# Swapped ${at}\n`);
      await writeFile(`${replaced}.tmp`, at % 3 === 0 ? SOUND['a.pdf']!() : SOUND['a.docx']!());
      await rename(`${replaced}.tmp`, replaced);
      await sleep(5);
    }
  };
  const changing = change();
  const stopChanging = async (): Promise<void> => {
    going = false;
    await changing;
  };
  return {
    ...{ path, files, sound, others, unnamed: 3, stopChanging },
    async [Symbol.asyncDispose]() {
      await stopChanging();
      await new Promise((resolve) => socket.close(resolve));
      await chmod(join(path, 'closed'), 0o700);
      rmSync(path, { recursive: true, force: true });
      rmSync(outside, { recursive: true, force: true });
    },
  };
}
