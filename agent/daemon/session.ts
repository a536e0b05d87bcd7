import type { Page } from '#protocol/page.ts'
import type { SessionView } from '#protocol/session.ts'
import type { Context } from '../context.ts'
import { backoffMs } from '../delivery/backoff.ts'
import { CommandError, EXIT, usageError } from '../exit.ts'

const LONGEST_WAIT_MS = 5000

/**
 * The session to serve: the one that is named, or the ACTIVE one of this workspace. Waits for a server that is away.
 * @param signal gives up; then there is no answer
 * @throws CommandError where there is none, or several, or the server refuses
 */
export async function findSession(context: Context, signal: AbortSignal): Promise<string | undefined> {
  const { sessionId, workspaceId } = context.config
  if (sessionId !== undefined) return sessionId
  if (workspaceId === undefined)
    throw usageError(
      'which session? Give --session-id, or set KERUTA_SESSION_ID, or KERUTA_WORKSPACE_ID for the session of a workspace',
    )
  let said = false
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await ofWorkspace(context, workspaceId)
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode !== EXIT.unreachable) throw error
      if (!said) context.warn(`${error.message}; trying again until it answers`)
      said = true
      await sleep(backoffMs(attempt, LONGEST_WAIT_MS, Math.random()), signal)
    }
  }
  return undefined
}

async function ofWorkspace(context: Context, workspaceId: string): Promise<string> {
  const api = await context.api()
  const query = new URLSearchParams({ workspaceId, status: 'ACTIVE' })
  const { content } = await api.get<Page<SessionView>>(`/sessions?${query}`, { retries: 0 })
  const [session, ...others] = content
  if (!session)
    throw new CommandError(
      EXIT.failure,
      `no ACTIVE session has the workspace ${workspaceId}; create one with it, or name a session with --session-id`,
    )
  if (others.length > 0)
    throw new CommandError(
      EXIT.failure,
      `several ACTIVE sessions have the workspace ${workspaceId}: ${content.map(({ id }) => id).join(', ')}; choose one with --session-id`,
    )
  return session.id
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
