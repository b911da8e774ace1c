/** `kith relay show|serve|use`. They write the configuration; a node reads it at its start. @module cli/commands/relay */
import { isDeepStrictEqual } from 'node:util';
import { type Config, formatPlural, setInFile } from '../../base/index.ts';
import type { RelayServing, SwarmView } from '../../server/index.ts';
import { connect } from '../client.ts';
import { UsageError } from '../failure.ts';
import { asTyped, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

export const show: Handler = async ({ options }) => {
  const { home, swarm } = settingsOf(options).config;
  const node = await connect(home);
  const view = node === null ? null : await node.call<SwarmView>('GET', '/kith/v1/swarm');
  const inForce = view !== null && view.state !== 'off';
  const uses = inForce ? view.relay.uses : swarm.relays;
  const serves = inForce ? view.relay.serves : servingOf(swarm);
  const over = inForce ? view.addresses.filter((address) => address.includes('/p2p-circuit')) : [];
  if (options.json) {
    printJson({ running: inForce, uses, serves, reachedOver: over });
    return;
  }
  print(serves === null ? 'This node is no relay.' : servingText(serves));
  if (uses.length === 0) print('It is reached over no relay.');
  for (const address of uses) print(`uses     ${plain(address)}`);
  for (const address of over) print(`reached  ${plain(address)}`);
  if (inForce && (!same(uses, swarm.relays) || !same(serves, servingOf(swarm))))
    say(asTyped('Something else is set from the next start on: kith stop, then kith start'));
  if (!inForce)
    say(
      asTyped(
        swarm.enabled ? 'No node is running: this is what is set.' : 'The swarm is off: this is what is set.',
      ),
    );
};

const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);

export const serve: Handler = async ({ options }) => {
  const { home } = settingsOf(options).config;
  const { reservations, unlimited, unlimitedTier, minTier } = options;
  if (options.off && [reservations, unlimited, unlimitedTier, minTier].some((one) => one !== undefined))
    throw new UsageError('--off goes with no other option of relay serve.');
  await setInFile(home, 'swarm.relayServe', options.off ? null : true);
  if (reservations !== undefined) await setInFile(home, 'swarm.relayReservations', reservations);
  if (!options.off) {
    await setInFile(home, 'swarm.relayUnlimited', unlimited ? true : null);
    await setInFile(home, 'swarm.relayUnlimitedTier', unlimitedTier ?? null);
    await setInFile(home, 'swarm.relayMinTier', minTier ?? null);
  }
  await told(
    options,
    options.off
      ? 'This node is no relay from its next start on.'
      : 'This node is a relay from its next start on.',
  );
};

export const use: Handler = async ({ args, options }) => {
  const { home } = settingsOf(options).config;
  const addresses = args[0] as readonly string[];
  if ((addresses.length === 0) === (options.none !== true))
    throw new UsageError('Write the addresses of relays, or --none.');
  await setInFile(home, 'swarm.relays', addresses.length === 0 ? null : addresses);
  await told(
    options,
    addresses.length === 0
      ? 'It is reached over no relay from its next start on.'
      : `It is reached over ${formatPlural(addresses.length, 'relay')} from its next start on.`,
  );
};

function servingOf(swarm: Config['swarm']): RelayServing | null {
  if (!swarm.relayServe) return null;
  return {
    reservations: swarm.relayReservations,
    unlimited: swarm.relayUnlimited,
    unlimitedTier: swarm.relayUnlimitedTier,
    minTier: swarm.relayMinTier,
  };
}

function servingText({ reservations, unlimited, unlimitedTier, minTier }: RelayServing): string {
  const who = minTier === 'unknown' ? '' : ` of the tier ${minTier} and above`;
  const bounds = unlimited
    ? 'without bounds of time and bytes'
    : `2 minutes or 128 KiB for each connection${unlimitedTier === 'nobody' ? '' : `, no bounds for peers of the tier ${unlimitedTier} and above`}`;
  return `A relay for ${formatPlural(reservations, 'peer')}${who} at once: ${bounds}.`;
}

async function told(options: Readonly<Record<string, unknown>>, text: string): Promise<void> {
  const { config } = settingsOf(options);
  const { relays, enabled } = config.swarm;
  if (options.json) {
    printJson({ uses: relays, serves: servingOf(config.swarm) });
    return;
  }
  print(text);
  if (!enabled) say(asTyped('The swarm is off. To switch it on: kith config set swarm.enabled true'));
}
