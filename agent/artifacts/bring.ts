import type { ArtifactView, NewArtifact } from '#protocol/artifact.ts'
import type { Page } from '#protocol/page.ts'
import { type Api, ApiError } from '../delivery/api.ts'
import { EXIT } from '../exit.ts'
import type { Patience } from './patience.ts'
import { type PutAnswer, put } from './put.ts'
import { ChangedError, type Version } from './source.ts'

export interface BringDeps {
  api: Api
  /** `/tasks/{id}` */
  task: string
  patience: Patience
  /** Without a byte for so long, ms, a connection counts as dead. */
  idleMs: number
  onBytes(bytes: number): void
}

/** What is said of a file beside its size and hash. */
export type Details = Pick<NewArtifact, 'path'> & Partial<Pick<NewArtifact, 'description' | 'metadata'>>

/**
 * Brings a file to the server, going on after cuts where it stood.
 * @throws ChangedError where the file is another by now; CommandError where the server does not take it, or patience has ended
 */
export async function bring(deps: BringDeps, details: Details, file: Version): Promise<ArtifactView> {
  const { api, patience } = deps
  let known: ArtifactView | undefined
  let doubtful = 0
  for (let attempt = 1; ; attempt++) {
    try {
      const artifact = known
        ? await api.get<ArtifactView>(pathOf(known), ONCE)
        : await begin(deps, details, file)
      if (known && artifact.receivedBytes > known.receivedBytes) {
        patience.progress()
        attempt = 1
      }
      known = artifact
      const whole = artifact.complete ? artifact : await sendRest(deps, artifact, file)
      if (whole.sha256 !== (await file.digest())) {
        await api.call('DELETE', pathOf(whole), ONCE)
        throw new ChangedError('it changed while it was uploaded')
      }
      patience.progress()
      return whole
    } catch (error) {
      // Gone: replaced, or never finished for a day. Or the server has not heard of the task yet.
      if (error instanceof ApiError && error.status === 404) known = undefined
      if (isDoubtful(error) && ++doubtful > DOUBTFUL_ATTEMPTS) throw error
      if (!isPassing(error) || !(await patience.again(attempt))) throw error
    }
  }
}

/** Announces it. Where its hash is not known yet, what there is of its path and size may be it, whole or in part. */
async function begin({ api, task }: BringDeps, details: Details, file: Version): Promise<ArtifactView> {
  const { size, sha256 } = file
  const announce = (sha256?: string) =>
    api.post<ArtifactView>(`${task}/artifacts`, { ...details, size, sha256 }, ONCE)
  if (sha256 === undefined) {
    const query = new URLSearchParams({ path: details.path })
    const { content } = await api.get<Page<ArtifactView>>(`${task}/artifacts?${query}`, ONCE)
    const same = content.filter(each => each.size === size)
    const begun = same.find(({ complete }) => !complete)
    if (begun) return begun
    if (same[0]?.sha256 === undefined) return announce()
    const known = await file.digest()
    return announce(same[0].sha256 === known ? known : undefined)
  }
  return announce(sha256)
}

const ONCE = { idempotent: true, retries: 0 }

async function sendRest(deps: BringDeps, artifact: ArtifactView, file: Version): Promise<ArtifactView> {
  const { api, patience, idleMs, onBytes } = deps
  const { size } = file
  const from = artifact.receivedBytes
  const range = from < size ? `bytes ${from}-${size - 1}/${size}` : `bytes */${size}`
  const { status, body } = await put({
    url: `${api.url}/api/v1${pathOf(artifact)}/content`,
    token: api.token,
    headers: { 'content-length': String(size - from), ...(size > 0 && { 'content-range': range }) },
    bytes: file.bytes(from),
    idleMs,
    signal: patience.signal,
    onBytes,
  })
  if (status === 200 && body.complete) return body as ArtifactView
  throw refusal(status, body)
}

function refusal(status: number, { code, detail }: PutAnswer['body']): Error {
  const message = detail ?? `the server answered ${status}`
  return status === 400 ? new ChangedError(message) : new ApiError(status, code, message)
}

/** Half a minute of them: nobody waits for ever for a task that was deleted, or a file that a server fails at. */
const DOUBTFUL_ATTEMPTS = 10

function isDoubtful(error: unknown): boolean {
  return error instanceof ApiError && [404, 500].includes(error.status)
}

/** Whether another attempt may change it. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ApiError)
    return error.status >= 500 || [404, 429].includes(error.status) || error.code === 'OUT_OF_ORDER'
  return (error as { exitCode?: unknown }).exitCode === EXIT.unreachable
}

function pathOf({ id }: ArtifactView): string {
  return `/artifacts/${encodeURIComponent(id)}`
}
