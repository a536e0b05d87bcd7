import { isUtf8 } from 'node:buffer'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { decodeSegmentFrame } from '#protocol/segment-frame.ts'

/** What a test makes the server do with a segment before it is stored; `undefined`: store it. */
export type Fault =
  | { kind: 'cut' }
  | { kind: 'ignore' }
  | { kind: 'error'; code: string; retryAfterMs?: number }
  /** Stores only so many of its lines. */
  | { kind: 'part'; lines: number }

export interface ReceivedCall {
  method: string
  path: string
  body: Record<string, unknown>
  authorization: string | undefined
}

/** A server as an agent sees it from outside: it speaks the protocol over real sockets, and fails as it is told to. */
export class FakeServer {
  readonly calls: ReceivedCall[] = []
  readonly entries = new Map<string, LogEntry[]>()
  readonly ended = new Map<string, number>()
  readonly frames: number[] = []
  /** Inputs that the agent says it has. */
  readonly taken: string[] = []
  /** Asked for every segment. */
  fault: (nth: number, taskId: string) => Fault | undefined = () => undefined
  /** Asked for every call; a number is answered as a status. */
  answer: (call: ReceivedCall) => number | undefined = () => undefined
  /** What a task that is asked for looks like. */
  task: Record<string, unknown> = {}
  /** Segments that were answered with an error. */
  refused = 0
  /** Status at which upgrades are refused. */
  refuseUpgrade: number | undefined
  readonly #stored = new Map<string, number>()
  readonly #sockets = new Set<WebSocket>()
  readonly #http: Server
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  #segments = 0

  private constructor() {
    this.#http = createServer((request, response) => void this.#onRequest(request, response))
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.refuseUpgrade !== undefined)
        return void socket.end(`HTTP/1.1 ${this.refuseUpgrade} No\r\nContent-Length: 0\r\n\r\n`)
      this.#webSockets.handleUpgrade(request, socket, head, ws =>
        this.#onSocket(ws, request.url!.split('/').at(-1)!),
      )
    })
  }

  static async start(port = 0): Promise<FakeServer> {
    const server = new FakeServer()
    await new Promise<void>(resolve => server.#http.listen(port, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Takes over what another instance has stored, as after a restart. */
  adopt(other: FakeServer): void {
    for (const [taskId, list] of other.entries) this.entries.set(taskId, list)
    for (const [streamId, n] of other.#stored) this.#stored.set(streamId, n)
  }

  messages(taskId: string, source?: string): string[] {
    return (this.entries.get(taskId) ?? [])
      .filter(entry => source === undefined || entry.source === source)
      .map(entry => entry.message)
  }

  send(frame: unknown): void {
    for (const socket of this.#sockets) socket.send(JSON.stringify(frame))
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.terminate()
    this.#sockets.clear()
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate()
    this.#http.closeAllConnections()
    await new Promise(resolve => this.#http.close(resolve))
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const call = {
      method: request.method!,
      path: request.url!,
      body: text ? (JSON.parse(text) as Record<string, unknown>) : {},
      authorization: request.headers.authorization,
    }
    this.calls.push(call)
    const status = this.answer(call) ?? 200
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(
        status < 400
          ? { token: 'task-token', id: 'e', seq: 1, ...this.task }
          : { status, title: 'no', code: 'NO' },
      ),
    )
  }

  #onSocket(socket: WebSocket, taskId: string): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#onSegment(socket, taskId, data as Buffer)
      else
        this.#onText(
          socket,
          taskId,
          JSON.parse(String(data)) as { type: string; streamId: string; n: number; id: string },
        )
    })
  }

  #onText(
    socket: WebSocket,
    taskId: string,
    { type, streamId, n, id }: { type: string; streamId: string; n: number; id: string },
  ): void {
    if (type === 'inputTaken') this.taken.push(id)
    const stored = this.#stored.get(streamId) ?? 0
    const send = (frame: unknown) => socket.send(JSON.stringify(frame))
    if (type === 'hello') send({ type: 'welcome', taskId, streamId, n: stored, version: 1 })
    if (type !== 'end') return
    if (n !== stored)
      return void send({
        type: 'error',
        code: 'OUT_OF_ORDER',
        message: 'lines are missing',
        streamId,
        n: stored,
        retryAfterMs: 5,
      })
    this.ended.set(streamId, n)
    send({ type: 'complete', streamId, n })
  }

  #onSegment(socket: WebSocket, taskId: string, data: Buffer): void {
    const { streamId, firstN, segment: bytes } = decodeSegmentFrame(data)
    const { segment } = checkSegment(bytes, isUtf8)
    const fault = this.fault(++this.#segments, taskId)
    const stored = this.#stored.get(streamId) ?? 0
    const send = (frame: unknown) => socket.send(JSON.stringify(frame))
    if (fault?.kind === 'cut') return void socket.terminate()
    if (fault?.kind === 'ignore') return
    if (fault?.kind === 'error') this.refused++
    if (fault?.kind === 'error')
      return void send({ type: 'error', message: 'told to', streamId, n: stored, ...fault })
    if (firstN > stored + 1)
      return void send({
        type: 'error',
        code: 'OUT_OF_ORDER',
        message: 'gap',
        streamId,
        n: stored,
        retryAfterMs: 5,
      })
    this.frames.push(segment.count)
    const list = this.entries.get(taskId) ?? []
    this.entries.set(taskId, list)
    const count = fault?.kind === 'part' ? Math.min(fault.lines, segment.count) : segment.count
    for (let index = stored + 1 - firstN; index < count; index++)
      list.push(segment.entry(index, taskId, list.length + 1))
    const now = Math.max(stored, firstN + count - 1)
    this.#stored.set(streamId, now)
    if (fault?.kind === 'part')
      return void send({
        type: 'error',
        code: 'STORE_UNAVAILABLE',
        message: 'full',
        streamId,
        n: now,
        retryAfterMs: 5,
      })
    send({ type: 'ack', streamId, n: now })
  }
}
