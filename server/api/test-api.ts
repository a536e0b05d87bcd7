import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import type { Role } from '#protocol/auth.ts'
import { uuidv7 } from '#protocol/ids.ts'
import type { LogEntry } from '#protocol/log.ts'
import type { LogStats } from '#protocol/log-answers.ts'
import type { Page } from '#protocol/page.ts'
import type { Problem } from '#protocol/problem.ts'
import type { TaskView } from '#protocol/task.ts'
import type { StartedTask } from '#protocol/task-calls.ts'
import { createArtifacts } from '#server/artifacts/artifacts.ts'
import { createAuth } from '#server/auth/auth.ts'
import { deleteLogs } from '#server/logs/delete.ts'
import { createIngest } from '#server/logs/ingest.ts'
import { lastLines } from '#server/logs/last-lines.ts'
import { logState } from '#server/logs/log-state.ts'
import { openLogQueries } from '#server/logs/query-pool.ts'
import { sayOnce } from '#server/logs/say-once.ts'
import { createMetrics } from '#server/metrics.ts'
import { openStore } from '#server/store/open.ts'
import { createAutoFixes, type Say } from '#server/tasks/auto-fix.ts'
import { createInputs, type Inputs } from '#server/tasks/input.ts'
import { createObserver } from '#server/tasks/observations.ts'
import { queueDepth } from '#server/tasks/queue.ts'
import { createSessions } from '#server/tasks/sessions.ts'
import { createTasks, type TaskChange } from '#server/tasks/tasks.ts'
import { createApi } from './app.ts'

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** Read as whatever the test expects; `undefined` where it is not JSON. */
  body: Body
}

type Body = Required<Omit<Problem, 'status'>> &
  Page<LogEntry & Omit<TaskView, 'message'>> &
  Required<LogStats> &
  StartedTask & { seq: number; lastSeq: number; cursor: string; key: string }

export const MAX_ARTIFACT_BYTES = 3 * 1024 * 1024
const ALLOWED_ORIGINS = ['https://tools.example']

interface CallOptions {
  /** An object is sent as JSON. */
  body?: unknown
  /** Default: the admin's. `null` for none. */
  key?: string | null
  headers?: Record<string, string>
}

/**
 * The whole API over a real store in a folder of its own.
 * @param onEnd where to leave what closes it: `afterAll` for tests that share it
 */
export async function openApi(onEnd: (close: () => Promise<void>) => void = onTestFinished) {
  const dataDir = await mkdtemp(join(tmpdir(), 'keruta-api-'))
  const location = { kind: 'sqlite' as const, dataDir }
  const store = await openStore(location)
  const queries = openLogQueries(location, { regexBudgetMs: 1000 })
  onEnd(async () => {
    await queries.close()
    await store.close()
    await rm(dataDir, { recursive: true })
  })

  const changes: TaskChange[] = []
  const streams: unknown[][] = []
  /** Tasks whose agents were told that input waits. */
  const typed: string[] = []
  const parts: Record<string, () => Promise<void>> = { store: () => store.ready() }
  const clock = { now: Date.parse('2026-03-01T12:00:00.000Z') }
  const auth = createAuth({
    mode: 'on',
    apiKeys: store.apiKeys,
    jwtSecret: 'a secret that is long enough for tests',
    allowedOrigins: ALLOWED_ORIGINS,
  })
  const metrics = createMetrics(
    () => store.tasks.countBy('status'),
    undefined,
    () => queueDepth(store),
  )
  /** Tasks whose artifacts have changed. */
  const filed: string[] = []
  /** Sessions in which agents asked for work. */
  const asked: string[] = []
  const artifacts = createArtifacts({
    store,
    maxBytes: MAX_ARTIFACT_BYTES,
    onChange: taskId => filed.push(taskId),
    onReceived: metrics.artifactReceived,
    clock: () => clock.now,
    newId: () => uuidv7(),
    idleMs: 1000,
  })
  const tasks = createTasks({
    store,
    segments: store.segments,
    logState: (task, head) => logState(head, task.status, false),
    async deleteLogs(taskId) {
      await artifacts.removeOf(taskId)
      await deleteLogs(store.segments, taskId)
    },
    onChange(change) {
      changes.push(change)
      inputs.onChange(change).catch(() => {})
    },
    clock: () => clock.now,
    newId: () => uuidv7(),
  })
  const sessions = createSessions({
    store,
    removeTask: tasks.remove,
    onChange: () => {},
    serving: () => ({ daemons: 0, lastSeenAt: null }),
    clock: () => clock.now,
    newId: () => uuidv7(),
  })
  const ingest = createIngest({
    segments: store.segments,
    ensureTask: taskId => tasks.ensure(taskId, { name: 'agent' }),
    publish: () => {},
    onCommit: () => {},
    now: () => clock.now,
  })
  const inputs: Inputs = createInputs({
    tasks,
    inputs: store.inputs,
    onInput: taskId => typed.push(taskId),
    clock: () => clock.now,
    newId: uuidv7,
  })
  const say: Say = (...said) => sayOnce(ingest, ...said)
  const autoFixes = createAutoFixes({
    tasks,
    sessions: store.sessions,
    lastLines: (...asked) => lastLines(queries, ...asked),
    say,
    clock: () => clock.now,
  })
  const app = createApi({
    allowedOrigins: ALLOWED_ORIGINS,
    auth,
    tasks,
    sessions,
    artifacts,
    artifactSent: metrics.artifactSent,
    inputs,
    autoFixes,
    observe: createObserver({ tasks, say }),
    queries,
    appendEntries: ingest.appendEntries,
    deleteLogs: (taskId, before) => deleteLogs(store.segments, taskId, before),
    streamLogs: async (...asked) => {
      streams.push(asked)
      return new Response('id: 1\n\n', { headers: { 'Content-Type': 'text/event-stream' } })
    },
    parts,
    metrics,
    agentAsked: sessionId => asked.push(sessionId),
    version: '1.2.3',
    logger: pino({ level: 'silent' }),
  })

  async function keyOf(role: Role, sessionIds?: string[]): Promise<string> {
    return (await auth.keys.create({ name: `the ${role}`, role, sessionIds })).key
  }
  const admin = await keyOf('admin')

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, key = admin } = options
    const json = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
    const response = await app.request(path.startsWith('/') ? path : `/api/v1/${path}`, {
      method,
      body: json ? JSON.stringify(body) : (body as string | Uint8Array<ArrayBuffer> | undefined),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(json ? { 'content-type': 'application/json' } : {}),
        ...options.headers,
      },
    })
    const text = await response.text()
    const isJson = /[/+]json$/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    }
  }

  return {
    app,
    call,
    keyOf,
    auth,
    tasks,
    clock,
    changes,
    streams,
    typed,
    filed,
    asked,
    artifacts,
    inputs,
    parts,
    store,
  }
}
