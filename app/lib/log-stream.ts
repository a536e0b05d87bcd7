import type { LogEntry } from '#protocol/log.ts'
import type { SubscribeAnswer } from '#protocol/socket.ts'
import type { LogQuery } from './log-url.ts'
import type { Gap } from './log-window.ts'
import type { LiveSocket } from './socket.ts'

export interface StreamEvents {
  entries(entries: LogEntry[]): void
  gap(gap: Gap): void
  cleared(firstSeq: number): void
  /** The server refused the subscription, or ended it. */
  failed(message: string): void
  /** The connection is back after it was lost; nothing is subscribed. */
  reconnected(): void
}

export interface LogStream {
  /** Asks for what follows `after`, and goes on with it live. A second call replaces the first. */
  subscribe(after: number): void
  close(): void
}

/** A task's live entries that match a query (but for its times), over the tab's connection. */
export function logStream(
  socket: LiveSocket,
  taskId: string,
  query: LogQuery,
  events: StreamEvents,
): LogStream {
  let asked = false
  const own =
    <T extends { taskId: string }>(handle: (value: T) => void) =>
    (value: T) => {
      if (asked && value.taskId === taskId) handle(value)
    }
  const onLogs = own<{ taskId: string; entries: LogEntry[] }>(({ entries }) => events.entries(entries))
  const onGap = own<{ taskId: string } & Gap>(({ from, to }) => events.gap({ from, to }))
  const onCleared = own<{ taskId: string; firstSeq: number }>(({ firstSeq }) => events.cleared(firstSeq))
  const onFailed = own<{ taskId: string; error: { message: string } }>(({ error }) =>
    events.failed(error.message),
  )
  const onConnect = () => {
    if (asked) events.reconnected()
  }
  socket.on('logs', onLogs)
  socket.on('gap', onGap)
  socket.on('cleared', onCleared)
  socket.on('failed', onFailed)
  socket.on('connect', onConnect)
  return {
    subscribe(after) {
      asked = true
      // Without a connection nothing is sent: `connect` follows, and with it `reconnected`.
      if (!socket.connected) return
      socket.emit('subscribe', { taskId, options: { ...optionsOf(query), after, batch: true } }, answer =>
        refused(answer, events),
      )
    },
    close() {
      asked = false
      socket.off('logs', onLogs)
      socket.off('gap', onGap)
      socket.off('cleared', onCleared)
      socket.off('failed', onFailed)
      socket.off('connect', onConnect)
      if (socket.connected) socket.emit('unsubscribe', { taskId })
    },
  }
}

function refused(answer: SubscribeAnswer, events: StreamEvents): void {
  if (!answer.ok) events.failed(answer.error.message)
}

function optionsOf({ source, level, step, search, regex, caseSensitive }: LogQuery) {
  return {
    ...(source.length && { sources: [...source] }),
    ...(level.length && { levels: [...level] }),
    ...(step && { step }),
    ...(search && { search, regex, caseSensitive }),
  }
}
