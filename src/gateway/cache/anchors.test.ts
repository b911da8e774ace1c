import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { anchorsOf } from './anchors.ts';

const same = (a: string, b: string) =>
  assert.equal(anchorsOf(a), anchorsOf(b), `${a} | ${b}\n${anchorsOf(a)}\n${anchorsOf(b)}`);
const differ = (a: string, b: string) => assert.notEqual(anchorsOf(a), anchorsOf(b), `${a} | ${b}`);

test('numbers, dates, units and their order tell questions apart', () => {
  differ('Who was born in 1884?', 'Who was born in 1914?');
  differ('Is 5 more than 3?', 'Is 3 more than 5?');
  differ('What is 10% of 50?', 'What is 10 % of 500?');
  differ('How far is 5 km?', 'How far is 5 miles?');
  differ('What is -5 plus 2?', 'What is 5 plus 2?');
  differ('Name two rivers of France', 'Name three rivers of France');
  differ('What happened on May 2nd?', 'What happened on May 3rd?');
  differ('What happened in May?', 'What happened in June?');
  differ('What costs $5?', 'What costs €5?');
  differ('Convert 3.5 pounds', 'Convert 35 pounds');
  differ('Who was the first king?', 'Who was the second king?');
  differ('At 5 am?', 'At 5 pm?');
  differ('Did Bach weigh 5 g?', 'Did Bach weigh 5 t?');
  differ('Did Bach wake at 5 am?', 'Did Bach wake at 5 pm?');
  differ('Did Bach eat 5 apples?', 'Did Bach eat 5 oranges?');
  same('Is 1,000,000 a lot?', 'Is 1000000 a lot?');
  same('How long is five km?', 'How long is 5 kilometers?');
  same('How long is 5km?', 'How long is 5 kilometres?');
});

test('names and their order tell questions apart, in any case', () => {
  differ('What is the capital of France?', 'What is the capital of Spain?');
  differ('Did France beat Spain?', 'Did Spain beat France?');
  differ('what is the capital of france', 'what is the capital of spain');
  differ('who wrote faust', 'who wrote hamlet');
  differ('Paris is where?', 'London is where?');
  differ('Was ist die Hauptstadt von Polen?', 'Was ist die Hauptstadt von Ungarn?');
  differ('日本の首都はどこですか', '中国の首都はどこですか');
  differ('столица франции', 'столица испании');
  differ('Does C++ have lambdas?', 'Does C# have lambdas?');
  differ('Does node.js have lambdas?', 'Does deno.js have lambdas?');
  same("What is Goethe's first name?", 'What is the first name of Goethe?');
});

test('negation, direction and kind of question tell questions apart', () => {
  differ('Can dogs eat grapes?', "Can't dogs eat grapes?");
  differ('Is it safe?', 'Is it not safe?');
  differ('Is it safe?', 'Is it unsafe?');
  differ('Who was the tallest man?', 'Who was the shortest man?');
  differ('What came before Rome?', 'What came after Rome?');
  differ('When was Bach born?', 'When did Bach die?');
  differ('When was Bach born?', 'Where was Bach born?');
  differ('How do I enable it?', 'How do I disable it?');
  differ('Tea with milk?', 'Tea without milk?');
  differ('Is water hot or cold?', 'Is water hot and cold?');
  differ("I don't like it", 'I do like it');
  differ('What is 5 + 3?', 'What is 5 - 3?');
  differ('What is 5 + 3?', 'What is 5 * 3?');
});

test('quotations and code count to the letter', () => {
  differ('What does "break a leg" mean?', 'What does "break an egg" mean?');
  differ('What does “ab” mean?', 'What does “aB” mean?');
  differ('What does `a_b` do?', 'What does `a_c` do?');
  differ('What does read_file do?', 'What does read_dir do?');
  differ('Is foo/bar here?', 'Is foo/baz here?');
  same('What does "break a leg" mean?', 'What does “break a leg” mean?');
});

test('what only dresses a question does not tell it apart', () => {
  same('What is the capital of France?', 'Please tell me what the capital of France is.');
  same('What is the capital of France?', 'Hello! Could you tell me what is the capital of France?');
  same('what is photosynthesis', 'What is photosynthesis?');
  same('What is photosynthesis?', 'explain photosynthesis, please');
  same('who wrote hamlet', 'Who wrote hamlet?');
});

test('a word put in another place or another number in any sentence is seen', () => {
  const filler = fc.constantFrom('What happened', 'Who lived', 'Which ship sank', 'When did it start');
  fc.assert(
    fc.property(filler, fc.nat(99_999), fc.nat(99_999), (start, a, b) => {
      const ask = (number: number) => anchorsOf(`${start} in ${number}?`);
      assert.equal(ask(a) === ask(b), a === b);
    }),
  );
});

test('any text has anchors, in bounded time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      assert.equal(anchorsOf(text), anchorsOf(text));
    }),
  );
  for (const hostile of ['"', "a'", '1,', '1.', 'a.', '`a', '„', ' can you', '-', '$ ']) {
    anchorsOf(hostile.repeat(20_000));
  }
});
