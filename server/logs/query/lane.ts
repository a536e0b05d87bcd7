import { Worker } from 'node:worker_threads'
import { KerutaError } from '#protocol/errors.ts'
import type { StoreLocation } from '#server/store/open.ts'
import type { AnswerMessage, QueryMessage } from './messages.ts'
import type { AnswerOf, Operations, RequestOf } from './operations.ts'

interface Waiting {
  resolve: (answer: never) => void
  reject: (error: unknown) => void
}

const IDLE_MS = 60_000
const IDLE = new KerutaError('INTERNAL', 'the thread was idle')

/**
 * One worker thread that answers many requests in turns. It is started when it is needed, again when it died, and ended for the sake of
 * its memory when nobody has asked it anything for a minute, unless it is to stay.
 */
export class Lane {
  readonly #location: StoreLocation
  readonly #stays: boolean
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #nextId = 1
  #closed = false

  constructor(location: StoreLocation, { stays }: { stays: boolean }) {
    this.#location = location
    this.#stays = stays
    if (stays) this.#worker = this.#start()
  }

  ask<Name extends keyof Operations>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    if (this.#closed)
      return Promise.reject(new KerutaError('STORE_UNAVAILABLE', 'the server is shutting down'))
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    const worker = this.#worker
    const id = this.#nextId++
    return new Promise<AnswerOf<Name>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ id, name, request } satisfies QueryMessage)
    })
  }

  /** CPU time of the thread since it began, ms; 0 where there is none, or one that does not run yet or is ending. */
  async cpuMs(): Promise<number> {
    const usage = await this.#worker?.cpuUsage().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_WORKER_NOT_RUNNING') throw error
    })
    return usage ? (usage.user + usage.system) / 1000 : 0
  }

  /** Ends the thread, whatever it is doing; what it was asked rejects with `reason`. */
  async kill(reason: KerutaError): Promise<void> {
    const worker = this.#worker
    clearTimeout(this.#idle)
    this.#fail(reason)
    await worker?.terminate()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.kill(new KerutaError('STORE_UNAVAILABLE', 'the server is shutting down'))
  }

  #start(): Worker {
    const worker = new Worker(new URL('./read-worker.ts', import.meta.url), {
      workerData: this.#location,
      name: 'log-query',
      // What it reads lies outside of the heap; a young generation that grows with it would only add to the memory.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    })
    let failure: unknown
    worker.on('message', (message: AnswerMessage) => this.#settle(message))
    worker.on('error', error => {
      failure = error
    })
    worker.on('exit', () => {
      if (this.#worker === worker)
        this.#fail(new KerutaError('INTERNAL', 'the query was lost with its thread', { cause: failure }))
    })
    return worker
  }

  #settle(message: AnswerMessage): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (this.#waiting.size === 0 && !this.#stays)
      this.#idle = setTimeout(() => void this.kill(IDLE), IDLE_MS).unref()
    if ('answer' in message) waiting?.resolve(message.answer as never)
    else {
      const { code, message: text, retryAfterMs } = message.error
      waiting?.reject(new KerutaError(code, text, { retryAfterMs }))
    }
  }

  #fail(reason: KerutaError): void {
    this.#worker = undefined
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of all) reject(reason)
  }
}
