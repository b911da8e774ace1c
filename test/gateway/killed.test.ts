/**
 * Another node, a process of its own with a real model, is killed in the middle of its answers. Each row is printed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createHome, startNode } from '../node-support.ts';
import { type Answer, ask, isTypedError, openGateway, type Place, row, verdictOf } from './support.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
let child: ChildProcess | null = null;
after(() => void child?.kill('SIGKILL'));

/** Starts a node as a user does; its address. */
async function start(home: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('KITH_')));
  child = spawn(process.execPath, [main, 'start', '--home', home, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => {
      out += chunk;
    });
  await new Promise<void>((resolve, reject) => {
    child!.stdout!.on('data', () => {
      if (out.includes('"event":"ready"')) resolve();
    });
    child!.once('exit', () => reject(new Error(`The node did not start: ${out}`)));
  });
  return JSON.parse(await readFile(join(home, 'run', 'node.json'), 'utf8')).url;
}

test('a node that is killed while it answers: another goes on with its answer, and alone it ends in an error', async () => {
  await using home = await createHome();
  await using otherHome = await createHome();
  const [url, other] = await Promise.all([start(home.path), startNode(otherHome)]);
  try {
    const body = { temperature: 0, max_tokens: 400, logit_bias: { 2: -100 } };
    const place = (name: string, at: string): Place => ({ name, base: `${at}/v1`, model: 'tiny' });
    await using pair = await openGateway([place('killed', url), place('other', other.url)]);
    await using alone = await openGateway([place('killed', url)], { retries: 0 });
    const prompt = 'Write a long story.';
    const expected = await ask(other.url, { prompt, body: { ...body, model: 'tiny' } });
    assert.equal(expected.usage!.completion_tokens, 400);

    let begun = 0;
    const kill = () => {
      if (++begun === 2) child!.kill('SIGKILL');
    };
    /** Kills once both streams are in the middle. */
    const counting = () => {
      let pieces = 0;
      return (text: string) => {
        const before = pieces;
        pieces = text.split('"content":').length;
        if (before < 20 && pieces >= 20) kill();
      };
    };
    const asks: Promise<Answer>[] = [
      ask(pair.url, { prompt, body, form: 'stream', onText: counting() }),
      ask(pair.url, { prompt, body, form: 'JSON' }),
      ask(alone.url, { prompt, body, form: 'stream', onText: counting() }),
      ask(alone.url, { prompt, body, form: 'JSON' }),
    ];
    const [exited] = await Promise.all([once(child!, 'exit'), ...asks]);
    assert.deepEqual(exited, [null, 'SIGKILL']);
    const [stream, whole, cut, lost] = (await Promise.all(asks)) as [Answer, Answer, Answer, Answer];
    row('a node is killed in the middle', 'outcome', 'attempts');
    row('---', '---', '---');
    for (const [name, answer] of Object.entries({
      'stream, with another': stream,
      'JSON, with another': whole,
      'stream, alone': cut,
      'JSON, alone': lost,
    })) {
      const attempts = answer.receipt?.route.attempts ?? [];
      row(
        name,
        verdictOf(answer),
        attempts.map(({ backend, outcome, reason }) => `${backend} ${outcome} (${reason})`).join(', '),
      );
    }
    for (const answer of [stream, whole]) {
      assert.equal(answer.error, null);
      assert.equal(answer.text, expected.text, 'letter for letter what it would have been');
      assert.ok(answer.ended);
      assert.equal(answer.finish, 'length');
    }
    assert.equal(stream.receipt!.route.attempts[0]!.outcome, 'cut');
    assert.equal(stream.receipt!.backend, 'other');
    isTypedError(cut, /^stream_cut$/);
    assert.ok(cut.text.length > 0 && expected.text.startsWith(cut.text));
    isTypedError(lost, /^upstream_(cut|reset|connect_failed)$/);
    assert.equal(pair.inFlight + alone.inFlight, 0);
    // And the pair goes on without it.
    const next = await ask(pair.url, { prompt, body: { ...body, max_tokens: 8 } });
    assert.equal(next.error, null);
    assert.equal(next.receipt!.backend, 'other');
  } finally {
    await other[Symbol.asyncDispose]();
  }
});
