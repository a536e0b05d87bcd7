import { KerutaError } from '#protocol/errors.ts'

export interface ArrivingOptions {
  /** Without a byte for so long, ms, the sender counts as gone. */
  idleMs: number
  /** Most bytes that are taken, and what is said of more. */
  limit: number
  tooMuch(): KerutaError
  onBytes(chunk: Uint8Array): void
}

/** A body as it comes, as fast or slow as its sender is; one that breaks off is a KerutaError, too. */
export async function* arriving(
  body: AsyncIterable<Uint8Array>,
  { idleMs, limit, tooMuch, onBytes }: ArrivingOptions,
): AsyncGenerator<Uint8Array> {
  const source = body[Symbol.asyncIterator]()
  for (let left = limit; ; ) {
    const next = await within(idleMs, source.next())
    if (next.done) return
    const chunk = next.value
    if (chunk.length > left) throw tooMuch()
    left -= chunk.length
    onBytes(chunk)
    yield chunk
  }
}

async function within<T>(ms: number, next: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(brokeOff(`nothing came for ${ms / 1000} seconds`)), ms)
  })
  try {
    return await Promise.race([next, silence])
  } catch (error) {
    throw error instanceof KerutaError ? error : brokeOff('it was cut', error)
  } finally {
    clearTimeout(timer)
  }
}

function brokeOff(how: string, cause?: unknown): KerutaError {
  return new KerutaError('BAD_REQUEST', `the body broke off before its end: ${how}`, { cause })
}
