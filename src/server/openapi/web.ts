/**
 * The page in the document: its addresses and its files.
 *
 * @module server/openapi/web
 */
import { pagePaths } from '../web/pages.ts';
import { type Answer, type Api, json, type Operation, pathParameter } from './operation.ts';
import { type Schema, string } from './schema.ts';

const texts = (...types: readonly string[]) =>
  Object.fromEntries(types.map((type) => [type, { schema: string }]));

/** Bytes have no schema: the content type says what they are. */
const bytes: Schema = {};
const unchanged: Answer = { description: 'What the client has is still so.' };

function page(path: string): Operation {
  const braced = path.replace(/:(\w+)/g, '{$1}');
  const words = path.match(/\w+/g) ?? ['home'];
  return {
    method: 'get',
    path: braced,
    id: `page${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}`,
    summary: 'The page of the node',
    scope: 'read',
    parameters: braced === path ? [] : [pathParameter('id', 'What the page shows there.')],
    answers: {
      '200': {
        description: 'The page for browsers, a line of text for other programs.',
        content: texts('text/html', 'text/plain'),
      },
      '304': unchanged,
      '503': {
        description: 'The page is not built here (browsers are told how), or the node is stopping.',
        content: { ...texts('text/html'), ...json({ $ref: '#/components/schemas/OpenAiError' }) },
        headers: ['retry-after', 'retry-after-ms'],
      },
    },
    error: 'OpenAiError',
  };
}

const file = (path: string, name: string, id: string): Operation => ({
  method: 'get',
  path,
  id,
  summary: 'A file of the page',
  scope: 'read',
  parameters: [pathParameter(name, 'Name of the file.')],
  answers: {
    '200': {
      description: 'The file.',
      content: {
        ...texts('text/html', 'text/plain', 'text/css', 'text/javascript', 'image/svg+xml'),
        'image/png': { schema: bytes },
        'image/x-icon': { schema: bytes },
        'font/woff2': { schema: bytes },
      },
    },
    '304': unchanged,
  },
  error: 'OpenAiError',
});

export const webApi: Api = {
  tag: 'Page',
  description: 'The page that the node serves to browsers.',
  schemas: {},
  operations: [
    ...pagePaths.map(page),
    file('/{file}', 'file', 'pageFile'),
    file('/assets/{path}', 'path', 'pageAsset'),
  ],
};
