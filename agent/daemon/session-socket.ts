import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import type { SessionClientFrame, SessionServerFrame } from '#protocol/session-frames.ts'
import { backoffMs } from '../delivery/backoff.ts'

export interface SessionSocketOptions {
  /** `ws://host/ws/sessions/{id}` */
  url: string
  token: string | undefined
  hello: Omit<Extract<SessionClientFrame, { type: 'hello' }>, 'type'>
  /** Longest wait between two attempts to connect. */
  reconnectMs: number
  on: {
    /** Something has happened that asking for a task will show; also after each connection, as news may have been missed. */
    news(): void
    /** The session's status, and again whenever it is another one. */
    session(status: SessionStatus): void
    connected(): void
    disconnected(reason: string): void
  }
}

type SessionStatus = Extract<SessionServerFrame, { type: 'session' }>['status']

const SILENCE_MS = 45_000
const PING_MS = 15_000

/** The connection on which a daemon waits for work. It comes back by itself. */
export class SessionSocket {
  readonly #options: SessionSocketOptions
  #socket: WebSocket | undefined
  #heardAt = 0
  #attempt = 0
  #connected = false
  #stopped = false
  #status: SessionStatus | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #watch: NodeJS.Timeout

  constructor(options: SessionSocketOptions) {
    this.#options = options
    this.#watch = setInterval(() => this.#check(), PING_MS)
    this.#connect()
  }

  get connected(): boolean {
    return this.#connected
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearInterval(this.#watch)
    this.#socket?.terminate()
  }

  #connect(): void {
    const { url, token, hello } = this.#options
    this.#attempt++
    const socket = new WebSocket(url, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
      maxPayload: 64 * 1024,
    })
    this.#socket = socket
    let reason = 'failed'
    socket.on('open', () => {
      this.#heardAt = performance.now()
      socket.send(JSON.stringify({ type: 'hello', ...hello } satisfies SessionClientFrame))
    })
    socket.on('message', data => this.#onFrame(socket, String(data)))
    socket.on('ping', () => {
      this.#heardAt = performance.now()
    })
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      response.resume()
      reason = `the server answered ${response.statusCode}`
      socket.terminate()
    })
    socket.on('error', error => {
      reason = error.message || ((error as NodeJS.ErrnoException).code ?? reason)
    })
    socket.on('close', code => {
      this.#onClose(code === 1006 ? reason : `closed with ${code}`)
    })
  }

  #onFrame(socket: WebSocket, text: string): void {
    this.#heardAt = performance.now()
    const frame = parse(text)
    const { on } = this.#options
    if (frame?.type === 'ping') socket.send(JSON.stringify({ type: 'pong' } satisfies SessionClientFrame))
    if (frame?.type === 'session' && !this.#connected) {
      this.#connected = true
      this.#attempt = 0
      on.connected()
    }
    if (frame?.type === 'session' && frame.status !== this.#status) {
      this.#status = frame.status
      on.session(frame.status)
    }
    if (frame?.type === 'work' || frame?.type === 'session') on.news()
  }

  #onClose(reason: string): void {
    const { on } = this.#options
    if (this.#stopped) return
    if (this.#connected) {
      this.#connected = false
      on.disconnected(reason)
      // Its token may have been revoked, or the session deleted.
      on.news()
    }
    this.#timer = setTimeout(
      () => this.#connect(),
      backoffMs(this.#attempt + 1, this.#options.reconnectMs, Math.random()),
    )
  }

  #check(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    if (performance.now() - this.#heardAt > SILENCE_MS) this.#socket.terminate()
    else this.#socket.send(JSON.stringify({ type: 'ping' } satisfies SessionClientFrame))
  }
}

function parse(text: string): SessionServerFrame | undefined {
  try {
    return JSON.parse(text) as SessionServerFrame
  } catch {
    return undefined
  }
}
