/** PostgreSQL with pgvector as WebAssembly (PGlite), behind a socket: the same engine, spoken to over the wire. */
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  readonly database: PGlite;
}

/** @param withVector false: a server that has no pgvector */
export async function startPostgres(withVector = true): Promise<TestPostgres> {
  const database = await PGlite.create(withVector ? { extensions: { vector } } : {});
  const server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1', maxConnections: 8 });
  await server.start();
  return {
    url: `postgres://postgres:planted-password@${server.getServerConn()}/postgres`,
    database,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await database.close();
    },
  };
}
