import type { Readable } from 'node:stream'
import type { Artifact } from '#protocol/artifact.ts'

/**
 * What a download carries besides its bytes. It came from a script: a browser saves it, or shows it (`inline`) where that cannot harm, as
 * a page that may do nothing.
 */
export function downloadHeaders(
  { path, contentType, sha256, preview }: Artifact,
  inline: boolean,
): Record<string, string> {
  const kind = preview?.kind ?? 'none'
  const shown = inline && kind !== 'none'
  return {
    'Content-Type': shown && kind === 'text' ? 'text/plain; charset=utf-8' : contentType,
    'Content-Disposition': disposition(shown ? 'inline' : 'attachment', path.split('/').at(-1)!),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': POLICY,
    // For the console's own frames.
    ...(shown && { 'X-Frame-Options': 'SAMEORIGIN' }),
    'Accept-Ranges': 'bytes',
    // What is under an id never changes, but it may be deleted, and not everybody may have it.
    'Cache-Control': 'private, no-cache',
    ETag: `"${sha256}"`,
  }
}

/** Drawings have styles and pictures of their own. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"

/** RFC 6266: the name as UTF-8, and in ASCII for clients that know no better. */
function disposition(type: string, name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_')
  const coded = encodeURIComponent(name).replace(
    /['()*]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${type}; filename="${plain}"; filename*=UTF-8''${coded}`
}

/** As a body of an answer; a chunk is read when the connection has room for it. */
export function streamOf(source: Readable, onBytes: (bytes: number) => void): ReadableStream<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) return controller.close()
        onBytes(value.length)
        controller.enqueue(value)
      },
      cancel() {
        source.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}
