import { Worker } from 'node:worker_threads'
import { KerutaError } from '#protocol/errors.ts'
import type { StoreLocation } from '#server/store/open.ts'
import type { CompactReply, CompactRequest } from './compact-worker.ts'

type Step = Exclude<CompactReply, { error: string }>

/** The merging thread, started when it is first asked. One request at a time. */
export class CompactThread {
  readonly #location: StoreLocation
  #worker: Worker | undefined

  constructor(location: StoreLocation) {
    this.#location = location
  }

  /** @throws KerutaError where the store cannot be used now; Error where the log cannot be read or the thread ends */
  ask(request: CompactRequest): Promise<Step> {
    this.#worker ??= new Worker(new URL('./compact-worker.ts', import.meta.url), {
      name: 'compactor',
      workerData: this.#location,
    })
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const failed = (error: unknown) => {
        if (this.#worker === worker) this.#worker = undefined
        reject(error instanceof Error ? error : new Error('the merging thread has ended'))
      }
      worker.once('error', failed)
      worker.once('exit', failed)
      worker.once('message', (reply: CompactReply) => {
        worker.off('error', failed)
        worker.off('exit', failed)
        if ('error' in reply)
          reject(reply.code ? new KerutaError(reply.code, reply.error) : new Error(reply.error))
        else resolve(reply)
      })
      worker.postMessage(request)
    })
  }

  /** Ends the thread, also within a step; it only reads. */
  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
