import { WebSocket } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import type { LogSlice } from '#protocol/log-answers.ts'
import type { TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import type { Api } from '../delivery/api.ts'
import { backoffMs } from '../delivery/backoff.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import { CommandError, EXIT } from '../exit.ts'
import type { ReadOptions } from './read-logs.ts'
import { TaskEnd } from './task-end.ts'

type Print = (entries: LogEntry[]) => Promise<void>

/**
 * Prints entries after `cursor` as they come, until the task is over or Ctrl-C. A lost connection is taken up again where it broke.
 * @returns up to where it has printed, and the task where that is over
 */
export async function followLog(
  context: Context,
  api: Api,
  options: ReadOptions,
  cursor: number,
  print: Print,
): Promise<{ after: number; task?: TaskView }> {
  const { websocketUrl, reconnectMs } = streamSettings(context.config)
  const url = `${websocketUrl}/${encodeURIComponent(options.taskId)}`
  const interrupted = new Promise<'interrupted'>(resolve =>
    process.once('SIGINT', () => resolve('interrupted')),
  )
  const end = new TaskEnd(context, api, options.path)
  let after = cursor
  for (let attempt = 0; ; attempt++) {
    const connection = new Following(url, context.config.token, options, after, api, print, () => end.look())
    const ended = await Promise.race([connection.closed, interrupted, end.reached])
    if (ended === 'interrupted' || typeof ended === 'object') {
      end.close()
      connection.close()
      await connection.closed
      return { after: connection.after, task: typeof ended === 'object' ? ended : undefined }
    }
    if (ended === 401 || ended === 403)
      throw new CommandError(
        EXIT.refused,
        'the server refuses to show this log; check --token or KERUTA_API_TOKEN',
      )
    if (connection.after > after) attempt = 0
    after = connection.after
    context.explain('the connection was lost; trying again')
    await Promise.race([
      new Promise(resolve => setTimeout(resolve, backoffMs(attempt + 1, reconnectMs, Math.random()))),
      interrupted,
    ])
  }
}

class Following {
  after: number
  readonly closed: Promise<number | undefined>
  readonly #socket: WebSocket
  #work: Promise<void> = Promise.resolve()
  #waiting = 0

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
      }
      if (frame.type === 'ping') socket.send('{"type":"pong"}')
      else if (frame.type === 'subscribed' || frame.type === 'status') onStatus()
      else if (frame.type === 'logs') this.#then(() => this.#print(frame.entries!, print))
      else if (frame.type === 'gap') this.#then(() => this.#refill(api, options, frame.from, frame.to, print))
    })
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode)
      socket.terminate()
    })
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
    this.closed = promise.then(async status => {
      await this.#work
      return status
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
