/**
 * A small Internet in network namespaces of Linux: a public net with a bridge, relays on it, and homes behind real NATs
 * (nftables masquerade, nothing comes in that did not go out first).
 *
 * Addresses of the public net are ones that no library takes for private, which the test ranges of RFC 5737 are. Nothing
 * of it is connected to the machine's own network.
 *
 * @module test/nat/lab
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How a NAT chooses the port: the one that the host uses, if free, or a random one for each destination (symmetric). */
export type NatKind = 'preserving' | 'symmetric';

export interface Home {
  readonly name: string;
  /** Namespace of the host behind the NAT. */
  readonly space: string;
  /** Address of the host, private. */
  readonly address: string;
  /** Address of the NAT, public. */
  readonly outside: string;
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
      `table ip nat {
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
      }`,
    );
    return { name, space, address: `${lan}.2`, outside };
  }

  /** Bytes that have come and gone at a server. */
  traffic({ space }: Server): number {
    const text = command('ip', ['netns', 'exec', space, 'cat', '/proc/net/dev']);
    const fields = /wan:\s*(.*)/.exec(text)![1]!.trim().split(/\s+/);
    return Number(fields[0]) + Number(fields[8]);
  }

  close(): void {
    for (const space of this.#spaces.splice(0).reverse()) spawnSync('ip', ['netns', 'del', space]);
  }
}

/** What of the machine stands beside the figures. */
export function machine(): string {
  const model = /model name\s*:\s*(.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  return `${model}, Node ${process.versions.node}`;
}
