import type { IncomingMessage } from 'node:http'
import { loadavg } from 'node:os'
import { WebSocket } from 'ws'
import type { ClientFrame, ServerFrame } from '#protocol/frames.ts'

/** Text frames from the server that matter to a sender. */
export type AnswerFrame = Extract<
  ServerFrame,
  { type: 'welcome' | 'ack' | 'complete' | 'error' | 'cancel' | 'input' | 'ping' }
>

export interface ConnectionEvents {
  open(): void
  frame(frame: AnswerFrame): void
  /** Called once. `status` where the server answered the upgrade with something else than a WebSocket. */
  closed(reason: string, status?: number): void
}

const SILENCE_MS = 45_000
/** A server that knows of the run counts it as lost where it hears nothing for 40 s. */
const HEARTBEAT_MS = 10_000
const CONNECT_MS = 10_000

/** One WebSocket to the server. A connection on which nothing is heard for 45 s is dead. */
export class Connection {
  readonly #socket: WebSocket
  readonly #events: ConnectionEvents
  readonly #timer: NodeJS.Timeout
  #heardAt = performance.now()
  #closed = false

  constructor(url: string, token: string | undefined, events: ConnectionEvents) {
    this.#events = events
    this.#socket = new WebSocket(url, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      perMessageDeflate: false,
      handshakeTimeout: CONNECT_MS,
      maxPayload: 1024 * 1024,
      // Masking protects proxies from browsers' scripts; a key of zeros saves a pass over every byte on both sides.
      generateMask: mask => mask.fill(0),
    })
    this.#socket.on('open', () => events.open())
    this.#socket.on('message', (data, isBinary) => {
      this.#heardAt = performance.now()
      const frame = isBinary ? undefined : parse(String(data))
      if (frame?.type === 'ping') this.sendFrame({ type: 'pong' })
      else if (frame) events.frame(frame)
    })
    this.#socket.on('ping', () => {
      this.#heardAt = performance.now()
    })
    this.#socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      response.resume()
      this.#close(`the server answered ${response.statusCode}`, response.statusCode)
    })
    this.#socket.on('error', error =>
      this.#close(error.message || (error as NodeJS.ErrnoException).code || 'failed'),
    )
    this.#socket.on('close', (code, reason) => this.#close(`closed with ${code} ${reason}`.trim()))
    this.#timer = setInterval(() => this.#check(), HEARTBEAT_MS)
  }

  sendFrame(frame: ClientFrame): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame))
  }

  /** @param written called when the memory may be used again; not called where the connection fails */
  sendBytes(bytes: Buffer, written: () => void): void {
    this.#socket.send(bytes, { binary: true }, error => {
      if (!error) written()
    })
  }

  /** Says that the agent lives. */
  beat(): void {
    const { user, system } = process.cpuUsage()
    const usage = {
      rssBytes: process.memoryUsage.rss(),
      cpuMs: Math.round((user + system) / 1000),
      loadAverage: loadavg()[0]!,
    }
    this.sendFrame({ type: 'heartbeat', usage })
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#socket.close()
    // The server's half of the goodbye must not hold the process.
    setTimeout(() => this.#socket.terminate(), 200).unref()
  }

  #check(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (performance.now() - this.#heardAt > SILENCE_MS)
      this.#close('nothing was heard from the server for 45 s')
    else this.beat()
  }

  #close(reason: string, status?: number): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    this.#socket.terminate()
    this.#events.closed(reason, status)
  }
}

const isPosition = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

function parse(text: string): AnswerFrame | undefined {
  let frame: AnswerFrame
  try {
    frame = JSON.parse(text) as AnswerFrame
  } catch {
    return undefined
  }
  switch (frame?.type) {
    case 'welcome':
    case 'ack':
    case 'complete':
      return typeof frame.streamId === 'string' && isPosition(frame.n) ? frame : undefined
    case 'error':
      return typeof frame.code === 'string' && (frame.n === undefined || isPosition(frame.n))
        ? frame
        : undefined
    case 'input':
      return typeof frame.id === 'string' && typeof frame.text === 'string' ? frame : undefined
    case 'cancel':
    case 'ping':
      return frame
    default:
      return undefined
  }
}
