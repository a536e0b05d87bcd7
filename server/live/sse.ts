import type { LogFilter } from '#protocol/log-filter.ts'
import type { Auth } from '#server/auth/auth.ts'
import type { Principal } from '#server/auth/principal.ts'
import { errorFrame } from './frame-errors.ts'
import type { Hub } from './hub.ts'
import type { Subscriber } from './subscriber.ts'
import { taskFrame } from './task-frame.ts'

export interface SseOptions {
  hub: Hub
  watchToken: Auth['watch']
  lastSeq(taskId: string): Promise<number>
  /** A reader has come; the answer is called when it goes. */
  reader(): () => void
}

const HEARTBEAT_MS = 15_000
const RETRY_MS = 1000
const HIGH_WATER_BYTES = 256 * 1024

/**
 * `GET /tasks/{id}/logs/stream`: server-sent events. Each entry is an unnamed event with `id:` its seq; named events are
 * `gap`, `status`, `progress` and `error`.
 */
export function createSse({ hub, watchToken, lastSeq, reader }: SseOptions) {
  const ends = new Set<() => void>()

  /** @param after the last seq that the reader has; undefined for live entries only */
  async function streamLogs(
    principal: Principal,
    taskId: string,
    filter: LogFilter,
    after: number | undefined,
  ): Promise<Response> {
    const head = await lastSeq(taskId)
    const start = Math.min(after ?? head, head)
    const encoder = new TextEncoder()
    const cleanups: (() => void)[] = []
    const cleanup = () => {
      for (const undo of cleanups.splice(0)) undo()
    }
    let subscriber: Subscriber | undefined
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const write = (text: string) => controller.enqueue(encoder.encode(text))
          const event = (name: string, data: unknown) =>
            write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
          const end = () => {
            if (cleanups.length === 0) return
            cleanup()
            controller.close()
          }
          write(`retry: ${RETRY_MS}\nid: ${start}\n: task ${taskId} after ${start}\n\n`)
          const writable = () => (controller.desiredSize ?? 0) > 0
          const heartbeat = setInterval(() => writable() && write(': heartbeat\n\n'), HEARTBEAT_MS)
          subscriber = hub.subscribe({
            taskId,
            filter,
            after: start,
            realtime: true,
            sink: {
              writable,
              batch: batch =>
                write(
                  batch.json
                    .map((json, index) => `id: ${batch.firstSeq + index}\ndata: ${json}\n\n`)
                    .join(''),
                ),
              entries: entries =>
                write(entries.map(entry => `id: ${entry.seq}\ndata: ${JSON.stringify(entry)}\n\n`).join('')),
              gap: (from, to) =>
                write(
                  `id: ${to}\nevent: gap\ndata: ${JSON.stringify({ type: 'gap', taskId, from, to })}\n\n`,
                ),
              live: () => {},
              failed: error => {
                event('error', errorFrame(error))
                end()
              },
            },
          })
          ends.add(end)
          cleanups.push(
            () => ends.delete(end),
            () => clearInterval(heartbeat),
            () => subscriber?.close(),
            reader(),
            watchToken(principal, error => {
              event('error', errorFrame(error))
              end()
            }),
            hub.watch(taskId, change => {
              if ('task' in change && writable()) event(change.kind, taskFrame(change, principal))
            }),
          )
        },
        pull: () => subscriber?.drained(),
        cancel: cleanup,
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
    )
    return new Response(body, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      },
    })
  }

  return {
    streamLogs,
    /** Ends all streams, since the server ends: their readers come again with the last id that they have. */
    leave(): void {
      for (const end of ends) end()
    },
  }
}
