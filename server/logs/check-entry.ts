import { KerutaError } from '#protocol/errors.ts'
import { MAX_MESSAGE_BYTES, type NewEntry } from '#protocol/log.ts'

const MAX_METADATA_BYTES = 64 * 1024

/**
 * What the schema of an entry cannot say of it.
 * @throws KerutaError TOO_LARGE or BAD_REQUEST that names the entry by its index
 */
export function checkEntry(entry: NewEntry, index: number): void {
  const size = Buffer.byteLength(entry.message)
  if (size > MAX_MESSAGE_BYTES) {
    refuse(
      'TOO_LARGE',
      index,
      'message',
      `has ${size} bytes; at most ${MAX_MESSAGE_BYTES} fit into one entry, so split it`,
    )
  }
  const metadata = entry.metadata ? Buffer.byteLength(JSON.stringify(entry.metadata)) : 0
  if (metadata > MAX_METADATA_BYTES) {
    refuse(
      'TOO_LARGE',
      index,
      'metadata',
      `has ${metadata} bytes as JSON; at most ${MAX_METADATA_BYTES} fit into one entry`,
    )
  }
  if (entry.timestamp && Date.parse(entry.timestamp) < 0)
    refuse('BAD_REQUEST', index, 'timestamp', 'is before 1970')
}

function refuse(code: 'TOO_LARGE' | 'BAD_REQUEST', index: number, field: string, what: string): never {
  const path = `entries.${index}.${field}`
  throw new KerutaError(code, `${path} ${what}`, { errors: [{ path, message: what }] })
}
