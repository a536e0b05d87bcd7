import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { KerutaError } from '#protocol/errors.ts'
import { type ClientFrame, clientFrameSchema, type ServerFrame } from '#protocol/frames.ts'
import type { Auth } from '#server/auth/auth.ts'
import type { Principal } from '#server/auth/principal.ts'
import type { Ingest } from '#server/logs/ingest.ts'
import type { Access } from './access.ts'
import { closeReason } from './close-reason.ts'
import { errorFrame } from './frame-errors.ts'
import type { Hub, TaskEvent } from './hub.ts'
import { readFrame } from './read-frame.ts'
import { taskFrame } from './task-frame.ts'
import { SocketInbox, type WaitingInputs } from './ws-inbox.ts'
import { SocketReader } from './ws-reader.ts'
import { SocketWriter } from './ws-writer.ts'

export interface ConnectionDeps {
  taskId: string
  principal: Principal
  ws: WebSocket
  socket: Socket
  hub: Hub
  ingest: Ingest
  access: Access
  /** Calls back when the token behind a connection is revoked or expires. */
  watchToken: Auth['watch']
  /** Head of the task's log: last seq. */
  lastSeq(taskId: string): Promise<number>
  /** Whether the task has been cancelled, so that a writer who was away learns it. */
  isCancelled(taskId: string): Promise<boolean>
  /** The run of this agent lives. Rejects with ILLEGAL_TRANSITION where it is not its own any more. */
  heartbeat(taskId: string, agentId: string): Promise<void>
  inputs: WaitingInputs
  /** A writer of a stream has come; the answer is called when it goes. */
  writer(taskId: string): () => void
  /** A reader has come; the answer is called when it goes. */
  reader(): () => void
  /** Messages a second that one connection may send; 0 for no limit. */
  maxMessagesPerSecond: number
}

const PING_INTERVAL_MS = 15_000
const DEFAULT_SUBSCRIPTION_AFTER_MS = 1000
/** Answers that nobody reads may wait up to this; lines have a lower limit of their own. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024

/** One WebSocket of one task: reads frames, hands them to its reader or writer half, and ends both. */
export class TaskConnection {
  readonly #deps: ConnectionDeps
  readonly #reader: SocketReader
  readonly #writer: SocketWriter
  readonly #inbox: SocketInbox
  readonly #cleanups: (() => void)[] = []
  /** Whose run it is, as its hello has said. */
  #agentId: string | undefined
  #alive = true
  #taken = 0

  constructor(deps: ConnectionDeps) {
    this.#deps = deps
    const { ws, hub, taskId, principal, watchToken } = deps
    const send = (frame: ServerFrame) => this.#send(frame)
    this.#reader = new SocketReader(deps, send)
    this.#writer = new SocketWriter(deps, send)
    this.#inbox = new SocketInbox(taskId, deps.inputs, send)

    const autoSubscribe = setTimeout(
      () => void this.#reader.subscribe(undefined),
      DEFAULT_SUBSCRIPTION_AFTER_MS,
    )
    const pings = setInterval(() => this.#ping(), PING_INTERVAL_MS)
    const leave = watchToken(principal, error => ws.close(4401, closeReason(error.message)))
    const unwatch = hub.watch(taskId, event => this.#onTaskEvent(event))
    this.#cleanups.push(
      () => clearTimeout(autoSubscribe),
      () => clearInterval(pings),
      leave,
      unwatch,
    )

    ws.on('pong', () => {
      this.#alive = true
    })
    ws.on('message', (data, isBinary) => {
      clearTimeout(autoSubscribe)
      this.#alive = true
      if (isBinary) this.#writer.segment(data as Buffer)
      else this.#text(data as Buffer)
    })
    ws.on('error', () => {}) // 'close' follows, with the code that tells why.
    ws.on('close', () => this.#close())
  }

  #send(frame: ServerFrame): void {
    const { ws, socket } = this.#deps
    if (ws.readyState !== ws.OPEN) return
    if (socket.writableLength > MAX_UNREAD_BYTES) ws.terminate()
    else ws.send(JSON.stringify(frame))
  }

  #text(data: Buffer): void {
    try {
      this.#dispatch(parseFrame(data.toString(), this.#deps.taskId), data.length)
    } catch (error) {
      this.#send(errorFrame(error))
    }
  }

  #dispatch(frame: ClientFrame, bytes: number): void {
    switch (frame.type) {
      case 'subscribe':
        void this.#reader.subscribe(frame.options)
        return
      case 'unsubscribe':
        this.#reader.unsubscribe()
        this.#send({ type: 'unsubscribed', taskId: this.#deps.taskId })
        return
      case 'ping':
        this.#send({ type: 'pong' })
        return
      case 'pong':
        return
      case 'heartbeat':
        void this.#heartbeat()
        return
      case 'hello':
        void this.#hello(frame)
        return
      case 'inputTaken':
        this.#inbox.taken(frame.id)
        return
      case 'log':
        this.#writer.log(frame, bytes)
        return
      case 'logs':
        this.#writer.logs(frame.streamId, frame.entries, bytes)
        return
      case 'end':
        this.#writer.end(frame.streamId, frame.n)
        return
    }
  }

  async #hello({ streamId, agentId }: Extract<ClientFrame, { type: 'hello' }>): Promise<void> {
    if (!(await this.#writer.hello(streamId)) || agentId === undefined) return
    this.#agentId = agentId
    this.#inbox.hello(agentId)
  }

  /** The run lives. Its agent is told where the run is not its own any more. */
  async #heartbeat(): Promise<void> {
    const { taskId, heartbeat, isCancelled } = this.#deps
    if (this.#agentId === undefined) return
    try {
      await heartbeat(taskId, this.#agentId)
    } catch (error) {
      // A store that is away says nothing of the run.
      if (!(error instanceof KerutaError && error.code === 'ILLEGAL_TRANSITION')) return
      const cancelled = await isCancelled(taskId).catch(() => false)
      this.#send(cancelled ? { type: 'cancel', taskId } : errorFrame(error))
    }
  }

  #onTaskEvent(event: TaskEvent): void {
    const { taskId } = this.#deps
    if (event.kind === 'cancel') {
      if (this.#writer.active) this.#send({ type: 'cancel', taskId, message: event.message })
    } else if (event.kind === 'input') {
      this.#inbox.deliver()
    } else if (this.#reader.active) this.#send(taskFrame(event, this.#deps.principal))
  }

  #ping(): void {
    const { ws, socket } = this.#deps
    // A slow reader has no time to answer, but what it was sent becomes less.
    const taken = socket.bytesWritten - socket.writableLength
    if (!this.#alive && taken === this.#taken) {
      ws.terminate()
      return
    }
    this.#alive = false
    this.#taken = taken
    if (socket.writableLength > 0) return
    ws.ping()
    this.#send({ type: 'ping' })
  }

  #close(): void {
    for (const cleanup of this.#cleanups) cleanup()
    this.#reader.close()
    this.#writer.close()
    this.#inbox.close()
  }
}

function parseFrame(text: string, taskId: string): ClientFrame {
  const frame = readFrame(text, clientFrameSchema)
  if ('taskId' in frame && frame.taskId !== undefined && frame.taskId !== taskId) {
    throw new KerutaError(
      'BAD_REQUEST',
      `taskId "${frame.taskId}" is not this connection's task "${taskId}": open /ws/tasks/{taskId} for another`,
    )
  }
  return frame
}
