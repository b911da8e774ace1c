/** The thresholds against a real embedding model, that of the node's own default. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createHome, startNode, type TestHome } from '../../../test/node-support.ts';
import { questionText } from './anchors.ts';
import { DEFAULT_THRESHOLDS } from './intent.ts';
import { createSemanticIndex } from './semantic.ts';
import { keyNamed } from './testing/examples.ts';

/** Pairs with one answer; `found`: near enough and with equal anchors. The others are missed, which costs a call only. */
const SAME: readonly (readonly [string, string, found: boolean])[] = [
  ['What is the capital of France?', 'Hello, could you tell me what is the capital of France', true],
  ['What is the capital of France?', 'Please tell me what the capital of France is.', true],
  ['How do I boil rice?', 'How do you boil rice?', true],
  ['Who wrote Hamlet?', 'Who was the author of Hamlet?', true],
  ['Who wrote Hamlet?', 'Hamlet was written by who?', true],
  ["What is Goethe's first name?", 'What is the first name of Goethe?', true],
  ['How many moons does Mars have?', 'How many moons has Mars got?', true],
  ['What is the boiling point of water?', "What's the boiling point of water?", true],
  ['what is photosynthesis', 'Could you explain photosynthesis, please?', false],
  ['When was Bach born?', 'What year was Bach born?', false],
  ['How tall is Mount Everest?', 'What is the height of Mount Everest?', false],
];

/** Pairs with two answers, most of them with equal anchors. None may be taken for one. */
const OTHER: readonly (readonly [string, string])[] = [
  ['Who was born in 1884?', 'Who was born in 1885?'],
  ['Is it safe to eat raw eggs?', 'Is it not safe to eat raw eggs?'],
  ['What is the capital of Austria?', 'What is the capital of Australia?'],
  ['how far is 5 km in miles', 'how far is 6 km in miles'],
  ['Who did Kubrick marry?', 'Who did Kubrick sue?'],
  ['What is the population of France?', 'What is the area of France?'],
  ['What does Mars look like?', 'What does Mars weigh?'],
  ['Who founded Apple?', 'Who runs Apple?'],
  ['Who founded Apple?', 'Who funded Apple?'],
  ['What is the length of the Nile?', 'What is the depth of the Nile?'],
  ['Which river flows through Paris?', 'Which road goes through Paris?'],
  ['Is Berlin a city?', 'Is Berlin a state?'],
  ['Is Pluto a planet?', 'Is Pluto a star?'],
  ['What are the symptoms of COVID?', 'What are the causes of COVID?'],
  ['What are the side effects of Ibuprofen?', 'What are the main effects of Ibuprofen?'],
  ['Who was the wife of Lincoln?', 'Who was the son of Lincoln?'],
  ['How do I install Docker?', 'How do I update Docker?'],
];

let home: TestHome;
const vectors = new Map<string, Float32Array>();

before(async () => {
  home = await createHome();
  await using node = await startNode(home);
  const texts = [...new Set([...SAME, ...OTHER].flatMap((pair) => pair.slice(0, 2) as string[]))];
  const response = await fetch(`${node.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tiny-embed', input: texts.map(questionText) }),
  });
  const { data } = (await response.json()) as { data: { embedding: number[] }[] };
  for (const [i, text] of texts.entries()) vectors.set(text, Float32Array.from(data[i]!.embedding));
});
after(() => home.remove());

function finds(a: string, b: string): boolean {
  const index = createSemanticIndex({ dimension: 384, maxEntries: 4, thresholds: DEFAULT_THRESHOLDS });
  const question = (text: string) => ({
    topic: 't',
    text,
    vector: vectors.get(text)!,
  });
  index.add(question(a), keyNamed('a'));
  return index.find(question(b)) !== null;
}

test('questions with one answer are found, or missed where their words leave a doubt', () => {
  for (const [a, b, found] of SAME) assert.equal(finds(a, b), found, `${a} | ${b}`);
});

test('questions with two answers are never taken for one', () => {
  for (const [a, b] of OTHER) {
    assert.ok(!finds(a, b), `${a} | ${b}`);
    assert.ok(!finds(b, a), `${b} | ${a}`);
  }
});
