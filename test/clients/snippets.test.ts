/** The snippets of docs/clients.md do what they say: each is run as it stands, but for the node's address and models. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

let home: TestHome;
let node: Node;
before(async () => {
  home = await createHome();
  node = await startNode(home);
});
after(async () => {
  await node.close();
  await home.remove();
});

const page = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/^## (.+)$|^```js\n([\s\S]*?)^```$/gm)].reduce<
  { heading: string; code: string }[]
>((list, [, heading, code]) => {
  if (heading !== undefined) list.push({ heading, code: '' });
  else list.push({ heading: list.at(-1)!.heading, code: code! });
  return list;
}, []);

for (const { heading, code } of snippets.filter((each) => each.code !== '')) {
  test(`the snippet for ${heading} with ${/from '([^']+)'/.exec(code)![1]} runs`, async () => {
    const here = code
      .replaceAll('http://127.0.0.1:11435', node.url)
      .replaceAll("'tinyllama-1.1b-chat'", "'tiny'")
      .replaceAll("'all-minilm-l6-v2'", "'tiny-embed'");
    assert.ok(here.includes(node.url) && !here.includes('llama-1.1b'));
    // Where the packages are found; git and the test command leave the folder alone.
    const folder = await mkdtemp(join(import.meta.dirname, 'node_modules', '.snippet-'));
    try {
      const file = join(folder, 'snippet.mjs');
      await writeFile(file, here);
      const out = await new Promise<string>((resolve, reject) => {
        execFile(process.execPath, [file], { timeout: 60_000 }, (error, stdout, stderr) =>
          error ? reject(new Error(stderr || error.message)) : resolve(stdout),
        );
      });
      assert.ok(out.trim().length > 0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

test('every client of the page has a snippet', () => {
  assert.equal(snippets.filter((each) => each.code !== '').length, 6);
});
