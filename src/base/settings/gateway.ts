/**
 * Settings of the gateway: what holds for all backends. The backends themselves are a list (`lists.ts`).
 *
 * @module base/settings/gateway
 */
import { TIERS } from '../tiers.ts';
import { isWebAddress, PRIVACY_LEVELS } from './forms.ts';
import {
  bytes,
  choice,
  DAY_MS,
  decimal,
  flagSetting,
  GB,
  inSeconds,
  integer,
  integerOrAuto,
  list,
  optionalText,
  underscored,
} from './setting.ts';

const MONTH_MS = 2_147_483_647;

export const gatewaySettings = {
  'gateway.preset': choice(
    'Defaults of other keys, and models of agents, that go together (docs/gateway.md lists them).',
    ['none', 'budget', 'balanced', 'performance'],
    'none',
  ),
  'gateway.localEngine': flagSetting(
    "This machine's engine is a backend, the first unless gateway.order says otherwise.",
    true,
  ),
  'gateway.order': list(
    'Backends by name in the order in which they are preferred; those not named come after, as configured.',
    'names of backends separated by commas',
    (value) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(value),
    [],
  ),
  'gateway.privacy': choice(
    'Privacy level of every request; a request or an agent may ask for a stricter one.',
    PRIVACY_LEVELS,
    'minimum',
    { alsoEnv: [{ name: 'KWAAI_PRIVACY_LEVEL', fromText: (text) => text.toLowerCase() }] },
  ),
  'gateway.requiredTier': choice('Lowest trust tier of peers that privacy maximum allows.', TIERS, 'trusted'),
  'gateway.balancing': choice(
    'How requests are spread over the nodes of one provider.',
    ['round-robin', 'least-connections', 'random', 'latency'],
    'round-robin',
    { alsoEnv: [underscored('KWAAI_LOAD_BALANCING')] },
  ),
  'gateway.balancingSeed': integerOrAuto(
    'Seed of the draws that balancing makes (random, latency), so that a run repeats itself; auto draws anew each time.',
    0,
    2 ** 32 - 1,
  ),
  'gateway.redundancy': integer('Backends asked side by side for one answer.', 1, 3, 1, {
    alsoEnv: [{ name: 'KWAAI_REDUNDANCY' }],
  }),
  'gateway.decide': choice(
    'Which of several answers counts: the first good one, or the one that most agree on.',
    ['first', 'agreement'],
    'first',
  ),
  'gateway.hedgeMs': {
    ...integerOrAuto(
      'Time without a first token after which one more backend is asked, ms; auto goes by what is usual for the backend, 0 is never.',
      0,
      DAY_MS,
    ),
    default: 0,
  },
  'gateway.route': choice(
    "Where requests go: auto as the node decides, local to this machine's models only, frontier to the strongest allowed.",
    ['auto', 'local', 'frontier'],
    'auto',
  ),
  'gateway.cache': choice(
    'Answers kept for the same question: off, auto (temperature 0), keep (any), similar (also questions that mean the same).',
    ['off', 'auto', 'keep', 'similar'],
    'off',
  ),
  'gateway.cacheBytes': bytes(
    'Answers that are kept, all together; the least used go first.',
    1_000_000,
    1000 * GB,
    256 * 2 ** 20,
  ),
  'gateway.redisUrl': optionalText(
    'Redis or Valkey server that keeps the answers instead of a file, shared by the nodes that use it.',
    'a redis or rediss URL',
    (value) => URL.canParse(value) && ['redis:', 'rediss:'].includes(new URL(value).protocol),
  ),
  'gateway.degrade': choice(
    'What may stand in when no backend answers, each including those before it: search, the last good answer, an explanation.',
    ['none', 'search', 'stale', 'explain'],
    'none',
  ),
  'gateway.searxngUrl': optionalText(
    'SearXNG server that web searches go to when no backend answers.',
    'an http or https URL',
    isWebAddress,
  ),
  'gateway.regions': list(
    'Regions in which requests may be answered, as backends name them; none named is any.',
    'names of regions separated by commas',
    (value) => /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(value),
    [],
  ),
  'gateway.retries': integer('Times that a request may be sent again to a backend that failed.', 0, 10, 3, {
    alsoEnv: [{ name: 'LLM_MAX_RETRIES' }],
  }),
  'gateway.retryDelayMs': integer(
    'Longest wait before the first retry, ms; it doubles with each, at most twice.',
    0,
    600_000,
    1000,
    { alsoEnv: [inSeconds('LLM_RETRY_DELAY', 0, 600_000)] },
  ),
  'gateway.timeoutMs': integerOrAuto(
    "Time that another server's answer may take, and its first token with it, ms; auto goes by the size of the model.",
    100,
    MONTH_MS,
    { alsoEnv: [inSeconds('LLM_TIMEOUT', 100, MONTH_MS)] },
  ),
  'gateway.breakerFailures': integer('Failures in a row after which a backend is left alone.', 1, 1000, 5, {
    alsoEnv: [{ name: 'LLM_CIRCUIT_BREAKER_THRESHOLD' }],
  }),
  'gateway.breakerOpenMs': integer('Time that a failing backend is left alone, ms.', 100, DAY_MS, 60_000, {
    alsoEnv: [inSeconds('LLM_CIRCUIT_BREAKER_TIMEOUT', 100, DAY_MS)],
  }),
  'gateway.breakerSuccesses': integer('Successes in a row after which it is trusted again.', 1, 1000, 3),
  'gateway.probeMs': integer('Time between two looks at a backend, ms; 0 is none.', 0, DAY_MS, 30_000),
  'gateway.weightOrder': decimal("Weight of the owner's order in the choice of a backend.", 0, 100, 1),
  'gateway.weightCost': decimal('Weight of the cost in the choice of a backend.', 0, 100, 0),
  'gateway.weightLatency': decimal('Weight of the latency in the choice of a backend.', 0, 100, 0.06),
  'gateway.weightLoad': decimal('Weight of calls under way in the choice of a backend.', 0, 100, 0.04),
  'gateway.weightErrors': decimal('Weight of failed calls in the choice of a backend.', 0, 100, 0.4),
  'gateway.complexity': flagSetting(
    'Learn which requests the local models answer well enough; needs a local and another backend.',
    true,
  ),
  'gateway.complexityTarget': decimal('Share of requests that shall go to the frontier model.', 0, 1, 0.3),
  'gateway.complexityMin': decimal('Lowest threshold that this share may lead to.', 0, 1, 0),
  'gateway.complexityMax': decimal('Highest threshold that this share may lead to.', 0, 1, 1),
} as const;
