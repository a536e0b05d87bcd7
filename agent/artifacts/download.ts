import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { ArtifactView } from '#protocol/artifact.ts'
import type { Api } from '../delivery/api.ts'
import { CommandError, EXIT } from '../exit.ts'
import type { Patience } from './patience.ts'

/**
 * Fetches an artifact into a file, which is there whole or not at all.
 * @throws CommandError, the file system's error
 */
export async function downloadTo(
  target: string,
  api: Api,
  artifact: ArtifactView,
  patience: Patience,
): Promise<void> {
  const part = `${target}.${process.pid}.part`
  try {
    await pipeline(download(api, artifact, patience), createWriteStream(part))
    await rename(part, target)
  } finally {
    await rm(part, { force: true })
  }
}

/**
 * An artifact's bytes; a download that is cut goes on where it stood.
 * @throws CommandError where the server does not give it, or gives other bytes than it says
 */
export async function* download(
  api: Api,
  { id, size, sha256, path }: ArtifactView,
  patience: Patience,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let at = 0
  for (let attempt = 1; at < size || attempt === 1; attempt++) {
    try {
      const headers = { range: `bytes=${at}-`, 'if-range': `"${sha256}"` }
      const call = { raw: true, retries: 0, signal: patience.signal, ...(at > 0 && { headers }) }
      const response = await api.call<Response>('GET', `/artifacts/${encodeURIComponent(id)}/content`, call)
      if (at > 0 && response.status !== 206)
        throw new CommandError(EXIT.failure, `${path} was replaced while it was fetched`)
      for await (const chunk of response.body ?? []) {
        at += chunk.length
        hash.update(chunk)
        patience.progress()
        attempt = 1
        yield chunk
      }
    } catch (error) {
      const isCut = !(error instanceof CommandError) || error.exitCode === EXIT.unreachable
      if (!isCut || !(await patience.again(attempt))) throw error
    }
  }
  if (hash.digest('hex') !== sha256)
    throw new CommandError(EXIT.failure, `the bytes of ${path} are not those that were uploaded`)
}
