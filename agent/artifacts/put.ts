import type { ArtifactView } from '#protocol/artifact.ts'
import type { Problem } from '#protocol/errors.ts'
import { CommandError, EXIT } from '../exit.ts'

export interface Put {
  url: string
  token: string | undefined
  headers: Record<string, string>
  bytes: AsyncIterable<Buffer>
  /** Without a byte in either direction for so long, ms, the connection counts as dead. */
  idleMs: number
  signal: AbortSignal
  onBytes(bytes: number): void
}

export interface PutAnswer {
  status: number
  body: Partial<Problem> & Partial<ArtifactView>
}

/**
 * Sends bytes as they are read, as fast as the other end takes them. An answer that comes before all are sent ends the sending.
 * @throws CommandError where the connection breaks; what `bytes` throws
 */
export async function put(call: Put): Promise<PutAnswer> {
  // Not imported, as in the other calls: it would be loaded by every command.
  const { request: open } = process.getBuiltinModule(
    call.url.startsWith('https:') ? 'node:https' : 'node:http',
  )
  const { url, token, headers, signal, idleMs } = call
  const request = open(url, {
    method: 'PUT',
    signal,
    timeout: idleMs,
    headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
  })
  request.on('timeout', () => request.destroy(new Error(`nothing moved for ${idleMs / 1000} s`)))
  const { promise: answered, resolve, reject } = Promise.withResolvers<PutAnswer>()
  answered.catch(() => {})
  let isOver = false
  let isAnswered = false
  /** Whoever waits for room need not go on. */
  const settle = () => {
    isOver = true
    request.emit('drain')
  }
  request.on('error', error => {
    const code = (error as NodeJS.ErrnoException).code ?? error.message
    reject(new CommandError(EXIT.unreachable, `the connection broke (${code})`, { cause: error }))
    settle()
  })
  request.on('response', async response => {
    settle()
    const chunks: Buffer[] = []
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      isAnswered = true
      resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks)) })
    } catch (error) {
      reject(new CommandError(EXIT.unreachable, 'the connection broke before its answer', { cause: error }))
    }
  })
  try {
    for await (const chunk of call.bytes) {
      if (isOver) break
      call.onBytes(chunk.length)
      if (!request.write(chunk)) await new Promise(done => request.once('drain', done))
    }
    if (!isOver) request.end()
    return await answered
  } finally {
    // A connection that took all and answered is good for the next file.
    if (!request.writableFinished || !isAnswered) request.destroy()
  }
}

function parse(bytes: Buffer): PutAnswer['body'] {
  try {
    return JSON.parse(bytes.toString()) as PutAnswer['body']
  } catch {
    return {}
  }
}
