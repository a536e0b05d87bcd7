import { fstatSync } from 'node:fs'
import type { Socket } from 'node:net'

const END_OF_FILE = '\u0004'

/** A child's stdin, where this process holds its other end. */
export class ChildInput {
  /** Where the child's end is found among a process's descriptors. */
  readonly identity: { dev: number; ino: number; rdev?: number }
  readonly #socket: Socket
  readonly #isTerminal: boolean
  #gone: string | undefined
  #lineOpen = false

  /** @param childFd the child's end, still open here */
  constructor(socket: Socket, childFd: number, isTerminal: boolean) {
    const { dev, ino, rdev } = fstatSync(childFd)
    this.identity = isTerminal ? { dev, ino, rdev } : { dev, ino }
    this.#socket = socket
    this.#isTerminal = isTerminal
    socket.on('error', () => {
      this.#gone ??= 'it has closed its input'
    })
    socket.on('close', () => {
      this.#gone ??= 'it has ended'
    })
  }

  /**
   * Resolves when the child can read it; that takes until it reads where 64 KiB wait already.
   * @throws Error that says why it takes nothing any more
   */
  async write(bytes: string | Buffer): Promise<void> {
    if (bytes.length === 0) return
    this.#lineOpen = bytes.at(-1) !== '\n' && bytes.at(-1) !== 10
    await this.#send(bytes)
  }

  /** The end of the input; in a terminal, that of what the child reads now. */
  async end(): Promise<void> {
    // After an open line the first only hands that line over.
    if (this.#isTerminal) return this.#send(END_OF_FILE.repeat(this.#lineOpen ? 2 : 1))
    await this.#send('')
    this.#gone = 'its input has ended'
    this.#socket.end()
  }

  /** The child has ended. */
  destroy(): void {
    this.#gone ??= 'it has ended'
    this.#socket.destroy()
  }

  #send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new Error(this.#gone ?? 'it has closed its input'))
      if (this.#gone) return refuse()
      this.#socket.once('close', refuse)
      this.#socket.write(bytes, error => {
        this.#socket.off('close', refuse)
        if (error) refuse()
        else resolve()
      })
    })
  }
}
