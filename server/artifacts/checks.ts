import type { Artifact, NewArtifact } from '#protocol/artifact.ts'
import { isDeeperThan, MAX_METADATA_DEPTH } from '#protocol/depth.ts'
import { KerutaError } from '#protocol/errors.ts'

const MIB = 1024 * 1024
const MAX_METADATA_CHARS = 64 * 1024
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?$/

export function tooLarge(maxBytes: number): KerutaError {
  const limit = `${Math.round((maxBytes / MIB) * 1000) / 1000} MB`
  const message = `an artifact has at most ${limit} here (the server's KERUTA_MAX_ARTIFACT_MB): nothing of it was kept`
  return new KerutaError('TOO_LARGE', message)
}

/** @throws KerutaError TOO_LARGE, BAD_REQUEST */
export function checkNew(input: Partial<NewArtifact>, maxBytes: number): void {
  if (input.size !== undefined && input.size > maxBytes) throw tooLarge(maxBytes)
  if (input.contentType !== undefined && !MEDIA_TYPE.test(input.contentType))
    throw refused('contentType', 'must be a media type such as text/plain')
  if (isDeeperThan(input.metadata, MAX_METADATA_DEPTH))
    throw refused('metadata', `is nested more than ${MAX_METADATA_DEPTH} deep`)
  const metadata = JSON.stringify(input.metadata ?? {})
  if (metadata.length > MAX_METADATA_CHARS)
    throw refused('metadata', `is over ${MAX_METADATA_CHARS} characters as JSON`)
  if (metadata.includes('\\u0000')) throw refused('metadata', 'holds a NUL character')
}

/** Where a part of a file belongs, as its sender says. */
export interface Place {
  offset: number
  /** Of the part and of the whole file, where they are said. */
  length?: number
  total?: number
}

/** Before any byte is taken. @throws KerutaError BAD_REQUEST where it is not what was announced */
export function checkPlace(
  { size, path }: Artifact,
  { offset, length, total }: Place,
  isPart: boolean,
): void {
  if (total !== undefined && total !== size)
    throw refused('Content-Range', `says ${total} bytes in all, and ${path} was announced with ${size}`)
  if (length === undefined) return
  if (offset + length > size)
    throw refused('', `the body ends at ${offset + length}, and ${path} was announced with ${size} bytes`)
  if (!isPart && length < size)
    throw refused('', `the body has ${length} of ${path}'s ${size} bytes: say which by Content-Range`)
}

function refused(path: string, message: string): KerutaError {
  return new KerutaError('BAD_REQUEST', `${path} ${message}`.trim(), { errors: [{ path, message }] })
}
