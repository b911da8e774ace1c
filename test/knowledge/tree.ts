/**
 * A folder of text files that changes at random.
 *
 * @module test/knowledge/tree
 */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Random } from '../../src/base/index.ts';
import { textOf } from './support.ts';

const PEOPLE = [
  'Ada Lovelace',
  'Charles Babbage',
  'Mary Somerville',
  'Michael Faraday',
  'Sophia de Morgan',
  'George Boole',
  'Luigi Menabrea',
];
const PLACES = ['London', 'Turin', 'Edinburgh', 'Marylebone', 'Somerset'];

/** Questions about what stands in the files. */
export const QUESTIONS = [
  'Where did Ada Lovelace meet Charles Babbage?',
  'the silent harbour crosses the golden bridge',
  'Who met Sophia de Morgan in Turin?',
  'copper engine',
  'What happened in Marylebone in March 1843?',
  'winter market and the distant planet',
  'George Boole and Michael Faraday',
  'a sailor remembers the orchard',
];

export class Tree {
  readonly folder: string;
  readonly #random: Random;
  #time = 1_700_000_000;
  #names = 0;

  constructor(folder: string, random: Random) {
    this.folder = folder;
    this.#random = random;
  }

  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => relative(this.folder, join(entry.parentPath, entry.name)))
      .sort();
  }

  async grow(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const path = this.#newPath();
      await this.#write(path, path.endsWith('.dump') ? this.#pages() : this.#text());
    }
  }

  /** One change; which, the random source says. */
  async change(): Promise<string> {
    const files = await this.files();
    const some = () => files[this.#random.uint32() % files.length]!;
    if (files.length === 0) {
      await this.grow(1);
      return 'grow';
    }
    const path = some();
    const kinds = [
      'new',
      'append',
      'prepend',
      'rewrite',
      'delete',
      'move',
      'rename',
      'retype',
      'copy',
      'swap',
      'touch',
      'ignore',
      'empty',
      'becomeFolder',
      'dropFolder',
      'moveFolder',
    ];
    const kind = kinds[this.#random.uint32() % kinds.length]!;
    const content = await readFile(join(this.folder, path), 'utf8');
    const stem = path.split('/').at(-1)!;
    switch (kind) {
      case 'new':
        await this.grow(1);
        break;
      case 'append':
        await this.#write(path, `${content}\n\n# More\n\n${textOf(this.#random, 2)}`);
        break;
      case 'prepend':
        await this.#write(path, `Something before.\n\n${content}`);
        break;
      case 'rewrite':
        await this.#write(path, path.endsWith('.dump') ? this.#pages() : this.#text());
        break;
      case 'delete':
        await rm(join(this.folder, path));
        break;
      case 'move':
        await this.#move(path, `moved${this.#names++}/${stem}`);
        break;
      case 'rename':
        await this.#move(path, this.#newPath());
        break;
      case 'retype':
        await this.#move(path, `${path}.text`);
        break;
      case 'copy':
        await this.#write(`copies${this.#names++}/${stem}`, content);
        break;
      case 'swap': {
        const other = some();
        const theirs = await readFile(join(this.folder, other), 'utf8');
        await this.#write(other, content);
        await this.#write(path, theirs);
        break;
      }
      case 'touch':
        await this.#write(path, content);
        break;
      case 'ignore': {
        // Each time other files are left out, so that some come back, too.
        const rules = [some(), some()].map((each) => `/${each}`);
        await writeFile(join(this.folder, '.kithignore'), `${rules.join('\n')}\n`);
        break;
      }
      case 'empty':
        await this.#write(path, '');
        break;
      case 'becomeFolder':
        // Where a dump was, the file in it has the path that one of its pages had.
        await rm(join(this.folder, path));
        await this.#write(`${path}/Page ${this.#names - 1}`, content);
        break;
      case 'dropFolder':
        // Large ones stay, or little would be left of the tree.
        if (path.includes('/') && files.filter((each) => each.startsWith(`${dirname(path)}/`)).length <= 8)
          await rm(join(this.folder, dirname(path)), { recursive: true });
        break;
      case 'moveFolder':
        if (path.includes('/')) await this.#move(dirname(path), `folder${this.#names++}`);
    }
    return kind;
  }

  #text(): string {
    const some = <T>(list: readonly T[]): T => list[this.#random.uint32() % list.length]!;
    const lines = [textOf(this.#random, 1 + (this.#random.uint32() % 20))];
    const title = this.#random.uint32() % 4 === 0 ? `Title: ${some(PEOPLE)}\n\n` : '';
    for (let left = this.#random.uint32() % 4; left > 0; left--)
      lines.push(
        `${some(PEOPLE)} met ${some(PEOPLE)} in ${some(PLACES)} on ${1 + (this.#random.uint32() % 28)} March 18${10 + (this.#random.uint32() % 80)}.`,
      );
    if (this.#random.uint32() % 3 === 0)
      lines.push(`It is told in [[note ${this.#random.uint32() % (this.#names + 1)}]].`);
    return title + lines.join('\n\n');
  }

  #pages(): string {
    const count = 1 + (this.#random.uint32() % 4);
    return Array.from({ length: count }, () => `=== Page ${this.#names++}\n${this.#text()}\n`).join('');
  }

  #newPath(): string {
    const folder = ['', 'a/', 'a/b/', 'c/'][this.#random.uint32() % 4]!;
    const kind = ['txt', 'md', 'txt', 'md', 'txt', 'md', 'dump'][this.#random.uint32() % 7]!;
    return `${folder}note ${this.#names++}.${kind}`;
  }

  async #write(path: string, text: string): Promise<void> {
    const full = join(this.folder, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text);
    // Whole seconds: what is compared is not how finely the file system keeps time.
    const at = ++this.#time;
    await utimes(full, at, at);
  }

  async #move(from: string, to: string): Promise<void> {
    const full = join(this.folder, to);
    await mkdir(dirname(full), { recursive: true });
    if ((await stat(full).catch(() => null)) === null) await rename(join(this.folder, from), full);
  }
}
