import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from './random.ts'

/**
 * A bad network between clients and the server: connections are cut after a random number of bytes, in the middle of frames; what
 * passes is split at random places, and now and then held up.
 */
export class BadNetwork {
  readonly #server: Server
  readonly #target: () => string
  readonly #random: Random
  readonly #sockets = new Set<Socket>()
  /** While false everything passes as it is. */
  bad = true
  cuts = 0

  private constructor(target: () => string, random: Random) {
    this.#target = target
    this.#random = random
    this.#server = createServer({ allowHalfOpen: false }, client => this.#join(client))
  }

  /** @param target address of the server that stands behind it now */
  static async start(target: () => string, random: Random): Promise<BadNetwork> {
    const network = new BadNetwork(target, random)
    network.#server.listen(0, '127.0.0.1')
    await once(network.#server, 'listening')
    return network
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  async stop(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    const server = connect(Number(new URL(this.#target()).port), '127.0.0.1')
    const cut = () => {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    // Most live for some frames of any size, some for less than one.
    const life = {
      bytes: this.#random.next() < 0.3 ? this.#random.int(200, 20_000) : this.#random.int(20_000, 1_500_000),
    }
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      void this.#pass(from, to, life, cut)
    }
  }

  async #pass(from: Socket, to: Socket, life: { bytes: number }, cut: () => void): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (let rest = chunk; rest.length > 0; ) {
          const size = this.bad ? Math.min(rest.length, this.#random.int(1, 40_000)) : rest.length
          let piece = rest.subarray(0, size)
          rest = rest.subarray(size)
          if (this.bad && this.#random.next() < 0.02) await this.#stall()
          const dies = this.bad && piece.length >= life.bytes
          if (dies) piece = piece.subarray(0, life.bytes)
          life.bytes -= piece.length
          if (!to.write(piece)) await once(to, 'drain')
          if (!dies) continue
          this.cuts++
          return cut()
        }
      }
      to.end()
    } catch {
      to.destroy() // the other side is gone
    }
  }

  #stall(): Promise<void> {
    return new Promise(resolve => setTimeout(resolve, this.#random.int(1, 150)))
  }
}
