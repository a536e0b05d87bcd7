import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '#protocol/session.ts'
import type { TaskView } from '#protocol/task.ts'
import { TestServer } from '#server/testing/test-server.ts'
import { Agent } from './agent.ts'
import { until } from './until.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.post('/sessions', { id: 's', name: 's' })
})
afterAll(() => server.dispose())

const taskOf = async (id: string) => (await (await server.api(`/tasks/${id}`)).json()) as TaskView

/** What is left of a daemon that dies between its claim and its first sign of life. */
async function claimAndDie(id: string, maxAttempts: number): Promise<void> {
  await server.post('/sessions/s/tasks', { id, script: 'echo ran', maxAttempts })
  const claimed = await server.post<ClaimedTask>('/sessions/s/tasks/claim', { agentId: `gone:${id}` })
  expect(claimed).toMatchObject({ id, status: 'PROCESSING' })
}

test('a task that died with its claim is lost within a minute, or run once by the next daemon', async () => {
  await claimAndDie('only', 1)
  await claimAndDie('again', 2)
  const diedAt = performance.now()
  const daemon = new Agent({ server }, 'daemon', '--session-id', 's', '--port', '0')
  try {
    await until('the first is lost', async () => (await taskOf('only')).status === 'FAILED', 60_000)
    await until('the second has run', async () => (await taskOf('again')).status === 'COMPLETED', 60_000)
    expect(performance.now() - diedAt).toBeLessThan(60_000)
  } finally {
    await daemon.kill()
  }
  expect(await taskOf('only')).toMatchObject({ errorCode: 'AGENT_LOST', attempt: 1 })
  const { attempt, statusHistory } = await taskOf('again')
  expect(attempt).toBe(2)
  expect(statusHistory.map(({ status }) => status)).toEqual([
    'PENDING',
    'PROCESSING',
    'FAILED',
    'PENDING',
    'PROCESSING',
    'COMPLETED',
  ])
}, 90_000)
