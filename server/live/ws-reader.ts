import { KerutaError } from '#protocol/errors.ts'
import type { ServerFrame, SubscribeOptions } from '#protocol/frames.ts'
import type { LogEntry } from '#protocol/log.ts'
import { type LogFilter, logFilterSchema } from '#protocol/log-filter.ts'
import { PROTOCOL_VERSION } from '#protocol/version.ts'
import { errorFrame } from './frame-errors.ts'
import type { LogBatch } from './log-batch.ts'
import { logFrame, logsFrame } from './log-batch.ts'
import type { Sink, Subscriber } from './subscriber.ts'
import type { ConnectionDeps } from './ws-connection.ts'

const HIGH_WATER_BYTES = 256 * 1024

/** The reading half of a WebSocket: at most one subscription. */
export class SocketReader {
  readonly #deps: ConnectionDeps
  readonly #send: (frame: ServerFrame) => void
  readonly #headAtConnect: Promise<number>
  #subscriber: Subscriber | undefined
  #generation = 0
  #subscribedBefore = false
  #leave: (() => void) | undefined

  constructor(deps: ConnectionDeps, send: (frame: ServerFrame) => void) {
    this.#deps = deps
    this.#send = send
    this.#headAtConnect = deps.lastSeq(deps.taskId)
    this.#headAtConnect.catch(() => {}) // told where it is awaited
    deps.socket.on('drain', () => this.#subscriber?.drained())
  }

  get active(): boolean {
    return this.#subscriber !== undefined
  }

  /** Without options: everything since the connection was made, one frame an entry. */
  async subscribe(
    options: SubscribeOptions = { realtime: true, batch: false } as SubscribeOptions,
  ): Promise<void> {
    const { taskId, access, principal, lastSeq, hub, reader } = this.#deps
    const generation = ++this.#generation
    try {
      const filter = filterOf(options)
      await access.read(principal, taskId)
      const head =
        this.#subscribedBefore || options.after !== undefined
          ? await lastSeq(taskId)
          : await this.#headAtConnect
      if (generation !== this.#generation) return
      this.#subscribedBefore = true
      this.#end()
      const after = Math.min(options.after ?? (options.realtime ? head : 0), head)
      this.#send({ type: 'subscribed', taskId, after, lastSeq: head, version: PROTOCOL_VERSION })
      this.#leave = reader()
      this.#subscriber = hub.subscribe({
        taskId,
        filter,
        after,
        realtime: options.realtime,
        sink: this.#sink(options, head),
      })
    } catch (error) {
      this.#send(errorFrame(error))
    }
  }

  unsubscribe(): void {
    this.#generation++
    this.#end()
  }

  close(): void {
    this.unsubscribe()
  }

  #end(): void {
    if (!this.#subscriber) return
    this.#subscriber.close()
    this.#subscriber = undefined
    this.#leave?.()
  }

  #sink(options: SubscribeOptions, head: number): Sink {
    const { ws, socket, taskId } = this.#deps
    const text = { binary: false }
    const corked = (write: () => void) => {
      socket.cork()
      write()
      socket.uncork()
    }
    return {
      writable: () => socket.writableLength < HIGH_WATER_BYTES,
      batch: (batch: LogBatch) => {
        if (options.batch) ws.send(batch.batchFrame, text)
        else corked(() => batch.frames.forEach(frame => void ws.send(frame, text)))
      },
      entries: (entries: LogEntry[]) => {
        const json = entries.map(entry => JSON.stringify(entry))
        if (options.batch) ws.send(logsFrame(taskId, json))
        else corked(() => json.forEach(entry => void ws.send(logFrame(entry))))
      },
      gap: (from, to) => this.#send({ type: 'gap', taskId, from, to }),
      live: seq => {
        if (!options.realtime)
          this.#send({
            type: 'subscribed',
            taskId,
            after: seq,
            lastSeq: Math.max(head, seq),
            version: PROTOCOL_VERSION,
            done: true,
          })
      },
      failed: error => {
        this.#send(errorFrame(error))
        if (!(error instanceof KerutaError && error.code === 'QUERY_TIMEOUT'))
          ws.close(1011, 'the log could not be read; resume after the last seq')
        this.#end()
      },
    }
  }
}

/** @throws KerutaError BAD_REQUEST where the regular expression does not compile */
export function filterOf(options: SubscribeOptions): LogFilter {
  const { sources: source, levels: level, minLevel, step, search, regex, caseSensitive } = options
  const result = logFilterSchema.safeParse({ source, level, minLevel, step, search, regex, caseSensitive })
  if (result.success) return result.data
  throw new KerutaError('BAD_REQUEST', result.error.issues[0]!.message)
}
