/**
 * Knowledge bases of a node over HTTP, and a folder of notes in several formats.
 *
 * @module test/knowledge/rag-support
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobView } from '../../src/server/index.ts';

export interface Rag {
  <T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The answer as it comes. */
  raw(method: string, path: string, init?: RequestInit): Promise<Response>;
  ended(job: JobView): Promise<JobView>;
}

export async function ragOf(node: { readonly url: string }, home: string): Promise<Rag> {
  const { token } = JSON.parse(await readFile(join(home, 'run', 'node.json'), 'utf8')) as { token: string };
  const raw: Rag['raw'] = (method, path, init = {}) =>
    fetch(`${node.url}/api/rag/kbs${path}`, {
      method,
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await raw(
      method,
      path,
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    );
    const told = (await response.json()) as T;
    assert.equal(response.status, 200, JSON.stringify(told));
    return told;
  };
  const ended = async (job: JobView): Promise<JobView> => {
    for (let now = job; ; ) {
      if (now.state !== 'waiting' && now.state !== 'running') return now;
      now = await ask<JobView>('GET', `/${now.kb}/jobs/${now.id}?seen=${now.step}`);
    }
  };
  return Object.assign(ask, { raw, ended });
}

/** Markdown, HTML, CSV, text in a folder below, and a file that nobody can read. */
export async function writeNotes(folder: string): Promise<void> {
  await mkdir(join(folder, 'trips'), { recursive: true });
  const files: Readonly<Record<string, string>> = {
    'tea.md': '---\ntags: [kitchen]\n---\n# Green tea\n\nSteep green tea at 70 degrees for two minutes.\n',
    'car.html':
      '<html><head><title>Car</title></head><body><h1>Service</h1><p>The automobile needs new brake pads in March.</p></body></html>',
    'costs.csv': 'item,price\nkettle,40\nbrakes,220\n',
    'trips/lisbon.txt': 'In Lisbon we stayed near the river and took tram 28 up the hill.\n',
    'broken.pdf': '%PDF-1.7 and nothing else',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
