import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { SessionView } from '#protocol/session.ts'
import type { TaskView } from '#protocol/task.ts'
import { TestServer } from '#server/testing/test-server.ts'
import type { Row } from './rows.ts'
import { agentEnvironment, buildAgent, bundle } from './support/agent.ts'
import { residentMb } from './support/memory.ts'
import { percentile } from './support/samples.ts'

const SESSION = 'bench'
const STARTS = 100
const TASKS = 1000
const IDLE_S = 30
const TICKS_A_SECOND = 100

/** What a daemon, as the one file that workspaces have, costs while it waits, how soon it begins, and how fast a queue of small tasks goes. */
export async function daemon(): Promise<Row[]> {
  await buildAgent()
  const server = await TestServer.start()
  await server.post('/sessions', { id: SESSION, name: 'Bench' })
  const child = spawn(
    process.execPath,
    [bundle, 'daemon', '--session-id', SESSION, '--port', '0', '--quiet'],
    {
      env: agentEnvironment(server),
      cwd: server.home,
      stdio: 'ignore',
    },
  )
  try {
    await run(server, 'warm-up')
    await pause(2000)
    const before = cpuSeconds(child.pid!)
    await pause(IDLE_S * 1000)
    const idlePercent = ((cpuSeconds(child.pid!) - before) / IDLE_S) * 100
    const idleMb = residentMb(child.pid!)
    const starts: number[] = []
    for (let index = 0; index < STARTS; index++) starts.push(await run(server, `start-${index}`))
    const perSecond = await drain(server)
    await pause(2000)
    const usedMb = residentMb(child.pid!)
    const startMs = percentile(starts, 0.99)
    return [
      {
        what: 'daemon: queued by REST → started, p99',
        measured: startMs,
        unit: 'ms',
        goal: '≤ 150 ms',
        ok: startMs <= 150,
        note: `p50 ${percentile(starts, 0.5).toFixed(0)} ms`,
      },
      {
        what: `daemon: ${TASKS} tasks of \`true\``,
        measured: perSecond,
        unit: 'tasks/s',
        goal: '≥ 15 tasks/s',
        ok: perSecond >= 15,
      },
      { what: 'daemon: idle memory', measured: idleMb, unit: 'MB', goal: '≤ 70 MB', ok: idleMb <= 70 },
      {
        what: `daemon: idle memory after ${TASKS} tasks`,
        measured: usedMb,
        unit: 'MB',
        goal: '≤ 70 MB',
        ok: usedMb <= 70,
      },
      { what: 'daemon: idle CPU', measured: idlePercent, unit: '%', goal: '≤ 0.5 %', ok: idlePercent <= 0.5 },
    ]
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    await server.dispose()
  }
}

/** Queues a task for a daemon that waits. @returns ms from the call until the task had begun, by the server's clock */
async function run(server: TestServer, id: string): Promise<number> {
  const calledAt = Date.now()
  await server.post(`/sessions/${SESSION}/tasks`, { id, script: 'true' })
  for (;;) {
    const task = (await (await server.api(`/tasks/${id}`)).json()) as TaskView
    if (task.finishedAt) return Date.parse(task.startedAt!) - calledAt
    await pause(5)
  }
}

/** @returns tasks a second from the first one's start until the last one's end */
async function drain(server: TestServer): Promise<number> {
  const ids = Array.from({ length: TASKS }, (_, index) => `task-${index}`)
  const startedAt = performance.now()
  for (const id of ids) await server.post(`/sessions/${SESSION}/tasks`, { id, script: 'true' })
  for (;;) {
    const session = (await (await server.api(`/sessions/${SESSION}`)).json()) as SessionView
    if (session.taskCounts.PENDING + session.taskCounts.PROCESSING === 0) break
    await pause(50)
  }
  return TASKS / ((performance.now() - startedAt) / 1000)
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}
