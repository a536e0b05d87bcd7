import type { ArtifactView } from '#protocol/artifact.ts'
import type { Secrets } from '../mask/secrets.ts'
import { type BringDeps, bring, type Details } from './bring.ts'
import { ChangedError, openVersion, snapshot } from './source.ts'

export interface SendDeps extends BringDeps {
  secrets: Secrets
}

/** What is to be sent. */
export interface Sendable {
  file: Buffer
  /** The folder that it must lie in. */
  root?: string
}

/** A file that changes while it is sent is copied after so many attempts. */
const ATTEMPTS_AT_CHANGING = 2

/**
 * Sends a file until the server has it whole. One that changes meanwhile is sent as it is at last.
 * @throws CommandError where the server does not take it, or patience has ended; what the file system throws
 */
export async function send(
  deps: SendDeps,
  { file, root }: Sendable,
  details: Details,
): Promise<ArtifactView> {
  const { secrets } = deps
  const said = secrets.report(details)
  for (let attempt = 1; attempt <= ATTEMPTS_AT_CHANGING; attempt++) {
    try {
      return await bring(deps, said, await openVersion(file, root, secrets))
    } catch (error) {
      if (!(error instanceof ChangedError)) throw error
    }
  }
  const copy = await snapshot(file, root)
  try {
    return await bring(deps, said, await openVersion(copy.file, undefined, secrets))
  } finally {
    await copy.remove()
  }
}
