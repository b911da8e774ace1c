/**
 * Settings of the backends that variables of other programs describe, under the names that those programs document.
 *
 * @module base/settings/providers
 */
import { isModelName, isServerAddress } from './forms.ts';
import { type Extra, flagSetting, list, optionalText, type Setting, text } from './setting.ts';

const named = (name: string, extra: Extra = {}): Extra => ({ ...extra, alsoEnv: [{ name }] });

const address = (description: string, extra: Extra): Setting<string> =>
  optionalText(description, 'an http or https URL without user, query or fragment', isServerAddress, extra);

const model = (description: string, extra: Extra): Setting<string> =>
  optionalText(description, "a server's name for a model, at most 200 characters", isModelName, extra);

const key = (description: string, name: string): Setting<string> =>
  text(
    description,
    'printable characters without spaces, at most 1024',
    (value) => /^[\x21-\x7e]*$/.test(value),
    '',
    named(name, { secret: true, defaultNote: 'none' }),
  );

const vendorAddress = (vendor: string, initial: string): Setting<string> =>
  text(
    `Address of ${vendor}'s API.`,
    'an http or https URL without user, query or fragment',
    isServerAddress,
    initial,
  );

export const providerSettings = {
  'kwaai.endpoint': address('Kwaai endpoint; adds the backend kwaai.', named('KWAAI_ENDPOINT')),
  'kwaai.nodes': list(
    'Kwaai nodes, asked before the endpoint and balanced; adds the backends kwaai-1, kwaai-2, ...',
    'http or https URLs without user, query or fragment, separated by commas',
    isServerAddress,
    [],
    named('KWAAI_DISTRIBUTED_NODES'),
  ),
  'kwaai.distributed': flagSetting('Use kwaai.nodes.', true, named('KWAAI_DISTRIBUTED_ENABLED')),
  'kwaai.apiKey': key('Key for the Kwaai endpoint and nodes.', 'KWAAI_API_KEY'),
  'kwaai.model': model('Model that Kwaai answers with when a request names none.', named('KWAAI_MODEL')),
  'kwaai.fastModel': model('What the alias fast means at Kwaai.', named('KWAAI_FAST_MODEL')),
  'kwaai.qualityModel': model('What the alias quality means at Kwaai.', named('KWAAI_QUALITY_MODEL')),
  'kwaai.embeddingModel': model('What the alias embedding means at Kwaai.', named('KWAAI_EMBEDDING_MODEL')),

  'llm.baseUrl': address(
    'Server that speaks the OpenAI API, its /v1 included; adds the backend llm.',
    named('LLM_BASE_URL'),
  ),
  'llm.apiKey': key('Key for that server.', 'LLM_API_KEY'),
  'llm.model': model('Model that it answers with when a request names none.', named('LLM_MODEL')),

  'openrouter.apiKey': key('Key of OpenRouter; adds the backend openrouter.', 'OPENROUTER_API_KEY'),
  'openrouter.baseUrl': vendorAddress('OpenRouter', 'https://openrouter.ai/api/v1'),
  'openrouter.model': model('Model that OpenRouter answers with when a request names none.', {}),

  'openai.enabled': flagSetting('Use OpenAI with the key below; adds the backend openai.', false),
  'openai.apiKey': key('Key of OpenAI; by itself it adds nothing.', 'OPENAI_API_KEY'),
  'openai.baseUrl': vendorAddress('OpenAI', 'https://api.openai.com/v1'),
  'openai.model': model('Model that OpenAI answers with when a request names none.', {}),

  'anthropic.enabled': flagSetting('Use Anthropic with the key below; adds the backend anthropic.', false),
  'anthropic.apiKey': key('Key of Anthropic; by itself it adds nothing.', 'ANTHROPIC_API_KEY'),
  'anthropic.baseUrl': vendorAddress('Anthropic', 'https://api.anthropic.com/v1'),
  'anthropic.model': model('Model that Anthropic answers with when a request names none.', {}),
} as const;
