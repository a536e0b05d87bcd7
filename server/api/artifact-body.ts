import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { KerutaError } from '#protocol/errors.ts'
import { mediaType } from './body.ts'

/** A request's body, chunk by chunk; `length` where it is said before. */
export interface RawBody {
  length: number | undefined
  chunks: AsyncIterable<Uint8Array>
}

/** @throws KerutaError UNSUPPORTED_MEDIA_TYPE where the body is not the file itself */
export function rawBody(c: Context): RawBody {
  const encoding = c.req.header('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity')
    throw unsupported(`Content-Encoding ${encoding.slice(0, 40)} is not taken here: send the file as it is`)
  if (mediaType(c) === 'multipart/form-data')
    throw unsupported(
      'a form is not taken here: send the file itself as the body, such as by curl --upload-file',
    )
  const length = c.req.header('content-length')
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  return {
    length: length === undefined ? undefined : Number(length),
    // Whoever stops in the middle still wants to answer.
    chunks: incoming?.iterator({ destroyOnReturn: false }) ?? c.req.raw.body ?? nothing(),
  }
}

/** The sender's, unless its program says the same of every file. */
export function contentTypeOf(c: Context): string | undefined {
  const type = mediaType(c)
  const saysNothing = ['', 'application/octet-stream', 'application/x-www-form-urlencoded'].includes(type)
  return saysNothing ? undefined : c.req.header('content-type')
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function unsupported(message: string): KerutaError {
  return new KerutaError('UNSUPPORTED_MEDIA_TYPE', message)
}
