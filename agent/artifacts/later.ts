import type { ArtifactView } from '#protocol/artifact.ts'
import type { Page } from '#protocol/page.ts'
import type { TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import { ApiError } from '../delivery/api.ts'
import type { SpoolMeta } from '../delivery/meta.ts'
import type { Secrets } from '../mask/secrets.ts'
import { isPassing } from './bring.ts'
import { Patience } from './patience.ts'
import { send } from './send.ts'

/** Uploads files of a run that is over. */
interface LaterUploads {
  /** Whether there is a file of this path. */
  has(path: string): Promise<boolean>
  /** @returns what became of it; `again`: another time, or with another token, it may go up */
  send(file: Buffer, path: string): Promise<'sent' | 'outdated' | 'again' | Error>
  /** In the log of the task, and to who looks on. */
  say(level: 'INFO' | 'WARN', message: string): Promise<void>
}

/**
 * @param run whose files these are
 * @param secrets what may not be in them, nor in their paths
 * @param budgetMs for all of them
 * @returns nothing where the task was deleted
 * @throws CommandError where the server cannot be asked
 */
export async function openLaterUploads(
  context: Context,
  { taskId, agentId }: Pick<SpoolMeta, 'taskId' | 'agentId'>,
  secrets: Secrets,
  budgetMs: number,
): Promise<LaterUploads | undefined> {
  const api = await context.api()
  const task = `/tasks/${encodeURIComponent(taskId)}`
  const runner = await api.get<TaskView>(task, { retries: 0 }).catch(error => {
    // Not what stands before a server that is away.
    if (error instanceof ApiError && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (!runner) return undefined
  const deps = {
    api,
    task,
    secrets,
    patience: new Patience(budgetMs, AbortSignal.timeout(Math.max(0, Math.ceil(budgetMs)))),
    idleMs: context.config.timeoutMs,
    onBytes: () => {},
  }
  const has = async (path: string) => {
    const query = new URLSearchParams({ path: secrets.text(path) })
    const { content } = await api.get<Page<ArtifactView>>(`${task}/artifacts?${query}`)
    return content.some(({ complete }) => complete)
  }
  return {
    has,
    async send(file, path) {
      try {
        // What a later run has left there stands.
        if (runner.agentId !== agentId && (await has(path))) return 'outdated'
        await send(deps, { file }, { path })
        return 'sent'
      } catch (error) {
        const mayPass = isPassing(error) || (error instanceof ApiError && [401, 403].includes(error.status))
        return mayPass ? 'again' : (error as Error)
      }
    },
    async say(level, message) {
      context.explain(`task ${taskId}: ${message}`)
      const entry = secrets.report({ source: 'agent', level, message })
      await api.post(`${task}/logs`, entry, { retries: 0 }).catch(error => context.explain(error.message))
    },
  }
}

/** `1 artifact`, `2 artifacts`. */
export function artifactsText(count: number): string {
  return `${count} artifact${count === 1 ? '' : 's'}`
}
