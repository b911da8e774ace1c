import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../src/cli/program.ts';

const ROOT = join(import.meta.dirname, '..');

/** Every Markdown file of the repository; hidden folders and what was installed or built are not ours. */
function markdownFiles(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'dist') return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.isFile() && entry.name.endsWith('.md') ? [path] : [];
  });
}

const FENCE = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;

const withoutCode = (text: string) => text.replace(FENCE, '').replace(/`[^`\n]*`/g, 'code');

/** The anchor that GitHub makes of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function anchorsIn(text: string): Set<string> {
  return new Set(
    [...text.replace(FENCE, '').matchAll(/^#{1,6} +(.+)$/gm)].map(([, title]) => anchorOf(title!)),
  );
}

/** An empty folder is not there in a clone: git keeps files only. */
function isThere(path: string): boolean {
  return existsSync(path) && (statSync(path).isFile() || readdirSync(path).length > 0);
}

/** What is wrong with the relative links of a text; `path` is where it lies. */
function brokenLinks(path: string, text: string): string[] {
  const wrong: string[] = [];
  for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target!)) continue;
    const [file = '', anchor] = target!.split('#');
    const full = file === '' ? path : resolve(dirname(path), decodeURIComponent(file));
    if (file !== '' && !isThere(full)) wrong.push(`${target}: there is no such file`);
    else if (anchor !== undefined && (full === path || statSync(full).isFile())) {
      const there = anchorsIn(full === path ? text : readFileSync(full, 'utf8'));
      if (!there.has(anchor)) wrong.push(`${target}: there is no such heading`);
    }
  }
  return wrong;
}

/** Command lines of `kith` in a text: in shell blocks, and in inline code that begins with it. */
function kithLines(text: string): string[] {
  const shell = [...text.matchAll(FENCE)]
    .filter(([, language]) => ['sh', 'bash', 'console'].includes(language!))
    .flatMap(([, , body]) => body!.replace(/\\\n/g, ' ').split('\n'));
  const inline = [...text.replace(FENCE, '').matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code!)
    .filter((code) => /^(kith|npm run -s kith --) /.test(code));
  return [...shell, ...inline].flatMap((line) =>
    [...line.replace(/(^|\s)#.*$/, '').matchAll(/(?:^|[\s(])(?:npm run -s kith --|kith) ([^|<>)]+)/g)].map(
      ([, rest]) => rest!.trim(),
    ),
  );
}

/** What is wrong with one command line, or null. Arguments are not looked at. */
function commandFault(program: Command, line: string): string | null {
  const words = line
    .replace(/"[^"]*"|'[^']*'/g, 'text')
    .split(/[\s[\]]+/)
    .map((word) => word.replace(/[,;.:]$/, ''))
    .filter((word) => word !== '');
  let command = program;
  for (const word of words) {
    if (word.startsWith('-')) {
      const name = word.split('=')[0]!;
      const known = ['-h', '--help', ...(command === program ? ['-V', '--version'] : [])];
      if (!known.includes(name) && !command.options.some((one) => one.short === name || one.long === name))
        return `kith ${line}: ${command.name()} has no option ${name}`;
    } else if (command.commands.length > 0) {
      // A placeholder, as in `kith ARGS`, stands for any command.
      if (/^[A-Z]+$/.test(word) || word === 'help') return null;
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (next === undefined) return `kith ${line}: there is no command ${word}`;
      command = next;
    }
  }
  return null;
}

test('every relative link of the documentation leads to a file and a heading that are there', () => {
  const files = markdownFiles();
  assert.ok(files.includes(join(ROOT, 'docs', 'README.md')));
  const wrong = files.flatMap((path) =>
    brokenLinks(path, readFileSync(path, 'utf8')).map(
      (fault) => `${relative(ROOT, path).split(sep).join('/')}: ${fault}`,
    ),
  );
  assert.deepEqual(wrong, []);
});

test('what the README links to is part of the package', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  const targets = [...withoutCode(readFileSync(join(ROOT, 'README.md'), 'utf8')).matchAll(/\]\(([^)\s#]+)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
  assert.ok(targets.includes('ARCHITECTURE.md'));
  const packed = (target: string) => files.some((file) => target === file || target.startsWith(`${file}/`));
  assert.deepEqual(
    targets.filter((target) => !packed(target)),
    [],
  );
});

test('every kith command that the documentation names exists, with the options it is given', () => {
  const program = createProgram();
  let seen = 0;
  const wrong = markdownFiles().flatMap((path) =>
    kithLines(readFileSync(path, 'utf8')).flatMap((line) => {
      seen++;
      const fault = commandFault(program, line);
      return fault === null ? [] : [`${relative(ROOT, path).split(sep).join('/')}: ${fault}`];
    }),
  );
  assert.deepEqual(wrong, []);
  assert.ok(seen > 50, `only ${seen} command lines were found`);
});

test('docs/commands.md has a section for every command and names every subcommand', () => {
  const text = readFileSync(join(ROOT, 'docs', 'commands.md'), 'utf8');
  for (const command of createProgram().commands) {
    assert.ok(text.includes(`\n## kith ${command.name()}\n`), command.name());
    for (const below of command.commands) {
      const name = `${command.name()} ${below.name()}`;
      assert.ok(text.includes(`kith ${name}`), name);
    }
  }
});

test('docs/README.md leads to every page of docs', () => {
  const text = readFileSync(join(ROOT, 'docs', 'README.md'), 'utf8');
  for (const name of readdirSync(join(ROOT, 'docs')))
    if (name.endsWith('.md') && name !== 'README.md') assert.ok(text.includes(`](${name})`), name);
});

test('broken links, unknown headings, commands and options are found', () => {
  const here = join(ROOT, 'docs', 'x.md');
  const text =
    '# A `b` c?\n[1](#a-b-c) [2](#nope) [3](nope.md) [4](../README.md) [5](https://a.b/c)\n`[6](code.md)`\n';
  assert.deepEqual(brokenLinks(here, text), [
    '#nope: there is no such heading',
    'nope.md: there is no such file',
  ]);
  const lines = kithLines(
    '```sh\nprintf x | kith run "a b" --seed 1 # kith nothing\nkith fly\n```\n`kith run --wings`, `kiths`\n',
  );
  assert.deepEqual(lines, ['run "a b" --seed 1', 'fly', 'run --wings']);
  assert.deepEqual(
    lines.map((line) => commandFault(createProgram(), line)),
    [null, 'kith fly: there is no command fly', 'kith run --wings: run has no option --wings'],
  );
});
