/** The whole engine (text process, scheduler, sampler, frames) gives llama.cpp's greedy tokens. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createEngine } from '../src/engine/index.ts';
import { createTokenizer } from '../src/engine/tokenizer/index.ts';
import { fileSource, readGguf } from '../src/models/index.ts';
import { testModel } from './models/index.ts';
import { openReference } from './reference/libllama.ts';

const engine = createEngine({
  threads: 1,
  device: 'cpu',
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
after(() => engine[Symbol.asyncDispose]());

const prompts = {
  'stories15m-f16': { text: 'Once upon a time, there was a little robot who', count: 200 },
  'minimind2-q8_0': {
    text: '<|im_start|>user\nTell me about France.<|im_end|>\n<|im_start|>assistant\n',
    count: 200,
  },
  tinyllama: { text: '<|user|>\nWhat is the capital of France?</s>\n<|assistant|>\n', count: 16 },
} as const;

for (const [name, { text, count }] of Object.entries(prompts)) {
  test(`${name} answers with llama.cpp's greedy tokens`, async () => {
    const path = await testModel(name as keyof typeof prompts);
    await using source = await fileSource(path);
    const tokenizer = createTokenizer((await readGguf(source)).metadata);
    const tokens = tokenizer.encode(text, { addSpecial: true, parseSpecial: true });
    const reference = openReference(path, { context: 512 });
    const greedy = reference.greedy([...tokens], count);
    reference.close();
    const end = greedy.findIndex((token) => tokenizer.eog.has(token));
    const expected = end < 0 ? greedy : greedy.slice(0, end);
    assert.ok(expected.length > 5);

    await engine.load({ id: name, path });
    const actual: number[] = [];
    let reason = '';
    for await (const event of engine.generate({
      model: name,
      prompt: { kind: 'tokens', tokens },
      sampler: { temperature: 0, topLogprobs: 0 },
      maxTokens: count,
      stop: [],
    })) {
      if (event.type === 'text') actual.push(...event.logprobs!.map(({ token }) => token));
      if (event.type === 'finish') reason = event.reason;
    }
    assert.deepEqual(actual, expected);
    assert.equal(reason, end < 0 ? 'length' : 'stop');
  });
}
