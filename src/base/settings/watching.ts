/**
 * Settings of what watches the node: logs, traces, alerts.
 *
 * @module base/settings/watching
 */
import {
  bytes,
  bytesOrAuto,
  choice,
  DAY_MS,
  decimal,
  flagSetting,
  GB,
  integer,
  targetAddress,
  text,
} from './setting.ts';

export const watchingSettings = {
  'log.level': choice(
    'Least severe log line that is written; DEBUG=kith:* widens it.',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    { flag: '--log-level' },
  ),
  'log.file': flagSetting('Also write logs to logs/ under home.', true),
  'log.maxBytes': bytes('Size at which a log file is rotated.', 10_000, 10 * GB, 10_000_000),
  'log.keep': integer('Rotated log files that are kept (gzip).', 0, 1000, 5),
  'log.access': flagSetting('Write a line for each request, without content.', true),

  'telemetry.otlpUrl': targetAddress(
    'OpenTelemetry collector that gets a trace of each request over OTLP/HTTP, such as http://localhost:4318.',
  ),
  'telemetry.headers': text(
    'Headers for the collector, such as its key: name=value, separated by commas; values percent-encoded.',
    'name=value pairs separated by commas',
    (value) => value === '' || value.split(',').every((pair) => /^\s*[\w-]+\s*=[\x20-\x7e]*$/.test(pair)),
    '',
    { secret: true, defaultNote: 'none' },
  ),
  'telemetry.sampleRatio': decimal(
    'Share of the requests that are traced, unless the caller decides.',
    0,
    1,
    1,
  ),

  'alerts.webhook': targetAddress('Where alerts are sent as they fire and end.', {
    secret: true,
    defaultNote: 'none',
  }),
  'alerts.webhookSecret': text(
    'Key that signs what is sent to the webhook (HMAC-SHA256).',
    'any text',
    () => true,
    '',
    { secret: true, defaultNote: 'none' },
  ),
  'alerts.holdMs': integer(
    'Time a condition has to hold before an alert fires, and to be over, ms.',
    0,
    DAY_MS,
    30_000,
  ),
  'alerts.errorRate': decimal(
    'Share of requests the node may fail (5xx) in 5 minutes; 0 is no alert.',
    0,
    1,
    0.1,
  ),
  'alerts.refusedRate': decimal(
    'Share of requests that may be refused (429, 503, 529) in 5 minutes; 0 is no alert.',
    0,
    1,
    0.5,
  ),
  'alerts.ttftP95Ms': integer(
    '95th percentile of the time to first token over 5 minutes, ms; 0 is no alert.',
    0,
    DAY_MS,
    30_000,
  ),
  'alerts.queueWaitP95Ms': integer(
    '95th percentile of the wait for a place in the batch over 5 minutes, ms; 0 is no alert.',
    0,
    DAY_MS,
    15_000,
  ),
  'alerts.engineRestarts': integer(
    'Restarts of the engine process in 10 minutes that are a warning; 0 is no alert.',
    0,
    1000,
    3,
  ),
  'alerts.diskFreeBytes': bytes(
    'Free disk space at the home folder under which an alert fires; 0 is no alert.',
    0,
    1_000_000 * GB,
    500_000_000,
  ),
  'alerts.memoryBytes': bytesOrAuto(
    'Memory of the node and its engine together over which an alert fires; auto is 90 % of the machine, 0 is no alert.',
    0,
    1_000_000 * GB,
  ),
  'alerts.loopDelayMs': integer(
    "99th percentile of the delay of the node's event loop, ms; 0 is no alert.",
    0,
    DAY_MS,
    1000,
  ),
} as const;
