import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { MongoClient } from 'mongodb'
import type { TestMongo } from './mongo-server.ts'

/**
 * A real server behind a proxy, so that it can be out of reach for a while: cut off as by `kill`, though what it was doing goes on.
 * The first host of the URL must be the primary, and without TLS. Databases get names of their own and are dropped in the end.
 */
export class RealMongo implements TestMongo {
  readonly #url: string
  readonly #prefix = `keruta-test-${randomUUID().slice(0, 8)}-`
  readonly #databases = new Set<string>()
  readonly #sockets = new Set<Socket>()
  #proxy: Server | undefined
  #port = 0

  private constructor(url: string) {
    this.#url = url
  }

  static async start(url: string): Promise<RealMongo> {
    const mongo = new RealMongo(url)
    await mongo.start()
    return mongo
  }

  url(database: string, options = ''): string {
    this.#databases.add(this.#prefix + database)
    const { credentials, parameters } = partsOf(this.#url)
    // It would name its own address, past the proxy.
    const direct = parameters.filter(name => !/^(replicaSet|directConnection)=/i.test(name))
    const all = [...direct, 'directConnection=true', ...(options ? [options.slice(1)] : [])]
    return `mongodb://${credentials}127.0.0.1:${this.#port}/${this.#prefix}${database}?${all.join('&')}`
  }

  async start(): Promise<void> {
    const { host, port } = partsOf(this.#url)
    const proxy = createServer(inner => {
      const outer = connect(port, host)
      for (const [one, other] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => one.destroy())
        one.on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
        one.pipe(other)
      }
    })
    this.#proxy = proxy
    proxy.listen(this.#port, '127.0.0.1')
    await once(proxy, 'listening')
    this.#port = (proxy.address() as { port: number }).port
  }

  async kill(): Promise<void> {
    const proxy = this.#proxy
    this.#proxy = undefined
    if (!proxy) return
    const closed = once(proxy, 'close')
    proxy.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async dispose(): Promise<void> {
    await this.kill()
    const client = await MongoClient.connect(this.#url)
    for (const database of this.#databases) await client.db(database).dropDatabase()
    await client.close()
  }
}

function partsOf(url: string) {
  const found = /^mongodb:\/\/([^/@]*@)?([^/:,?]+)(?::(\d+))?[^/?]*(?:\/[^?]*)?(?:\?(.*))?$/.exec(url)
  if (!found)
    throw new Error('KERUTA_TEST_MONGODB_URL must be mongodb://host:port, with a database or without')
  const [, credentials = '', host = '', port = '27017', query = ''] = found
  return { credentials, host, port: Number(port), parameters: query.split('&').filter(Boolean) }
}
