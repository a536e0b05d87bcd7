import type { Artifact, ArtifactView, NewArtifact } from '#protocol/artifact.ts'
import { KerutaError } from '#protocol/errors.ts'
import type { BlobStore, Store } from '#server/store/store.ts'
import { checkNew, checkPlace, type Place } from './checks.ts'
import type { FileFacts } from './digest.ts'
import { shownAs, typeOf } from './preview.ts'
import { createTurns } from './turns.ts'
import { NotAsSaid, receive, type Upload } from './upload.ts'

export interface ArtifactsDeps {
  store: Pick<Store, 'tasks' | 'artifacts' | 'blobs'>
  /** An artifact may not be larger. */
  maxBytes: number
  /** A task has another list of artifacts now. */
  onChange(taskId: string): void
  onReceived(bytes: number): void
  /** Milliseconds since the epoch. */
  clock(): number
  /** Rises with time. */
  newId(): string
  /** An upload without a byte for so long, ms, counts as cut; a sixth of that where another one waits for its turn. */
  idleMs?: number
}

/** A file that comes in one call: what is known of it before. */
export type DirectArtifact = Pick<NewArtifact, 'path' | 'contentType' | 'description'> & {
  size?: number
  sha256?: string
}

/** The files that tasks leave behind. An unknown one is NOT_FOUND. */
export interface Artifacts {
  find(id: string): Promise<Artifact | undefined>
  view(artifact: Artifact): Promise<ArtifactView>
  /** By path; whole ones, and those on their way. */
  list(query: ArtifactQuery): Promise<{ artifacts: ArtifactView[]; total: number }>
  /** Says what is to come. The same file of this path, whole or not, is answered where there is one. */
  announce(taskId: string, input: NewArtifact): Promise<Artifact>
  /**
   * Takes bytes of an announced file; the last one makes it whole, and it takes the place of older ones of its path. Two that bring the
   * same file at once take turns.
   * @param isPart whether the body may end before the file does
   */
  receive(id: string, place: Place, isPart: boolean, body: AsyncIterable<Uint8Array>): Promise<Artifact>
  /** A file in one call, of any length. Without its sha256 nothing is kept of one that is cut. */
  put(taskId: string, input: DirectArtifact, body: AsyncIterable<Uint8Array>): Promise<Artifact>
  /** The bytes from `start` up to but not `end`. Destroy what is not read to its end. */
  open(artifact: Artifact, start: number, end: number): ReturnType<BlobStore['read']>
  remove(id: string): Promise<void>
  removeOf(taskId: string): Promise<void>
  /** Removes uploads that nobody has gone on with for a day; how many. */
  sweep(): Promise<number>
  /** Resolves when no upload is in progress. */
  idle(): Promise<void>
}

export interface ArtifactQuery {
  taskId: string
  /** This one only. */
  path?: string
  page: number
  size: number
}

const DAY_MS = 24 * 3_600_000
const IDLE_MS = 30_000

