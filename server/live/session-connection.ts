import type { WebSocket } from 'ws'
import { KerutaError } from '#protocol/errors.ts'
import type { Session } from '#protocol/session.ts'
import { type SessionServerFrame, sessionClientFrameSchema } from '#protocol/session-frames.ts'
import type { Auth } from '#server/auth/auth.ts'
import type { Principal } from '#server/auth/principal.ts'
import { closeReason } from './close-reason.ts'
import { errorFrame } from './frame-errors.ts'
import { readFrame } from './read-frame.ts'
import type { SessionEvent, SessionHub } from './session-hub.ts'
import { TokenBucket } from './token-bucket.ts'

export interface SessionConnectionDeps {
  sessionId: string
  principal: Principal
  ws: WebSocket
  hub: SessionHub
  /** A daemon has come; the answer is called when it goes. */
  arrived(sessionId: string): () => void
  /** Calls back when the token behind a connection is revoked or expires. */
  watchToken: Auth['watch']
}

const PING_INTERVAL_MS = 15_000
/** An agent has little to say here. */
const MESSAGES_PER_SECOND = 20
const UNREAD_BYTES = 1024 * 1024

/** One agent that waits for work in a session. From its `hello` on it is told of what happens there. */
export class SessionConnection {
  readonly #deps: SessionConnectionDeps
  readonly #bucket = new TokenBucket(MESSAGES_PER_SECOND)
  readonly #pings: NodeJS.Timeout
  readonly #unwatchToken: () => void
  #unwatch: (() => void) | undefined
  #leave: (() => void) | undefined
  #status: Session['status'] | undefined
  #alive = true

  constructor(deps: SessionConnectionDeps) {
    this.#deps = deps
    const { ws, principal, watchToken } = deps
    this.#pings = setInterval(() => this.#ping(), PING_INTERVAL_MS)
    this.#unwatchToken = watchToken(principal, error => ws.close(4401, closeReason(error.message)))
    ws.on('pong', () => {
      this.#alive = true
    })
    ws.on('message', (data, isBinary) => {
      this.#alive = true
      void this.#take(data as Buffer, isBinary).catch(error => this.#send(errorFrame(error)))
    })
    ws.on('error', () => {}) // 'close' follows, with the code that tells why.
    ws.on('close', () => this.#close())
  }

  async #take(data: Buffer, isBinary: boolean): Promise<void> {
    const retryAfterMs = this.#bucket.take()
    if (retryAfterMs > 0)
      throw new KerutaError('RATE_LIMITED', `more than ${MESSAGES_PER_SECOND} messages a second: wait`, {
        retryAfterMs,
      })
    if (isBinary) throw new KerutaError('BAD_REQUEST', 'a binary frame: only JSON text frames are taken here')
    const frame = readFrame(data.toString(), sessionClientFrameSchema)
    if (frame.type === 'ping') this.#send({ type: 'pong' })
    if (frame.type === 'hello') await this.#hello()
  }

  async #hello(): Promise<void> {
    const { sessionId, hub, ws, arrived } = this.#deps
    // Before the look into the store, so that nothing happens between the two.
    if (ws.readyState === ws.OPEN) {
      this.#unwatch ??= hub.watch(sessionId, event => this.#onEvent(event))
      this.#leave ??= arrived(sessionId)
    }
    this.#status = undefined
    const state = await hub.state(sessionId)
    if (!state) return this.#onEvent({ kind: 'deleted' })
    // What was told meanwhile is newer.
    if (this.#status === undefined) this.#onEvent({ kind: 'status', status: state.status })
    if (state.work) this.#onEvent({ kind: 'work' })
  }

  #onEvent(event: SessionEvent): void {
    const { sessionId, ws } = this.#deps
    if (event.kind === 'work') this.#send({ type: 'work', sessionId })
    else if (event.kind === 'deleted') {
      const error = new KerutaError('NOT_FOUND', `session ${sessionId} was deleted`)
      this.#send(errorFrame(error))
      ws.close(4404, closeReason(error.message))
    } else if (event.status !== this.#status) {
      this.#status = event.status
      this.#send({ type: 'session', sessionId, status: event.status })
    }
  }

  #send(frame: SessionServerFrame): void {
    const { ws } = this.#deps
    if (ws.readyState !== ws.OPEN) return
    if (ws.bufferedAmount > UNREAD_BYTES) ws.terminate()
    else ws.send(JSON.stringify(frame))
  }

  #ping(): void {
    const { ws } = this.#deps
    if (!this.#alive) {
      ws.terminate()
      return
    }
    this.#alive = false
    ws.ping()
    this.#send({ type: 'ping' })
  }

  #close(): void {
    clearInterval(this.#pings)
    this.#unwatchToken()
    this.#unwatch?.()
    this.#leave?.()
  }
}
