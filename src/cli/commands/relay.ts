/** `kith relay show|serve|use`. They write the configuration; a node reads it at its start. @module cli/commands/relay */
import { formatPlural, setInFile } from '../../base/index.ts';
import type { SwarmView } from '../../server/index.ts';
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
  const serves = inForce
    ? view.relay.serves
    : swarm.relayServe
      ? { reservations: swarm.relayReservations, unlimited: swarm.relayUnlimited }
      : null;
  const over = inForce ? view.addresses.filter((address) => address.includes('/p2p-circuit')) : [];
  if (options.json) {
    printJson({ running: inForce, uses, serves, reachedOver: over });
    return;
  }
  print(
    serves === null
      ? 'This node is no relay.'
      : `A relay for ${formatPlural(serves.reservations, 'peer')} at once${serves.unlimited ? ', without bounds of time and bytes' : ': 2 minutes or 128 KiB for each connection'}.`,
  );
  if (uses.length === 0) print('It is reached over no relay.');
  for (const address of uses) print(`uses     ${plain(address)}`);
  for (const address of over) print(`reached  ${plain(address)}`);
  if (!inForce)
    say(
      asTyped(
        swarm.enabled ? 'No node is running: this is what is set.' : 'The swarm is off: this is what is set.',
      ),
    );
};

export const serve: Handler = async ({ options }) => {
  const { home } = settingsOf(options).config;
  if (options.off && (options.reservations !== undefined || options.unlimited))
    throw new UsageError('--off goes with neither --reservations nor --unlimited.');
  await setInFile(home, 'swarm.relayServe', options.off ? null : true);
  if (options.reservations !== undefined)
    await setInFile(home, 'swarm.relayReservations', options.reservations);
  if (!options.off) await setInFile(home, 'swarm.relayUnlimited', options.unlimited ? true : null);
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

async function told(options: Readonly<Record<string, unknown>>, text: string): Promise<void> {
  const { config } = settingsOf(options);
  const { relays, relayServe, relayReservations, relayUnlimited, enabled } = config.swarm;
  if (options.json) {
    printJson({
      uses: relays,
      serves: relayServe ? { reservations: relayReservations, unlimited: relayUnlimited } : null,
    });
    return;
  }
  print(text);
  if (!enabled) say(asTyped('The swarm is off. To switch it on: kith config set swarm.enabled true'));
}
