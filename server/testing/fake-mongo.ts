import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { BSON } from 'mongodb'

/** What a command is answered; `undefined` for an empty success. */
export type Answer = (command: string) => Record<string, unknown> | undefined

const REPLY = 1
const QUERY = 2004
const MESSAGE = 2013

/** Speaks as much of MongoDB's protocol as it takes to refuse something as a real server does. */
export async function startFakeMongo(answer: Answer): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>()
  const listener = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    let rest = Buffer.alloc(0)
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 16 && rest.length >= rest.readInt32LE(0)) {
        const length = rest.readInt32LE(0)
        socket.write(replyTo(rest.subarray(0, length), answer))
        rest = rest.subarray(length)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    url: `mongodb://127.0.0.1:${(listener.address() as AddressInfo).port}/keruta`,
    close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function replyTo(message: Buffer, answer: Answer): Buffer {
  const [id, kind] = [message.readInt32LE(4), message.readInt32LE(12)]
  // The first question of a connection is an old-fashioned one.
  const start = kind === QUERY ? message.indexOf(0, 20) + 9 : 21
  const asked = BSON.deserialize(message.subarray(start, start + message.readInt32LE(start)))
  const command = Object.keys(asked)[0]!
  const body = BSON.serialize({ ok: 1, ...(answer(command) ?? standard(command)) })
  const head = kind === QUERY ? Buffer.alloc(20) : Buffer.alloc(5)
  if (kind === QUERY) head.writeInt32LE(1, 16)
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + head.length + body.length, 0)
  header.writeInt32LE(id, 8)
  header.writeInt32LE(kind === QUERY ? REPLY : MESSAGE, 12)
  return Buffer.concat([header, head, body])
}

function standard(command: string): Record<string, unknown> {
  if (/^(hello|ismaster)$/i.test(command))
    return {
      ismaster: true,
      isWritablePrimary: true,
      maxWireVersion: 21,
      minWireVersion: 0,
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
    }
  return /^(find|listCollections)$/.test(command)
    ? { cursor: { id: BSON.Long.ZERO, ns: 'keruta.x', firstBatch: [] } }
    : {}
}
