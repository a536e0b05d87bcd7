import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import type { LogEntry } from '#protocol/log.ts'
import type { SubscribeAnswer } from '#protocol/socket.ts'
import { ADMIN_KEY } from './test-server.ts'

export interface ReaderOptions {
  after?: number
  levels?: string[]
  search?: string
  token?: string
}

/** What a reader of any transport has got. */
export interface TestReader {
  readonly entries: LogEntry[]
  readonly gaps: { from: number; to: number }[]
  /** Resolves when the subscription stands; rejects where it is refused. */
  readonly ready: Promise<void>
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  close(): void
}

export type Connect = (url: string, taskId: string, options?: ReaderOptions) => TestReader

/** One way to read a task's log live, for tests that run over all of them. */
export const transports: [name: string, connect: Connect][] = [
  ['WebSocket', (url, taskId, options) => overWebSocket(url, taskId, false, options)],
  ['WebSocket with batches', (url, taskId, options) => overWebSocket(url, taskId, true, options)],
  ['Socket.IO', overSocketIo],
  ['SSE', overSse],
]

function overWebSocket(
  url: string,
  taskId: string,
  batch: boolean,
  { token = ADMIN_KEY, ...options }: ReaderOptions = {},
): TestReader {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws/tasks/${taskId}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const entries: LogEntry[] = []
  const gaps: { from: number; to: number }[] = []
  const ready = new Promise<void>((resolve, reject) => {
    ws.on('error', reject)
    ws.on('message', data => {
      const frame = JSON.parse(String(data))
      if (frame.type === 'subscribed') resolve()
      if (frame.type === 'error') reject(new Error(frame.message))
      if (frame.type === 'log') entries.push(withoutType(frame))
      if (frame.type === 'logs') entries.push(...frame.entries)
      if (frame.type === 'gap') gaps.push(frame)
    })
  })
  ready.catch(() => {})
  ws.on('open', () => ws.send(JSON.stringify({ type: 'subscribe', taskId, options: { ...options, batch } })))
  return {
    entries,
    gaps,
    ready,
    closed: new Promise(resolve => ws.on('close', () => resolve())),
    close: () => ws.terminate(),
  }
}

function overSocketIo(
  url: string,
  taskId: string,
  { token = ADMIN_KEY, ...options }: ReaderOptions = {},
): TestReader {
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { authorization: `Bearer ${token}` },
    forceNew: true,
  })
  const entries: LogEntry[] = []
  const gaps: { from: number; to: number }[] = []
  socket.on('logs', batch => entries.push(...batch.entries))
  socket.on('gap', gap => gaps.push(gap))
  const ready = new Promise<void>((resolve, reject) => {
    socket.on('connect_error', reject)
    socket.on('connect', () => {
      socket.emit('subscribe', { taskId, options }, (answer: SubscribeAnswer) =>
        answer.ok ? resolve() : reject(new Error(answer.error.message)),
      )
    })
  })
  ready.catch(() => {})
  return {
    entries,
    gaps,
    ready,
    closed: new Promise(resolve => socket.on('disconnect', () => resolve())),
    close: () => socket.close(),
  }
}

function overSse(
  url: string,
  taskId: string,
  { token = ADMIN_KEY, after, levels, search }: ReaderOptions = {},
): TestReader {
  const abort = new AbortController()
  const entries: LogEntry[] = []
  const gaps: { from: number; to: number }[] = []
  const query = new URLSearchParams({
    ...(after !== undefined && { after: String(after) }),
    ...(levels && { level: levels.join(',') }),
    ...(search && { search }),
  })
  const answer = fetch(`${url}/api/v1/tasks/${taskId}/logs/stream?${query}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: abort.signal,
  })
  const ready = answer.then(async response => {
    if (!response.ok) throw new Error(await response.text())
  })
  ready.catch(() => {})
  const read = async () => {
    let rest = ''
    for await (const chunk of (await answer).body!.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split('\n\n')
      rest = events.pop()!
      for (const event of events) {
        const field = (name: string) =>
          event
            .split('\n')
            .find(line => line.startsWith(`${name}: `))
            ?.slice(name.length + 2)
        if (field('event') === 'gap') gaps.push(JSON.parse(field('data')!))
        else if (field('event') === undefined && field('data')) entries.push(JSON.parse(field('data')!))
      }
    }
  }
  return { entries, gaps, ready, closed: read().catch(() => {}), close: () => abort.abort() }
}

function withoutType({ type, ...entry }: LogEntry & { type: string }): LogEntry {
  return entry
}
