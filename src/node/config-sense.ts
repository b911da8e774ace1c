/**
 * What a configuration says that its parts alone do not show to be wrong: names of backends that are not there, and
 * what its owner should know before anything is sent. Nothing is opened and nobody is asked.
 *
 * @module node/config-sense
 */
import { type Config, InputError, isLoopback } from '../base/index.ts';
import { type DescribedBackend, describedBackends } from './variables.ts';

/** Throws InputError `config_invalid` that names the place, the value and what to write. */
export function checkBackendNames(
  config: Config,
  described: readonly DescribedBackend[] = describedBackends(config),
): void {
  const { localEngine, order } = config.gateway;
  const names = localEngine ? ['local'] : [];
  const groups = new Set<string>();
  for (const { backend, group = backend.name } of described) {
    groups.add(group);
    names.push(...(backend.nodes?.map((_, index) => `${backend.name}-${index + 1}`) ?? [backend.name]));
  }
  // Peers that answer, or that compute blocks, are found while the node runs.
  const { swarm, shards } = config;
  const finds = swarm.enabled && (swarm.use !== 'nobody' || shards.use !== 'nobody');
  if (names.length === 0 && !finds)
    throw refused(
      'gateway.localEngine',
      'gateway.localEngine is false and there is no other backend: nobody could answer. Configure one under backends, or set gateway.localEngine to true.',
    );
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw refused(
      'backends',
      `Two backends are called '${twice}', one of them by a variable or a setting of its own; give the one under backends another name.`,
    );
  for (const { backend, source } of described)
    if (backend.kind === 'peer' && !config.swarm.enabled)
      throw refused(
        source,
        `${source} is the peer '${backend.name}', and the swarm of this node is off, so that nobody could reach it: switch it on with kith config set swarm.enabled true, or remove the entry.`,
      );
  const known = names.join(', ') || 'none but peers that are found';
  for (const name of order)
    if (!names.includes(name) && !groups.has(name))
      throw refused(
        'gateway.order',
        `gateway.order names '${name}', which is no backend here; there are: ${known}.`,
      );
  config.budgets.forEach(({ backend }, index) => {
    if (backend === undefined || names.includes(backend)) return;
    const place = `budgets[${index}].backend`;
    const each = groups.has(backend) ? ' Each of its nodes needs a budget of its own.' : '';
    throw refused(
      place,
      `${place} names '${backend}', which is no backend here, so it would hold nothing; there are: ${known}.${each}`,
    );
  });
}

/** What is allowed and yet probably not meant, with what to do about it. The node says it at its start. */
export function configWarnings({ gateway }: Config): readonly string[] {
  if (gateway.redisUrl === '') return [];
  const { protocol, hostname } = new URL(gateway.redisUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'rediss:' || host === '' || (isLoopback(host) && !host.endsWith('.localhost'))) return [];
  return [
    `gateway.redisUrl is redis:// on another machine (${host}): kept answers and the server's password go there in the clear. Write rediss:// and let the server speak TLS, or have it on this machine.`,
  ];
}

function refused(param: string, message: string): InputError {
  return new InputError('config_invalid', message, { param });
}
