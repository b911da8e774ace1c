/**
 * A small Internet in network namespaces of Linux: a public net with a bridge, relays on it, and homes behind real NATs
 * (nftables masquerade, nothing comes in that did not go out first).
 *
 * Addresses of the public net are ones that no library takes for private, which the test ranges of RFC 5737 are. Nothing
 * of it is connected to the machine's own network.
 *
 * @module test/nat/lab
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How a NAT chooses the port: the one that the host uses, if free, or a random one for each destination (symmetric).
 * `forwarding` is the first with a router that maps ports for who asks it by UPnP.
 */
export type NatKind = 'preserving' | 'symmetric' | 'forwarding';

export interface Home {
  readonly name: string;
  /** Namespace of the host behind the NAT. */
  readonly space: string;
  /** Address of the host, private. */
  readonly address: string;
  /** Address of the NAT, public. */
  readonly outside: string;
}

/** A host on a local network with others: no router, no way out. */
export interface Neighbour {
  readonly space: string;
  readonly ip4: string;
  readonly ip6: string;
}

export interface Server {
  readonly name: string;
  readonly space: string;
  readonly address: string;
}

function command(program: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', input });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

const IGD = '/usr/sbin/miniupnpd';
const INSTALL_IGD = 'apt-get install -y --no-install-recommends miniupnpd-nftables';

/** Why there can be no router with UPnP here, with the command that helps; null when there can. */
export function whyNoIgd(): string | null {
  return existsSync(IGD) ? null : `the program miniupnpd is missing. To have it: ${INSTALL_IGD}`;
}

/** Only asked for by name: it changes the machine. */
export function installIgd(): void {
  if (!existsSync(IGD)) command('sh', ['-c', `DEBIAN_FRONTEND=noninteractive ${INSTALL_IGD}`]);
}

/** Why this machine cannot have the lab; null when it can. */
export function whyNot(): string | null {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const [program, where] of [
    ['ip', 'the package iproute2'],
    ['nft', 'the package nftables'],
  ] as const)
    if (spawnSync(program, ['-V']).error !== undefined) return `the program ${program} is missing (${where})`;
  try {
    const lab = new Lab('kith-try');
    try {
      lab.home('x', 1, 'preserving');
    } finally {
      lab.close();
    }
  } catch (error) {
    return `the kernel refuses: ${(error as Error).message}`;
  }
  return null;
}

