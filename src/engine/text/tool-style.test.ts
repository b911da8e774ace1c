import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toolStyleOf } from './tool-style.ts';

const ask = '{% if tools %}{{ tools | tojson }}{% endif %}';

test('a template tells by its own words how calls are written', () => {
  assert.equal(toolStyleOf(`${ask}<tool_call>{"name": "{{ n }}", "arguments": {{ a }}}`), 'hermes');
  assert.equal(toolStyleOf(`${ask}{{ "<tool_call>\\n{\\"name\\": <n>, \\"arguments\\": <a>}" }}`), 'hermes');
  assert.equal(toolStyleOf(`${ask}[TOOL_CALLS][{{ call.function | tojson }}]`), 'mistral');
  assert.equal(toolStyleOf(`${ask}Environment: ipython {"name": n, "parameters": p}`), 'llama3');
});

test('a template that knows no tools, or writes calls in another way, has no style', () => {
  for (const source of [
    '{{ messages[0].content }}<tool_call>{"name": 1, "arguments": 2}',
    `${ask}<tool_call><function=f><parameter=a>1</parameter></function>`,
    `${ask}<tool_call>f<arg_key>a</arg_key>`,
    `${ask}[TOOL_CALLS]f[ARGS]{"a": 1}`,
    `${ask}ipython <function=f>{"name": 1, "parameters": 2}`,
    `${ask}{"name": 1, "parameters": 2}`,
    `${ask}<|tool_call|>[{"name": 1, "arguments": 2}]`,
  ])
    assert.equal(toolStyleOf(source), null, source);
});