export function createArtifacts(deps: ArtifactsDeps): Artifacts {
  const { artifacts, blobs, tasks } = deps.store
  const { maxBytes } = deps
  const turns = createTurns()
  const { idleMs = IDLE_MS, onReceived } = deps
  const isGone = (id: string, silentMs: number) => silentMs > (turns.awaited(id) ? idleMs / 6 : idleMs)
  const uploads = { blobs, maxBytes, isGone, onReceived }
  const now = () => new Date(deps.clock()).toISOString()

  async function view(artifact: Artifact): Promise<ArtifactView> {
    return { ...artifact, receivedBytes: artifact.complete ? artifact.size : await blobs.size(artifact.id) }
  }

  async function insert(taskId: string, input: DirectArtifact & Partial<NewArtifact>): Promise<Artifact> {
    const { path, size = 0, sha256 = null, description = null, metadata = {} } = input
    const artifact: Artifact = {
      id: deps.newId(),
      taskId,
      path,
      size,
      contentType: input.contentType ?? typeOf(path),
      sha256,
      description,
      metadata,
      complete: false,
      preview: null,
      createdAt: now(),
    }
    await artifacts.insert(artifact)
    // The task may have been deleted, with all its artifacts but this one, since the caller saw it.
    if (!(await tasks.get(taskId))) {
      await artifacts.remove({ id: artifact.id })
      throw new KerutaError('NOT_FOUND', `there is no task ${taskId}`)
    }
    deps.onChange(taskId)
    return artifact
  }

  async function remove({ id, taskId }: Artifact): Promise<void> {
    // In this order what a kill leaves in the middle is found again, by `sweep` at the latest.
    await artifacts.update({ id }, { complete: false })
    await blobs.remove(id)
    await artifacts.remove({ id })
    deps.onChange(taskId)
  }

  async function take(artifact: Artifact, upload: Upload): Promise<Artifact> {
    try {
      const facts = await receive(uploads, artifact, upload)
      return facts ? await finish(artifact, facts) : artifact
    } catch (error) {
      const there = await artifacts.get(artifact.id)
      if (!there || there.complete) return replaced(artifact)
      const isLost = upload.size === undefined || error instanceof NotAsSaid
      // What cannot be removed now, `sweep` removes.
      if (isLost) await remove(artifact).catch(() => {})
      throw error
    }
  }

  async function finish(artifact: Artifact, { size, sha256, head }: FileFacts): Promise<Artifact> {
    const { id, taskId, path } = artifact
    const whole = {
      complete: true,
      size,
      sha256,
      ...shownAs(artifact.contentType, head),
      createdAt: now(),
    }
    if ((await artifacts.update({ id, complete: false }, whole)) === 0) return replaced(artifact)
    deps.onChange(taskId)
    // Of several that become whole at once, every one finds the same newest.
    const rivals = await artifacts.find({ where: { taskId, path } })
    const newest = rivals.reduce((a, b) => (b.complete && b.id > a.id ? b : a), artifact)
    for (const rival of rivals) if (rival.id < newest.id) await remove(rival)
    return { ...artifact, ...whole }
  }

  /** While its bytes came it became whole on another server, or went: for the same file under another id, or for something else. */
  async function replaced({ id, taskId, path, sha256 }: Artifact): Promise<Artifact> {
    const there = await artifacts.get(id)
    if (there?.complete) return there
    await blobs.remove(id)
    const where = { taskId, path, sha256, complete: true }
    const [same] = sha256 === null ? [] : await artifacts.find({ where, limit: 1 })
    if (same) return same
    throw new KerutaError('NOT_FOUND', `${path} was deleted, or replaced by a newer one, while it came`)
  }

  async function announceNext(taskId: string, input: NewArtifact): Promise<Artifact> {
    const { path, size, sha256, description, metadata } = input
    if (sha256 === undefined) return insert(taskId, input)
    const [same] = await artifacts.find({
      where: { taskId, path, size, sha256 },
      orderBy: [['id', 'desc']],
      limit: 1,
    })
    if (!same) return insert(taskId, input)
    const patch = {
      ...(description !== undefined && { description }),
      ...(Object.keys(metadata).length > 0 && { metadata }),
      ...(!same.complete && { createdAt: now() }),
    }
    if (Object.keys(patch).length > 0) await artifacts.update({ id: same.id }, patch)
    return { ...same, ...patch }
  }

  async function announce(taskId: string, input: NewArtifact): Promise<Artifact> {
    checkNew(input, maxBytes)
    return turns.take(`${taskId}/${input.path}`, () => announceNext(taskId, input))
  }

  async function get(id: string): Promise<Artifact> {
    const artifact = await artifacts.get(id)
    if (artifact) return artifact
    throw new KerutaError('NOT_FOUND', `there is no artifact ${id}`)
  }

  const receiveNext: Artifacts['receive'] = (id, place, isPart, body) =>
    turns.take(id, async () => {
      const artifact = await get(id)
      if (artifact.complete) return artifact
      checkPlace(artifact, place, isPart)
      await artifacts.update({ id }, { createdAt: now() })
      return take(artifact, { offset: place.offset, body, isPart, size: artifact.size })
    })

  return {
    find: id => artifacts.get(id),
    view,
    async list({ taskId, path, page, size }) {
      const where = { taskId, ...(path !== undefined && { path }) }
      const [found, total] = await Promise.all([
        artifacts.find({ where, orderBy: [['path', 'asc']], offset: page * size, limit: size }),
        artifacts.count(where),
      ])
      return { artifacts: await Promise.all(found.map(view)), total }
    },
    announce,
    receive: receiveNext,
    async put(taskId, input, body) {
      checkNew(input, maxBytes)
      const { size, sha256 } = input
      if (size !== undefined && sha256 !== undefined) {
        const { id } = await announce(taskId, { ...input, size, sha256, metadata: {} })
        return receiveNext(id, { offset: 0, length: size }, false, body)
      }
      const artifact = await insert(taskId, input)
      return turns.take(artifact.id, () =>
        take(artifact, { offset: 0, body, isPart: false, size: undefined }),
      )
    },
    open: ({ id }, start, end) => blobs.read(id, start, end),
    async remove(id) {
      await remove(await get(id))
    },
    async removeOf(taskId) {
      for (;;) {
        const some = await artifacts.find({ where: { taskId }, limit: 100 })
        if (some.length === 0) return
        for (const artifact of some) await remove(artifact)
      }
    },
    async sweep() {
      const before = new Date(deps.clock() - DAY_MS).toISOString()
      const left = await artifacts.find({ where: { complete: false, createdAt: { lt: before } } })
      const gone = left.filter(({ id }) => !turns.busy(id))
      for (const artifact of gone) await remove(artifact)
      return gone.length
    },
    idle: turns.idle,
  }
}
