import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestServer } from '#server/testing/test-server.ts'

/** A load balancer for TCP: each connection goes to the next server that takes it; with `sticky` all of a client to the same. */
export class Balancer {
  readonly #listener: Server
  readonly #servers: TestServer[]
  readonly #sticky: boolean
  readonly #sockets = new Set<Socket>()
  #next = 0
  /** How many connections each server got. */
  readonly taken: number[]

  private constructor(servers: TestServer[], sticky: boolean) {
    this.#servers = servers
    this.#sticky = sticky
    this.taken = servers.map(() => 0)
    this.#listener = createServer(client => this.#join(client, this.#servers.length))
  }

  static async start(servers: TestServer[], { sticky = false } = {}): Promise<Balancer> {
    const balancer = new Balancer(servers, sticky)
    balancer.#listener.listen(0, '127.0.0.1')
    await once(balancer.#listener, 'listening')
    return balancer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as { port: number }).port}`
  }

  /** Ends all connections; who comes again meets the next server. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.#listener.close()
    this.cut()
    await once(this.#listener, 'close')
  }

  #join(client: Socket, tries: number): void {
    const index = this.#sticky ? this.#next : this.#next++ % this.#servers.length
    const server = connect(Number(new URL(this.#servers[index]!.url).port), '127.0.0.1')
    this.#sockets.add(client)
    let connected = false
    client.on('error', () => {})
    client.on('close', () => {
      this.#sockets.delete(client)
      server.destroy()
    })
    server.on('connect', () => {
      connected = true
      this.taken[index]!++
      client.pipe(server)
      server.pipe(client)
      server.on('close', () => client.destroy())
    })
    server.on('error', () => {
      if (!connected && tries > 1 && !client.destroyed) this.#join(client, tries - 1)
      else client.destroy()
    })
  }
}
