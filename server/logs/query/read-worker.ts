import { parentPort, workerData } from 'node:worker_threads'
import type { ErrorCode } from '#protocol/errors.ts'
import { openSegmentReader, type StoreLocation } from '#server/store/open.ts'
import type { SegmentReader } from '#server/store/store.ts'
import type { AnswerMessage, QueryMessage } from './messages.ts'
import { OPERATIONS } from './operations.ts'
import type { QueryContext } from './scan.ts'
import { Turns } from './turns.ts'

const port = parentPort
if (!port) throw new Error('this is the program of a worker thread')
const location = workerData as StoreLocation
const turns = new Turns()
let opening: Promise<SegmentReader> | undefined

port.on('message', async ({ id, name, request }: QueryMessage) => {
  try {
    const context = { reader: await reader(), turn: turns.begin() }
    const operation = OPERATIONS[name] as (context: QueryContext, request: unknown) => Promise<unknown>
    const answer = await operation(context, request)
    port.postMessage({ id, answer } satisfies AnswerMessage, memoryOf(answer))
  } catch (error) {
    port.postMessage({ id, error: described(error) } satisfies AnswerMessage)
  }
})

/** Opened with the first request; a failure is not remembered. */
function reader(): Promise<SegmentReader> {
  opening ??= openSegmentReader(location).catch(error => {
    opening = undefined
    throw error
  })
  return opening
}

/** Blocks of bytes are handed over instead of copied, where they do not share their memory with others. */
function memoryOf(answer: unknown): ArrayBuffer[] {
  const { bytes, segments = [] } = answer as { bytes?: Uint8Array; segments?: { bytes: Uint8Array }[] }
  const blocks = [...(bytes ? [bytes] : []), ...segments.map(segment => segment.bytes)]
  const most = (block: Uint8Array) => block.buffer.byteLength <= 2 * block.byteLength + 1024
  return [...new Set(blocks.filter(most).map(block => block.buffer as ArrayBuffer))]
}

function described(error: unknown): { code: ErrorCode; message: string; retryAfterMs?: number } {
  const { code, message, retryAfterMs } = error as { code?: unknown; message?: string; retryAfterMs?: number }
  const known = ['BAD_REQUEST', 'STORE_UNAVAILABLE', 'DISK_FULL'] as const
  return {
    code: known.find(name => name === code) ?? 'INTERNAL',
    message: String(message ?? error),
    retryAfterMs,
  }
}
