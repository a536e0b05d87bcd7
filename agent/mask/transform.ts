import { Transform } from 'node:stream'
import type { Secrets } from './secrets.ts'
import { MaskStream } from './stream.ts'

/** A file's or another stream's bytes with the secrets replaced by stars; the length may change. */
export function maskTransform(secrets: Secrets): Transform {
  const stream = new MaskStream(secrets, bytes => transform.push(Buffer.from(bytes)))
  const transform: Transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      stream.push(chunk)
      done()
    },
    flush(done) {
      stream.end()
      done()
    },
  })
  return transform
}
