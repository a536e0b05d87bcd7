import type { IncomingMessage } from 'node:http'
import { spoolBytes } from '../delivery/spool-bytes.ts'
import type { HttpOptions } from './http.ts'
import { HttpProblem } from './http-guard.ts'
import { readInput } from './http-input.ts'

interface Answer {
  status: number
  body: unknown
}
type Route = (req: IncomingMessage, options: HttpOptions, query: URLSearchParams) => Promise<Answer> | Answer

const ROUTES: Record<string, Record<string, Route>> = {
  '/health': { GET: health },
  '/status': { GET: status },
  '/input': { POST: input },
  '/stop': { POST: stop },
}

/** @throws HttpProblem */
export async function routes(req: IncomingMessage, options: HttpOptions): Promise<Answer> {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://daemon')
  const methods = ROUTES[pathname]
  if (!methods) {
    const known = Object.entries(ROUTES).map(([path, by]) => `${Object.keys(by)} ${path}`)
    throw new HttpProblem(404, `there is no ${pathname} here; there are ${known.join(', ')}`)
  }
  const route = methods[req.method === 'HEAD' ? 'GET' : (req.method ?? '')]
  if (!route) {
    const allow = Object.keys(methods).join(', ')
    throw new HttpProblem(405, `${pathname} takes ${allow}, not ${req.method}`, { allow })
  }
  return route(req, options, searchParams)
}

/** 503 where it takes no tasks: the server is away, or it is ending. */
function health(_req: IncomingMessage, { state }: HttpOptions): Answer {
  const trouble = state.ending ? `ending: ${state.ending}` : state.trouble
  return trouble === undefined
    ? { status: 200, body: { status: 'ok', sessionId: state.sessionId } }
    : { status: 503, body: { status: 'unavailable', sessionId: state.sessionId, reason: trouble } }
}

function status(_req: IncomingMessage, { state, config }: HttpOptions): Answer {
  const body = {
    ...state.describe(),
    apiUrl: config.apiUrl,
    spoolBytes: spoolBytes(config),
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
  }
  return { status: 200, body }
}

async function input(req: IncomingMessage, { state }: HttpOptions): Promise<Answer> {
  const { taskId, ...given } = await readInput(req)
  const { current } = state
  if (!current) throw new HttpProblem(409, 'no task runs now: see GET /status')
  if (taskId !== undefined && taskId !== current.taskId)
    throw new HttpProblem(409, `task ${current.taskId} runs, not ${taskId}`)
  try {
    if (!current.run) throw new Error('the task is being prepared')
    await current.run.give({ ...given, by: 'daemon' })
  } catch (error) {
    throw new HttpProblem(409, (error as Error).message)
  }
  return { status: 200, body: { taskId: current.taskId, taken: true } }
}

function stop(_req: IncomingMessage, { state, shutdown, log }: HttpOptions, query: URLSearchParams): Answer {
  const now = query.has('now') && query.get('now') !== 'false'
  log.info(`POST /stop: ending${now ? ' at once' : ''}`)
  shutdown.ask('POST /stop', now)
  const { current } = state
  const ending = current
    ? now
      ? `task ${current.taskId} is stopped and handed back`
      : `task ${current.taskId} may finish within the grace time, or is handed back`
    : 'no task runs'
  return { status: 202, body: { status: 'ending', detail: ending } }
}
