import { KerutaError } from '#protocol/errors.ts'

export interface ArrivingOptions {
  /** Whether a sender counts as gone after so long without a byte, ms. */
  isGone(silentMs: number): boolean
  /** Most bytes that are taken, and what is said of more. */
  limit: number
  tooMuch(): KerutaError
  onBytes(chunk: Uint8Array): void
}

const LOOK_MS = 100

/** A body as it comes, as fast or slow as its sender is; one that breaks off is a KerutaError, too. */
export async function* arriving(
  body: AsyncIterable<Uint8Array>,
  { isGone, limit, tooMuch, onBytes }: ArrivingOptions,
): AsyncGenerator<Uint8Array> {
  const source = body[Symbol.asyncIterator]()
  let askedAt = 0
  let giveUp: ((error: Error) => void) | undefined
  const look = setInterval(() => {
    const silentMs = performance.now() - askedAt
    if (isGone(silentMs)) giveUp?.(brokeOff(`nothing came for ${Math.round(silentMs / 100) / 10} seconds`))
  }, LOOK_MS)
  try {
    for (let left = limit; ; ) {
      askedAt = performance.now()
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        giveUp = reject
        source.next().then(resolve, error => reject(brokeOff('it was cut', error)))
      })
      // Who waits from here on is the store.
      giveUp = undefined
      if (next.done) return
      const chunk = next.value
      if (chunk.length > left) throw tooMuch()
      left -= chunk.length
      onBytes(chunk)
      yield chunk
    }
  } finally {
    clearInterval(look)
  }
}

function brokeOff(how: string, cause?: unknown): KerutaError {
  return new KerutaError('BAD_REQUEST', `the body broke off before its end: ${how}`, { cause })
}
