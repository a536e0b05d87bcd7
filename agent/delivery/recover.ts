import type { TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import { removeFolder } from '../remove-folder.ts'
import { ApiError } from './api.ts'
import { BufferPool } from './buffer-pool.ts'
import { killLeftBehind, readMeta, type SpoolMeta, writeMeta } from './meta.ts'
import { SendQueue } from './queue.ts'
import { Sender } from './sender.ts'
import { Spool } from './spool.ts'
import { streamSettings } from './stream-settings.ts'

/**
 * Delivers a spool that is this process's now: the task's start where it was never told, the lines, the end.
 * @returns false where it is left for later, and others would fare no better
 */
export async function deliverSpool(context: Context, dir: string, budgetMs: number): Promise<boolean> {
  const meta = readMeta(dir)!
  if (meta.apiUrl !== context.config.apiUrl) return true
  if (meta.child) killLeftBehind(meta.child)
  const deadline = performance.now() + budgetMs
  try {
    if (meta.start) await tell(context, meta, 'start', meta.start)
  } catch (error) {
    context.explain(
      `lines of task ${meta.taskId} that an earlier agent left are kept: ${(error as Error).message}`,
    )
    // A token for one task alone may not speak for another: that says nothing about the next spool.
    return error instanceof ApiError
  }
  if (!meta.told) {
    const spool = Spool.open(dir)
    const sent = await sendLines(context, meta, spool, deadline - performance.now())
    spool.close()
    if (sent !== 'stored') return sent === 'refused'
    try {
      await tellEnd(context, meta)
    } catch (error) {
      context.explain((error as Error).message)
      writeMeta(dir, { ...meta, start: undefined })
      return false
    }
    context.explain(`delivered what an earlier agent had left of task ${meta.taskId}`)
  }
  if ((meta.keeps || meta.folder) && !(await uploadFiles(context, dir, meta, deadline - performance.now()))) {
    writeMeta(dir, { ...meta, ...TOLD })
    return true
  }
  removeFolder(dir)
  return true
}

const TOLD = { told: true, start: undefined, observations: undefined, finish: undefined }

async function tellEnd(context: Context, meta: SpoolMeta): Promise<void> {
  if (!(await isRunOf(context, meta))) return context.explain(`task ${meta.taskId} was run again since`)
  if (meta.finish) {
    if (meta.observations) await tell(context, meta, 'observations', meta.observations)
    const [verb, end] = Object.entries(meta.finish)[0]!
    await tell(context, meta, verb, { ...end, agentId: meta.agentId })
  } else if (meta.endN === undefined)
    await tell(context, meta, 'fail', { ...AGENT_LOST, agentId: meta.agentId })
}

/** What the run has left beside its lines. @returns whether that is done; where it is not it is tried again */
async function uploadFiles(
  context: Context,
  dir: string,
  meta: SpoolMeta,
  budgetMs: number,
): Promise<boolean> {
  try {
    if (meta.keeps) {
      const { uploadKept } = await import('../artifacts/kept.ts')
      return await uploadKept(context, dir, meta, budgetMs)
    }
    const { uploadLeftBehind } = await import('../artifacts/left-behind.ts')
    return await uploadLeftBehind(context, meta, meta.folder!, budgetMs)
  } catch (error) {
    context.explain(`files of task ${meta.taskId} are kept: ${(error as Error).message}`)
    return false
  }
}

/** A task that was started again since is another run's: the end of the older one says nothing about it. */
async function isRunOf(context: Context, meta: SpoolMeta): Promise<boolean> {
  if (!meta.runs) return false
  const api = await context.api()
  const task = await api.get<TaskView>(`/tasks/${encodeURIComponent(meta.taskId)}`, { retries: 0 })
  return task.agentId === meta.agentId
}

const AGENT_LOST = { message: 'the agent died while the script ran', errorCode: 'AGENT_LOST' }

async function sendLines(
  context: Context,
  meta: SpoolMeta,
  spool: Spool,
  budgetMs: number,
): Promise<'stored' | 'refused' | 'late'> {
  const settings = streamSettings(context.config)
  const pool = new BufferPool()
  const queue = new SendQueue(spool, pool, settings.bufferLines)
  const n = queue.recover()
  if (n === 0 && meta.endN === undefined) return 'stored'
  let lastProgress = performance.now()
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<'refused' | 'late'>()
  const { promise: allArrived, resolve: arrived } = Promise.withResolvers<void>()
  // Whose stream was cut, by its agent's death or a full disk, printed more than there is: nobody may call it complete.
  const isCut = () => meta.endN === undefined || (n < meta.endN && sender.storedN < meta.endN)
  const look = () => {
    lastProgress = performance.now()
    if (isCut() && sender.storedN >= n) arrived()
  }
  const sender = new Sender({
    ...settings,
    url: `${settings.websocketUrl}/${encodeURIComponent(meta.taskId)}`,
    token: () => context.config.token,
    streamId: meta.streamId,
    agentId: meta.agentId,
    queue,
    spool,
    pool,
    on: {
      stored: look,
      connected: look,
      cancel: () => {},
      lost: () => {},
      trouble: (message, fatal) => {
        context.explain(message)
        if (fatal) giveUp('refused')
      },
    },
  })
  const check = setInterval(() => performance.now() - lastProgress > budgetMs && giveUp('late'), 50)
  sender.start()
  const complete = meta.endN === undefined ? [] : [sender.end(meta.endN)]
  const done = await Promise.race([
    gaveUp,
    ...[allArrived, ...complete].map(each => each.then(() => 'stored' as const)),
  ])
  clearInterval(check)
  sender.stop()
  return done
}

async function tell(context: Context, meta: SpoolMeta, verb: string, body: unknown): Promise<void> {
  const api = await context.api()
  try {
    await api.post(`/tasks/${encodeURIComponent(meta.taskId)}/${verb}`, body, {
      idempotent: true,
      retries: 0,
    })
  } catch (error) {
    // It has ended meanwhile, by the script's own word or an operator's: that stands.
    if (!(error instanceof ApiError && error.status === 409)) throw error
  }
}
