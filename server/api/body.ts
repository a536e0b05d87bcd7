import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Context, MiddlewareHandler } from 'hono'
import { KerutaError } from '#protocol/errors.ts'
import { MAX_FRAME_BYTES } from '#protocol/frames.ts'

const unzip = promisify(gunzip)

export const JSON_TYPE = 'application/json'

/** Reads a JSON body before the schema does, so that what is wrong with it can be told. No body at all is `{}`. */
export const readsJson: MiddlewareHandler = async (c, next) => {
  const text = await readText(c, [JSON_TYPE])
  const empty = text.trim() === ''
  if (!empty) parseJson(text)
  const headers = new Headers(c.req.raw.headers)
  headers.set('content-type', JSON_TYPE)
  // Not `new Request(c.req.raw, …)`: behind a socket that is the adapter's own object, which undici does not know.
  c.req.raw = new Request(c.req.url, { method: c.req.method, headers, body: empty ? '{}' : text })
  await next()
}

/**
 * The body as text, gunzipped where it says so.
 * @param types media types that are taken; `text/*` for any text
 */
export async function readText(c: Context, types: readonly string[]): Promise<string> {
  const bytes = await decoded(c, await readBytes(c))
  if (bytes.length > 0) checkType(mediaType(c), types)
  if (isUtf8(bytes)) return bytes.toString('utf8').replace(/^\uFEFF/, '')
  throw new KerutaError('BAD_REQUEST', 'the body is not UTF-8 text')
}

export function mediaType(c: Context): string {
  return (c.req.header('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
}

/** @param at where the text begins, as the message says it */
export function parseJson(text: string, at = 'the body', path = ''): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = `${at} is not JSON: ${whereIn(text, (error as Error).message)}`
    throw new KerutaError('BAD_REQUEST', message, { errors: [{ path, message }], cause: error })
  }
}

function whereIn(text: string, message: string): string {
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN)
  if (Number.isNaN(position)) return message
  const before = text.slice(0, position).split('\n')
  const reason = message.replace(/ in JSON at position.*$/s, '').replace(/ at position.*$/s, '')
  return `${reason} at line ${before.length}, column ${before.at(-1)!.length + 1}`
}

function checkType(type: string, types: readonly string[]): void {
  const fits = types.some(known =>
    known.endsWith('/*') ? type.startsWith(known.slice(0, -1)) : type === known,
  )
  if (fits) return
  const said =
    type === '' ? 'the body has no Content-Type' : `Content-Type ${type.slice(0, 100)} is not taken here`
  throw new KerutaError('UNSUPPORTED_MEDIA_TYPE', `${said}; send ${types.join(' or ')}`)
}

async function readBytes(c: Context): Promise<Buffer> {
  if (Number(c.req.header('content-length') ?? 0) > MAX_FRAME_BYTES) throw tooLarge()
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of c.req.raw.body ?? []) {
      size += part.length
      if (size > MAX_FRAME_BYTES) throw tooLarge()
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof KerutaError) throw error
    throw new KerutaError('BAD_REQUEST', 'the body broke off before its end', { cause: error })
  }
  return Buffer.concat(parts)
}

async function decoded(c: Context, bytes: Buffer): Promise<Buffer> {
  const encoding = (c.req.header('content-encoding') ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || bytes.length === 0) return bytes
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw new KerutaError(
      'UNSUPPORTED_MEDIA_TYPE',
      `Content-Encoding ${encoding.slice(0, 40)} is not taken; send gzip or none`,
    )
  try {
    return await unzip(bytes, { maxOutputLength: MAX_FRAME_BYTES })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new KerutaError('BAD_REQUEST', 'the body says Content-Encoding gzip and is not', { cause: error })
  }
}

function tooLarge(): KerutaError {
  return new KerutaError(
    'TOO_LARGE',
    `the body is over ${MAX_FRAME_BYTES} bytes (unpacked); send it in parts`,
  )
}
