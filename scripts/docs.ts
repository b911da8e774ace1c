/**
 * Writes docs/configuration.md from the schema and the table of limits, so that it cannot disagree with them.
 *
 * @module scripts/docs
 */
import { join } from 'node:path';
import { CONFIG_FILE_MAX_BYTES, describeConfig, LIMITS, writeFileAtomic } from '../src/base/index.ts';

export const CONFIGURATION_DOC = join(import.meta.dirname, '..', 'docs', 'configuration.md');

export function configurationDoc(): string {
  const settings = describeConfig().map(
    ({ key, description, default: initial, allowed, env, alsoEnv, flag }) => [
      `\`${key}\``,
      description,
      `\`${initial}\``,
      allowed,
      [env, ...alsoEnv].map((name) => `\`${name}\``).join(', '),
      `\`${flag}\``,
    ],
  );
  const limits = LIMITS.map(({ name, default: initial, unit, what, over, config }) => [
    `\`${name}\``,
    what,
    initial === null ? 'auto' : `${initial} ${unit}`,
    over,
    config === null ? 'fixed' : 'yes',
  ]);
  return `<!-- Written by \`node scripts/docs.ts\`. Edit src/base/settings/ or src/base/limits.ts instead. -->

# Configuration

A value comes from the first of these that sets it:

1. a flag on the command line, such as \`--port 8080\`: every key is a flag of every command that reads the
   configuration (\`--help\` shows the common ones);
2. an environment variable, such as \`KITH_SERVER_PORT=8080\` (an empty one counts as unset);
3. \`config.yaml\` in the home folder (\`~/.kith\` unless \`--home\` or \`KITH_HOME\` says otherwise);
4. the default, or what the preset that \`gateway.preset\` names has in its place.

\`kith config show\` prints every value and where it came from. An unknown key, an unknown \`KITH_\` variable or a value
that is not allowed stops the node with a message that names the key, the value and what is allowed; all problems are
listed at once.

\`\`\`yaml
# ~/.kith/config.yaml
server:
  port: 8080
engine:
  threads: 4
  memoryBytes: 8GiB
\`\`\`

The environment name of a key is \`KITH_\` and the key in upper snake case. \`auto\` leaves the choice to the node. Sizes
may carry a unit: \`kB MB GB TB\` are powers of 1000, \`KiB MiB GiB TiB\` of 1024. Several values are written
with commas (\`kith config set server.allowedHosts kith.lan,home.lan\`), in \`config.yaml\` also as a YAML list.
Variables of other programs that stand beside a key's own are read as those programs document them: times in seconds,
\`_\` for \`-\`. A key's own variable goes before them.

\`backends\`, \`agents\`, \`budgets\` and \`patterns\` are lists and maps of \`config.yaml\` alone; [the gateway](gateway.md) describes them.
\`<AGENT>_AGENT_MODEL\` sets the model of an agent: \`KAI_AGENT_MODEL\`, \`GUARDRAIL_AGENT_MODEL\`,
\`GENETIC_AGENT_MODEL\`, \`WELLNESS_AGENT_MODEL\`, and the like for each agent named under \`agents\`.
\`config.yaml\` is plain YAML without aliases and tags, at most ${CONFIG_FILE_MAX_BYTES} bytes; \`kith config set\` keeps its comments.

## Keys

${table(['Key', 'Meaning', 'Default', 'Allowed', 'Environment', 'Flag'], settings)}

## Other variables

${table(
  ['Variable', 'Meaning'],
  [
    [
      '`DEBUG`',
      'shows debug lines of the rooms it names: `kith:*` all, `kith:engine:*,-kith:engine:text` some; `kwaai:` works as `kith:`. Debug lines may hold prompts and answers, but never credentials',
    ],
    ['`NO_COLOR`', 'switches colours off when it has any value'],
    ['`npm_config_registry`', 'default of `models.registry`'],
  ],
)}

Variables that begin with \`KITH_TEST_\`, \`KITH_BENCH_\` or \`KITH_DEV_\` belong to tests, benchmarks and development.

## Limits

What the node bounds, and what happens over the bound. An error over a limit names the limit and its value.

${table(['Limit', 'What', 'Default', 'Over it', 'Configurable'], limits)}
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (import.meta.main) await writeFileAtomic(CONFIGURATION_DOC, configurationDoc(), { mode: 0o644 });
