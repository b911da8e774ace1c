/** `kith network show|create|join|leave`: private networks. They write the configuration; a node reads it at its start. @module cli/commands/network */
import { unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Config, InputError, isErrno, isKithError, setInFile, systemRandom } from '../../base/index.ts';
import {
  networkKeyPath,
  networkName,
  newNetworkKey,
  parseNetworkKey,
  readNetworkKey,
  writeNetworkKey,
} from '../../node/index.ts';
import type { SwarmView } from '../../server/index.ts';
import { connect } from '../client.ts';
import { UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';
import { readStdin } from '../stdin.ts';

export const show: Handler = async ({ options }) => {
  const { home, swarm } = settingsOf(options).config;
  const name = swarm.pskFile === '' ? null : networkName(await readNetworkKey(swarm.pskFile));
  const running = await stateOf(home);
  if (options.json) {
    printJson({
      enabled: swarm.enabled,
      network: swarm.network,
      key: name,
      file: swarm.pskFile === '' ? null : swarm.pskFile,
      running: running === null ? null : { state: running.state, key: running.network.key },
    });
    return;
  }
  print(
    name === null
      ? `An open network (${swarm.network}): whoever finds this node may connect.`
      : `Private network ${name} (${swarm.network}), key in ${swarm.pskFile}`,
  );
  if (!swarm.enabled) print(asTyped('The swarm is off. To switch it on: kith config set swarm.enabled true'));
  // Until the swarm runs, its view has no key.
  if (running !== null && running.state !== 'off' && running.state !== 'running')
    say(asTyped(`The swarm of the running node is not there yet (${running.state}): kith p2p info`));
  else if (running?.state === 'running' && running.network.key !== name)
    say(
      paint(
        'yellow',
        'The running node is still in another network: stop it and start it again.',
        process.stderr,
      ),
    );
};

async function stateOf(home: string): Promise<SwarmView | null> {
  const node = await connect(home);
  return node === null ? null : node.call<SwarmView>('GET', '/kith/v1/swarm');
}

export const create: Handler = async ({ options }) => {
  const { home, swarm } = settingsOf(options).config;
  refuseAnother(swarm, home);
  const path = networkKeyPath(home);
  const key = newNetworkKey(systemRandom);
  await writeNetworkKey(path, key);
  await enter(home, path, options.lan === true);
  const name = networkName(key);
  const running = await stateOf(home);
  if (options.json) {
    printJson({ key: name, file: path, restart: running !== null });
    return;
  }
  print(`Private network ${name}; its key is in ${path}.`);
  print('Whoever has that key is in. Give it to others over a way that nobody reads along:');
  const lan = options.lan === true;
  const how = lan ? 'network join FILE --lan' : 'network join FILE --bootstrap ADDRESS';
  print(`  copy the file to their machine, and there: ${asKith(how)}`);
  print(
    asTyped(
      lan
        ? 'Where multicast does not reach, add --bootstrap with an address that kith p2p info shows here.'
        : 'where ADDRESS is one that kith p2p info shows here.',
    ),
  );
  sayNext(running !== null);
};

export const join: Handler = async ({ args, options }) => {
  const { home, swarm } = settingsOf(options).config;
  refuseAnother(swarm, home);
  const key = await keyFrom(String(args[0]));
  const bootstrap = options.bootstrap as string | undefined;
  // The address may be wrong: nothing is written then.
  if (bootstrap !== undefined) settingsOf({ ...options, swarmBootstrap: bootstrap });
  const path = networkKeyPath(home);
  // Who left and comes back has the key still, as has who joins once more to name other members.
  if ((await keyAt(path)) !== key) await writeNetworkKey(path, key);
  if (bootstrap !== undefined) await setInFile(home, 'swarm.bootstrap', bootstrap);
  await enter(home, path, options.lan === true);
  const name = networkName(key);
  const running = await stateOf(home);
  if (options.json) printJson({ key: name, file: path, restart: running !== null });
  else {
    print(`This node is in the private network ${name} from its next start on.`);
    const { bootstrap, mdns } = settingsOf(options).config.swarm;
    if (bootstrap.length === 0 && !mdns)
      say(
        asTyped(
          'It knows no member to connect to: join again with --bootstrap ADDRESS or --lan, or let a member connect to this node.',
        ),
      );
    sayNext(running !== null);
  }
};

/** Null when there is none, or none that can be read. */
async function keyAt(path: string): Promise<string | null> {
  try {
    return await readNetworkKey(path);
  } catch (error) {
    if (!isKithError(error)) throw error;
    return null;
  }
}

/** Key of the file of that name, of the text itself, or of stdin for `-`. */
async function keyFrom(given: string): Promise<string> {
  if (given === '-') return parseNetworkKey(await readStdin());
  if (/^[0-9a-f]{64}$/i.test(given)) {
    say(
      'Note: a key on the command line can be seen by other programs and stays in the history of the shell.',
    );
    return parseNetworkKey(given);
  }
  try {
    return await readNetworkKey(resolve(given));
  } catch (error) {
    if (!isKithError(error) || error.code !== 'file_not_found') throw error;
    throw new InputError(
      'file_not_found',
      `There is no file at ${plain(resolve(given))}. Name a key file, give the key itself (64 hex digits), or - to read it from stdin.`,
    );
  }
}

export const leave: Handler = async ({ options }) => {
  const { home, swarm } = settingsOf(options).config;
  if (swarm.pskFile === '' && options.forget === true && (await forget(networkKeyPath(home)))) {
    // It was left before, and its key stayed.
    if (options.json) printJson({ left: false, file: null, restart: false });
    else print(`Removed the key in ${networkKeyPath(home)}.`);
    return;
  }
  if (swarm.pskFile === '')
    throw new InputError('network_none', 'This node is in no private network.', { status: 404 });
  // Without the key the next start would be in the open network: that is for the owner to say.
  await setInFile(home, 'swarm.enabled', false);
  await setInFile(home, 'swarm.pskFile', null);
  if (options.forget) await forget(swarm.pskFile);
  const running = await stateOf(home);
  if (options.json) {
    printJson({ left: true, file: options.forget ? null : swarm.pskFile, restart: running !== null });
    return;
  }
  print('Left the private network. The swarm is off until you say otherwise.');
  if (!options.forget) print(`Its key is still in ${swarm.pskFile}.`);
  if (swarm.bootstrap.length > 0)
    print(
      asTyped('swarm.bootstrap still names peers of it; to forget them: kith config unset swarm.bootstrap'),
    );
  if (running !== null) say(asTyped('The running node is in it until it ends: kith stop'));
};

/** False when there was none. */
async function forget(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return false;
  }
}

function refuseAnother(swarm: Config['swarm'], home: string): void {
  if (swarm.webrtc)
    throw new UsageError(
      asTyped(
        'swarm.webrtc is true, and WebRTC would go around a private network: kith config set swarm.webrtc false',
      ),
    );
  if (swarm.pskFile === '' || swarm.pskFile === networkKeyPath(home)) return;
  throw new UsageError(
    asTyped(
      `swarm.pskFile names ${plain(swarm.pskFile)} already. To leave that network first: kith network leave`,
    ),
  );
}

async function enter(home: string, path: string, lan: boolean): Promise<void> {
  await setInFile(home, 'swarm.pskFile', path);
  if (lan) {
    await setInFile(home, 'swarm.network', 'lan');
    await setInFile(home, 'swarm.mdns', true);
  }
  await setInFile(home, 'swarm.enabled', true);
}

function sayNext(running: boolean): void {
  say(
    asTyped(
      running
        ? 'The running node is not in it yet: kith stop, then kith start'
        : 'The swarm is on from the next start: kith start',
    ),
  );
}

/** A command for another machine: it is not typed as here. */
function asKith(command: string): string {
  return `kith ${command}`;
}
