import { WebSocket } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import type { LogSlice } from '#protocol/log-answers.ts'
import type { Api } from '../delivery/api.ts'
import type { ReadOptions } from './read-logs.ts'

export type Print = (entries: LogEntry[]) => Promise<void>

/** How a connection ended. */
export interface Closed {
  /** Where the server refused it: the status that it answered. */
  status?: number
  /** Where the server refused what was asked for: why. */
  error?: { code: string; message: string }
}

/** Longer than that a living server is never silent. */
const SILENT_MS = 45_000
/** What the server says of itself, not of the request. */
const PASSING = ['STORE_UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']

/** One connection that prints what follows `after`. */
export class Following {
  after: number
  /** Whether the server has begun to send. */
  subscribed = false
  readonly closed: Promise<Closed>
  readonly #socket: WebSocket
  #work: Promise<void> = Promise.resolve()
  #waiting = 0
  #heard = performance.now()

  constructor(
    url: string,
    token: string | undefined,
    options: ReadOptions,
    after: number,
    api: Api,
    print: Print,
    onStatus: () => void,
  ) {
    this.after = after
    const socket = new WebSocket(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })
    this.#socket = socket
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'subscribe', options: subscription(options, after) })),
    )
    socket.on('message', data => {
      const frame = JSON.parse(String(data)) as {
        type: string
        entries?: LogEntry[]
        from: number
        to: number
        code: string
        message: string
      }
      this.#heard = performance.now()
      if (frame.type === 'ping') socket.send('{"type":"pong"}')
      else if (frame.type === 'subscribed' || frame.type === 'status') {
        this.subscribed = true
        onStatus()
      } else if (frame.type === 'logs') this.#then(() => this.#print(frame.entries!, print))
      else if (frame.type === 'gap') this.#then(() => this.#refill(api, options, frame.from, frame.to, print))
      else if (frame.type === 'error') {
        resolve(PASSING.includes(frame.code) ? {} : { error: frame })
        socket.terminate()
      }
    })
    const { promise, resolve } = Promise.withResolvers<Closed>()
    socket.on('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode })
      socket.terminate()
    })
    socket.on('ping', () => {
      this.#heard = performance.now()
    })
    const watch = setInterval(() => this.#endIfSilent(), SILENT_MS / 3)
    socket.on('error', () => resolve({}))
    socket.on('close', () => resolve({}))
    this.closed = promise.then(async closed => {
      clearInterval(watch)
      await this.#work
      return closed
    })
  }

  close(): void {
    // Not only closed: what waits behind a full pipe would be read first.
    this.#socket.terminate()
  }

  /** What cannot be printed yet is not read on: the server leaves out what is too much, and says which. */
  #then(work: () => Promise<void>): void {
    this.#waiting++
    this.#socket.pause()
    this.#work = this.#work
      .then(work)
      .catch(() => this.#socket.terminate())
      .then(() => {
        if (--this.#waiting === 0) this.#socket.resume()
      })
  }

  /** The other end may be gone without a word; while nothing is read it is not its silence. */
  #endIfSilent(): void {
    if (this.#waiting > 0) this.#heard = performance.now()
    if (performance.now() - this.#heard > SILENT_MS) this.#socket.terminate()
  }

  async #print(entries: LogEntry[], print: Print): Promise<void> {
    const fresh = entries.filter(entry => entry.seq > this.after)
    await print(fresh)
    this.after = fresh.at(-1)?.seq ?? this.after
  }

  /** This reader was too slow for the live feed: what was left out is fetched. */
  async #refill(
    api: Api,
    { path, filter }: ReadOptions,
    from: number,
    to: number,
    print: Print,
  ): Promise<void> {
    let after = from - 1
    while (after < to) {
      const given = Object.entries({ ...filter, after: String(after), limit: '1000', order: 'asc' }).filter(
        ([, value]) => value !== undefined,
      )
      const slice = await api.get<LogSlice>(
        `${path}/logs?${new URLSearchParams(given as [string, string][])}`,
      )
      await this.#print(
        slice.content.filter(entry => entry.seq <= to),
        print,
      )
      if (slice.done || slice.cursor <= after) return
      after = slice.cursor
    }
  }
}

function subscription({ filter }: ReadOptions, after: number): Record<string, unknown> {
  const { source, level, minLevel, step, search, regex, caseSensitive } = filter
  return {
    after,
    batch: true,
    realtime: true,
    sources: source?.split(','),
    levels: level?.split(','),
    minLevel,
    step,
    search,
    regex: regex === 'true' || undefined,
    caseSensitive: caseSensitive === 'true' || undefined,
  }
}
