import type { ExportPlace, ExportStep } from './export.ts'

/** What may wait for a slow reader. */
const AHEAD_BYTES = 512 * 1024
const CHUNK_BYTES = 256 * 1024

/**
 * An export as a stream. Each step is asked for when the reader has room for it, and none after the reader has gone. The first is
 * awaited here, so that what fails at once rejects instead of cutting a file that has begun.
 * @param ask for the step that follows a place
 */
export async function exportStream(
  ask: (from: ExportPlace | undefined) => Promise<ExportStep>,
): Promise<ReadableStream<Uint8Array>> {
  let first: ExportStep | undefined = await ask(undefined)
  let place: ExportPlace | undefined
  let cancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let step: ExportStep
        do {
          step = first ?? (await ask(place))
          first = undefined
          place = step.next
        } while (step.bytes.length === 0 && place && !cancelled)
        if (cancelled) return
        for (let at = 0; at < step.bytes.length; at += CHUNK_BYTES)
          controller.enqueue(step.bytes.subarray(at, at + CHUNK_BYTES))
        if (!place) controller.close()
      },
      cancel() {
        cancelled = true
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: AHEAD_BYTES }),
  )
}
