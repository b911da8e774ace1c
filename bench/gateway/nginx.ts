/** nginx twice: as the server that answers at once, and as the gateway that every other is held against. @module bench/gateway/nginx */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cores, folder, freePort, type Pinned, startPinned } from './pinned.ts';

async function startNginx(core: number, name: string, http: (port: number) => string): Promise<Pinned> {
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join(' ');
  const conf = join(folder, `${name}.conf`);
  writeFileSync(
    conf,
    `daemon off; master_process off; pid ${join(folder, `${name}.pid`)}; error_log /dev/null crit;
events { worker_connections 4096; }
http {
  access_log off; ${temporary}
  client_max_body_size 4m; client_body_buffer_size 4m;
  keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
  ${http(port)}
}
`,
  );
  return startPinned(core, port, ['nginx', '-c', conf, '-p', folder]);
}

/** Answers every request at once with the same JSON. */
export function startAnswering(answer: string): Promise<Pinned> {
  const quoted = answer.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('$', '');
  return startNginx(
    cores.others,
    'answering',
    (port) =>
      `server { listen 127.0.0.1:${port} backlog=4096; default_type application/json; location / { return 200 '${quoted}'; } }`,
  );
}

/** Passes everything on. */
export function startPassing(upstream: number): Promise<Pinned> {
  return startNginx(
    cores.gateway,
    `passing-${upstream}`,
    (port) => `
  upstream one { server 127.0.0.1:${upstream}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://one; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }`,
  );
}