export class Lab {
  readonly #prefix: string;
  readonly #spaces: string[] = [];
  readonly #daemons: ChildProcess[] = [];
  readonly #folders: string[] = [];
  readonly #net: string;
  #links = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#net = this.#space('net');
    this.#in(this.#net, 'link', 'add', 'br0', 'type', 'bridge');
    this.#in(this.#net, 'link', 'set', 'br0', 'up');
  }

  #space(name: string): string {
    const space = `${this.#prefix}-${name}`;
    // One that an earlier run left behind when it was killed.
    spawnSync('ip', ['netns', 'del', space]);
    command('ip', ['netns', 'add', space]);
    this.#spaces.push(space);
    this.#in(space, 'link', 'set', 'lo', 'up');
    return space;
  }

  #in(space: string, ...args: string[]): void {
    command('ip', ['-n', space, ...args]);
  }

  /** A cable between two namespaces; each end gets its name there. */
  #cable(a: string, aName: string, b: string, bName: string): void {
    const [left, right] = [
      `kv${process.pid % 10_000}a${this.#links}`,
      `kv${process.pid % 10_000}b${this.#links}`,
    ];
    this.#links++;
    command('ip', ['link', 'add', left, 'type', 'veth', 'peer', 'name', right]);
    for (const [end, space, name] of [
      [left, a, aName],
      [right, b, bName],
    ] as const) {
      command('ip', ['link', 'set', end, 'netns', space]);
      this.#in(space, 'link', 'set', end, 'name', name);
      this.#in(space, 'link', 'set', name, 'up');
    }
  }

  #attach(space: string, port: string, address: string): void {
    this.#cable(space, 'wan', this.#net, port);
    this.#in(this.#net, 'link', 'set', port, 'master', 'br0');
    this.#in(space, 'address', 'add', `${address}/24`, 'dev', 'wan');
  }

  server(name: string, number: number): Server {
    const space = this.#space(name);
    const address = `45.83.0.${number}`;
    this.#attach(space, `s${number}`, address);
    return { name, space, address };
  }

  home(name: string, number: number, kind: NatKind): Home {
    const router = this.#space(`${name}-nat`);
    const space = this.#space(name);
    const outside = `45.83.0.${100 + number}`;
    const lan = `10.77.${number}`;
    this.#attach(router, `n${number}`, outside);
    this.#cable(router, 'lan', space, 'eth0');
    this.#in(router, 'address', 'add', `${lan}.1/24`, 'dev', 'lan');
    this.#in(space, 'address', 'add', `${lan}.2/24`, 'dev', 'eth0');
    this.#in(space, 'route', 'add', 'default', 'via', `${lan}.1`);
    command('ip', ['netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    command(
      'ip',
      ['netns', 'exec', router, 'nft', '-f', '-'],
      kind === 'forwarding' ? FORWARDING : natRules(kind),
    );
    if (kind === 'forwarding') this.#startIgd(router);
    return { name, space, address: `${lan}.2`, outside };
  }

  /** The router's own program that maps ports for who asks by UPnP. */
  #startIgd(router: string): void {
    const folder = mkdtempSync(join(tmpdir(), 'kith-igd-'));
    this.#folders.push(folder);
    const file = join(folder, 'miniupnpd.conf');
    writeFileSync(
      file,
      [
        'ext_ifname=wan',
        'listening_ip=lan',
        'http_port=5000',
        'enable_upnp=yes',
        'enable_natpmp=no',
        'secure_mode=yes',
        'system_uptime=yes',
        'uuid=8ab1ee2a-3c04-4d0e-9d0b-6c0c7b1d2f01',
        `lease_file=${join(folder, 'leases')}`,
        'allow 1024-65535 0.0.0.0/0 1024-65535',
        'deny 0-65535 0.0.0.0/0 0-65535',
        '',
      ].join('\n'),
    );
    const args = ['netns', 'exec', router, IGD, '-d', '-f', file, '-P', join(folder, 'pid')];
    this.#daemons.push(spawn('ip', args, { stdio: 'ignore' }));
  }

  /** The router's rules that lead from outside to a host behind it. */
  forwards(home: string): string {
    const rules = command('ip', ['netns', 'exec', `${this.#prefix}-${home}-nat`, 'nft', 'list', 'ruleset']);
    return rules
      .split('\n')
      .filter((line) => line.includes('dnat'))
      .map((line) => line.trim())
      .join('; ');
  }

  /** Hosts on one local network of their own, with private addresses of both kinds. */
  neighbours(count: number): Neighbour[] {
    const hub = this.#space('hub');
    this.#in(hub, 'link', 'add', 'br0', 'type', 'bridge');
    this.#in(hub, 'link', 'set', 'br0', 'up');
    return Array.from({ length: count }, (_, i) => {
      const space = this.#space(`lan${i}`);
      const [ip4, ip6] = [`192.168.88.${i + 1}`, `fd00:88::${i + 1}`];
      this.#cable(space, 'eth0', hub, `h${i}`);
      this.#in(hub, 'link', 'set', `h${i}`, 'master', 'br0');
      this.#in(space, 'address', 'add', `${ip4}/24`, 'dev', 'eth0');
      this.#in(space, 'address', 'add', `${ip6}/64`, 'dev', 'eth0', 'nodad');
      this.#in(space, 'route', 'add', 'default', 'dev', 'eth0');
      return { space, ip4, ip6 };
    });
  }

  /** Bytes that have come and gone at a server. */
  traffic({ space }: Server): number {
    const text = command('ip', ['netns', 'exec', space, 'cat', '/proc/net/dev']);
    const fields = /wan:\s*(.*)/.exec(text)![1]!.trim().split(/\s+/);
    return Number(fields[0]) + Number(fields[8]);
  }

  close(): void {
    // `ip netns exec` becomes the program it runs, so that this ends the program itself.
    for (const daemon of this.#daemons.splice(0)) daemon.kill('SIGKILL');
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    for (const space of this.#spaces.splice(0).reverse()) spawnSync('ip', ['netns', 'del', space]);
  }
}

function natRules(kind: NatKind): string {
  return `table ip nat {
    chain out {
      type nat hook postrouting priority srcnat; policy accept;
      oifname "wan" masquerade ${kind === 'symmetric' ? 'fully-random' : ''}
    }
  }
  table inet filter {
    chain forward {
      type filter hook forward priority filter; policy drop;
      iifname "lan" accept
      ct state established,related accept
    }
    chain input {
      type filter hook input priority filter; policy drop;
      ct state established,related accept
    }
  }`;
}

/** The chains that miniupnpd expects, by the names that it has for them. */
const FORWARDING = `table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "lan" accept
    ct state established,related accept
    jump miniupnpd
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lan" accept
    iifname "lo" accept
    ct state established,related accept
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    jump postrouting_miniupnpd
    oifname "wan" masquerade
  }
}`;

/** What of the machine stands beside the figures. */
export function machine(): string {
  const model = /model name\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  return `${model}, Node ${process.versions.node}`;
}
