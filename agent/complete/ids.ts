import type { Page } from '#protocol/page.ts'
import type { Session } from '#protocol/session.ts'
import type { Task } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import { oneLine } from '../show/text.ts'
import type { Candidate } from './candidates.ts'

interface Asked {
  partial: string
  /** Of the command line that is being typed: `--api-url` may stand there. */
  flags: Record<string, string>
  status?: string
}

/** Longer than that nobody waits for a completion. */
const TIMEOUT_MS = 1000
const MOST = 200

/** Tasks whose id begins so, the newest first; none where the server does not answer at once. */
export function taskIds(context: Context, asked: Asked): Promise<Candidate[]> {
  return list<Task>(context, 'tasks', asked, ({ id, status, name }) => ({
    word: id,
    about: `${status} ${oneLine(name)}`,
  }))
}

/** Sessions whose id begins so; none where the server does not answer at once. */
export function sessionIds(context: Context, asked: Asked): Promise<Candidate[]> {
  // Sessions are searched by name: the partial id is left out of the question.
  return list<Session>(context, 'sessions', { ...asked, partial: '' }, ({ id, status, name }) => ({
    word: id,
    about: `${status} ${oneLine(name)}`,
  }))
}

async function list<T>(
  { config }: Context,
  what: string,
  { partial, flags, status }: Asked,
  candidate: (item: T) => Candidate,
): Promise<Candidate[]> {
  try {
    const { Api } = await import('../delivery/api.ts')
    const api = new Api({
      url: flags['--api-url']?.replace(/\/+$/, '').replace(/\/api\/v1$/, '') ?? config.apiUrl,
      token: flags['--token'] ?? config.token,
      timeoutMs: TIMEOUT_MS,
      retries: 0,
    })
    const query = new URLSearchParams({
      size: String(MOST),
      ...(partial && { search: partial }),
      ...(status && { status }),
    })
    return (await api.get<Page<T>>(`/${what}?${query}`)).content.map(candidate)
  } catch {
    return []
  }
}
