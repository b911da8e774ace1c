/**
 * Chat templates that know tools, in the three ways that Kith knows, as short as they can be; and one that knows none.
 *
 * @module test/tools-support
 */

const turn = (role: string, body: string): string => `<|${role}|>${body}<|end|>`;
const listed =
  '{% if tools %}<|tools|>{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|end|>{% endif %}';
const ask = '{% if add_generation_prompt %}<|assistant|>{% endif %}';

/** Messages by role; `calls` prints those of one message. */
const template = (head: string, calls: string): string =>
  `${head}{% for message in messages %}{% if message.tool_calls %}${calls}` +
  `{% elif message.role == 'tool' %}${turn('tool', '{{ message.content }}')}` +
  `{% else %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endif %}{% endfor %}${ask}`;

export const TEMPLATES = {
  hermes: template(
    `${listed}{# <tool_call>{"name": ..., "arguments": ...}</tool_call> #}`,
    turn(
      'assistant',
      '{{ message.content or "" }}{% for call in message.tool_calls %}<tool_call>\n' +
        '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>{% endfor %}',
    ),
  ),
  llama3: template(
    `${listed}{# ipython: {"name": ..., "parameters": ...} #}`,
    "{% if message.tool_calls | length != 1 %}{{ raise_exception('one call at a time') }}{% endif %}" +
      '{% set call = message.tool_calls[0].function %}' +
      turn('assistant', '{"name": "{{ call.name }}", "parameters": {{ call.arguments | tojson }}}'),
  ),
  mistral: template(
    listed,
    '[TOOL_CALLS][{% for call in message.tool_calls %}' +
      "{% if call.id | length != 9 %}{{ raise_exception('ids have nine signs') }}{% endif %}" +
      '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}, "id": "{{ call.id }}"}' +
      '{% if not loop.last %}, {% endif %}{% endfor %}]<|end|>',
  ),
  /** Turns must alternate, and nobody but system, user and assistant may speak. */
  plain:
    "{% for message in messages %}{% if message.role not in ['system', 'user', 'assistant'] %}" +
    "{{ raise_exception('no such role') }}{% endif %}" +
    '{% if loop.index0 > 0 and messages[loop.index0 - 1].role == message.role %}' +
    "{{ raise_exception('turns alternate') }}{% endif %}" +
    `<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}${ask}`,
} as const;

export type Style = keyof typeof TEMPLATES;

/** Knows tools, and fails on those whose arguments have no description, as some published templates do. */
export const FRAGILE = TEMPLATES.hermes.replace(
  '{{ tool | tojson }}',
  '{% for name, argument in tool.function.parameters.properties | items %}{{ argument.description | trim }}{% endfor %}',
);

/** Refuses a system message, as templates of some older models do. */
export const NO_SYSTEM = TEMPLATES.plain.replace("['system', 'user', 'assistant']", "['user', 'assistant']");

/** Control tokens that models of a style write calls with. */
export const CONTROL: Readonly<Record<Style, readonly string[]>> = {
  hermes: ['<tool_call>', '</tool_call>'],
  llama3: ['<|python_tag|>'],
  mistral: ['[TOOL_CALLS]'],
  plain: [],
};
