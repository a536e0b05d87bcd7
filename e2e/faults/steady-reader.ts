import type { LogEntry } from '#protocol/log.ts'
import { type Connect, type TestReader, transports } from '#server/testing/readers.ts'

/** A reader that connects again after its last seq whenever it is cut off, as a good client does. */
export class SteadyReader {
  readonly name: string
  readonly entries: LogEntry[] = []
  readonly gaps: { from: number; to: number }[] = []
  connections = 0
  readonly #open: () => TestReader
  #current: TestReader | undefined
  #taken = { entries: 0, gaps: 0 }
  #closed = false
  #retry: NodeJS.Timeout | undefined

  constructor(name: string, connect: Connect, url: string, taskId: string) {
    this.name = name
    this.#open = () => connect(url, taskId, { after: this.lastSeq })
    this.#connect()
  }

  /** Everything up to here was sent or announced as left out. */
  get lastSeq(): number {
    this.#take()
    return Math.max(this.entries.at(-1)?.seq ?? 0, this.gaps.at(-1)?.to ?? 0)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#current?.close()
  }

  #connect(): void {
    const reader = this.#open()
    this.#current = reader
    this.#taken = { entries: 0, gaps: 0 }
    this.connections++
    const again = () => {
      if (this.#closed || this.#current !== reader) return
      this.#take()
      reader.close()
      this.#current = undefined
      this.#retry = setTimeout(() => this.#connect(), 20)
    }
    reader.ready.catch(again)
    void reader.closed.then(again)
  }

  /** Moves over what has come since the last look. */
  #take(): void {
    if (!this.#current) return
    const { entries, gaps } = this.#current
    for (; this.#taken.entries < entries.length; this.#taken.entries++)
      this.entries.push(entries[this.#taken.entries]!)
    for (; this.#taken.gaps < gaps.length; this.#taken.gaps++) this.gaps.push(gaps[this.#taken.gaps]!)
  }
}

/** One reader of each transport, from the first line on. */
export function readOnAllTransports(url: string, taskId: string): SteadyReader[] {
  return transports.map(([name, connect]) => new SteadyReader(name, connect, url, taskId))
}
