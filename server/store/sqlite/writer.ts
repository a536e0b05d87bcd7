import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { KerutaError } from '#protocol/errors.ts'
import { storeError } from './errors.ts'
import type { PlacedOp, WriterOp, WriterReply, WriterRequest } from './writer-messages.ts'

/** A batch takes no further op beyond this; as many batches are on their way at once, so that the thread never waits for the next. */
const BATCH_BYTES = 4 * 1024 * 1024
const BATCHES_UNDER_WAY = 3
const LEAST_BUFFER = 256 * 1024
/** A thread that dies at its start is not started in a loop. */
const RESTART_AFTER_MS = 1000

interface Waiting {
  op: WriterOp
  bodies: Uint8Array[]
  size: number
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The main thread's end of the writer thread: gathers the ops of a tick, and of the time a commit takes, into one message. */
export class Writer {
  readonly #spawn: () => Worker
  #worker: Worker
  #waiting: Waiting[] = []
  #underWay: Waiting[][] = []
  #spare: ArrayBuffer[] = []
  #flush: NodeJS.Immediate | undefined
  #gone: Error | undefined
  #closed = false

  private constructor(worker: Worker, spawn: () => Worker) {
    this.#spawn = spawn
    this.#worker = this.#follow(worker)
  }

  /** @param spawn makes the writer thread, also again after it died */
  static async open(dataDir: string, spawn = () => spawnThread(dataDir)): Promise<Writer> {
    const worker = spawn()
    await once(worker, 'message')
    return new Writer(worker, spawn)
  }

  /** Resolves after the commit. The bodies are copied before control returns to the event loop's next turn; do not change them sooner. */
  submit(op: WriterOp, bodies: Uint8Array[] = []): Promise<unknown> {
    if (this.#gone) return Promise.reject(unavailable(this.#gone))
    const size = bodies.reduce((sum, body) => sum + body.length, 0)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ op, bodies, size, resolve, reject })
      this.#schedule()
    })
  }

  /** Finishes what was submitted, then ends the thread. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#gone) return
    const exited = once(this.#worker, 'exit')
    while (this.#waiting.length > 0) this.#post()
    this.#gone = new Error('the store is closed')
    this.#worker.postMessage({ kind: 'close' } satisfies WriterRequest)
    await exited
  }

  #schedule(): void {
    if (this.#flush || this.#waiting.length === 0 || this.#underWay.length >= BATCHES_UNDER_WAY) return
    this.#flush = setImmediate(() => {
      this.#flush = undefined
      while (this.#waiting.length > 0 && this.#underWay.length < BATCHES_UNDER_WAY) this.#post()
    })
  }

  #post(): void {
    let size = 0
    let count = 0
    for (; count < this.#waiting.length && size < BATCH_BYTES; count++) size += this.#waiting[count]!.size
    const batch = this.#waiting.splice(0, count)
    const bytes = this.#buffer(size)
    const target = new Uint8Array(bytes)
    let at = 0
    const ops = batch.map(({ op, bodies }): PlacedOp => {
      const placed = { ...op, at }
      for (const body of bodies) {
        target.set(body, at)
        at += body.length
      }
      return placed
    })
    this.#underWay.push(batch)
    this.#worker.postMessage({ kind: 'batch', ops, bytes, size } satisfies WriterRequest, [bytes])
  }

  /** Buffers go to the thread and come back, so that none is made for each batch. */
  #buffer(size: number): ArrayBuffer {
    const spare = this.#spare.pop()
    if (spare && spare.byteLength >= size) return spare
    return new ArrayBuffer(Math.max(size, LEAST_BUFFER))
  }

  #receive(reply: WriterReply): void {
    if (reply.kind !== 'done') return
    if (reply.bytes.byteLength <= 2 * BATCH_BYTES) this.#spare.push(reply.bytes)
    const batch = this.#underWay.shift()!
    for (const [index, outcome] of reply.outcomes.entries()) {
      if ('value' in outcome) batch[index]!.resolve(outcome.value)
      else batch[index]!.reject(storeError(Object.assign(new Error(outcome.error.message), outcome.error)))
    }
    this.#schedule()
  }

  #follow(worker: Worker): Worker {
    let failure = new Error('the writer has ended')
    worker.on('message', (reply: WriterReply) => this.#receive(reply))
    worker.on('error', error => {
      failure = error as Error
    })
    worker.on('exit', () => this.#fail(failure))
    return worker
  }

  /** What was under way may or may not be stored: who sent it hears so, and sends it again to the next thread. */
  #fail(error: Error): void {
    this.#gone = error
    if (!this.#closed) setTimeout(() => this.#restart(), RESTART_AFTER_MS).unref()
    const lost = [...this.#underWay.flat(), ...this.#waiting]
    this.#underWay = []
    this.#waiting = []
    for (const { reject } of lost) reject(unavailable(error))
  }

  #restart(): void {
    if (this.#closed) return
    this.#worker = this.#follow(this.#spawn())
    this.#worker.once('message', () => {
      this.#gone = undefined
    })
  }
}

function spawnThread(dataDir: string): Worker {
  return new Worker(new URL('./writer-worker.ts', import.meta.url), {
    name: 'segment-writer',
    workerData: { dataDir },
  })
}

function unavailable(cause: Error): KerutaError {
  return new KerutaError('STORE_UNAVAILABLE', `segments cannot be written: ${cause.message}`, { cause })
}
