/**
 * TLS whose pieces leave together. The library hands each piece of a frame (the muxer's 12 bytes, ours, the payload) to the
 * socket by itself, which makes of each a record and a system call, here and at the peer's. Between cork and uncork the socket
 * takes them as one. Where the library's insides change, nothing is corked and all else stays.
 *
 * @module swarm/libp2p/corked
 */
import type { ConnectionEncrypter } from '@libp2p/interface';
import { tls } from '@libp2p/tls';

interface Writing {
  socket?: { cork?(): void; uncork?(): void };
  sendData?(data: unknown): unknown;
  stream?: Writing;
}

function cork(connection: Writing | undefined): void {
  const socket = connection?.socket;
  const send = connection?.sendData;
  if (connection === undefined || typeof socket?.cork !== 'function' || typeof send !== 'function') return;
  connection.sendData = (data) => {
    socket.cork!();
    try {
      return send.call(connection, data);
    } finally {
      socket.uncork!();
    }
  };
}

export function corkedTls(): (components: Parameters<ReturnType<typeof tls>>[0]) => ConnectionEncrypter {
  const make = tls();
  return (components) => {
    const encrypter = make(components);
    for (const name of ['secureInbound', 'secureOutbound'] as const) {
      const secure = encrypter[name].bind(encrypter) as ConnectionEncrypter['secureInbound'];
      encrypter[name] = (async (...args: Parameters<typeof secure>) => {
        const secured = await secure(...args);
        const connection = secured.connection as unknown as Writing;
        cork(connection);
        cork(connection.stream);
        return secured;
      }) as never;
    }
    return encrypter;
  };
}
