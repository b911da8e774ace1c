/**
 * Takes the address and port, with errors that say what to do.
 *
 * @module server/listen
 */
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KithError } from '../base/index.ts';

/** Returns the port that was taken. Throws `port_in_use`, `port_refused` or `listen_failed`. */
export function listen(http: HttpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(failure(error, host, port));
    http.once('error', onError);
    http.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      http.off('error', onError);
      resolve((http.address() as AddressInfo).port);
    });
  });
}

/** Address under which this machine reaches the node. A wildcard address can be listened on, but not always called. */
export function urlOf(host: string, port: number, secure: boolean): string {
  const bare = host.replace(/^\[|\]$/g, '');
  const name = bare === '0.0.0.0' ? '127.0.0.1' : bare === '::' ? '::1' : bare;
  return `${secure ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function failure(error: NodeJS.ErrnoException, host: string, port: number): KithError {
  if (error.code === 'EADDRINUSE') {
    return new KithError(
      'port_in_use',
      `Port ${port} on ${host} is taken by another program. Choose another one with --port N (or \`kith config set server.port N\`).`,
      { status: 500, param: 'server.port', cause: error },
    );
  }
  if (error.code === 'EACCES') {
    return new KithError(
      'port_refused',
      `The system does not allow port ${port}. Choose one above 1023 with --port N.`,
      { param: 'server.port', cause: error },
    );
  }
  return new KithError('listen_failed', `Cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
  });
}
