import { once } from 'node:events'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Session, SessionView } from '#protocol/session.ts'
import type { SessionServerFrame } from '#protocol/session-frames.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.dispose())

const newSession = async () => (await server.post<Session>('/sessions', { name: 'queue' })).id
const setStatus = async (id: string, status: string) => {
  const body = JSON.stringify({ status })
  expect((await server.api(`/sessions/${id}`, { method: 'PATCH', body })).status).toBe(200)
}
const addTask = (sessionId: string, fields: object = { script: 'true' }) =>
  server.post<{ id: string }>(`/sessions/${sessionId}/tasks`, fields)

/** An agent that waits in a session. */
async function connect(sessionId: string, key = ADMIN_KEY) {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/sessions/${sessionId}?token=${key}`)
  const frames: SessionServerFrame[] = []
  ws.on('message', data => frames.push(JSON.parse(String(data))))
  onTestFinished(() => ws.close())
  await once(ws, 'open')
  return { ws, frames, send: (frame: unknown) => ws.send(JSON.stringify(frame)) }
}

async function greeted(sessionId: string) {
  const agent = await connect(sessionId)
  agent.send({ type: 'hello', agentId: 'host:1' })
  await expect.poll(() => agent.frames[0]?.type).toBe('session')
  return agent
}

async function refusal(path: string, key: string) {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}${path}?token=${key}`)
  ws.on('error', () => {})
  const [, response] = await once(ws, 'unexpected-response')
  let body = ''
  for await (const chunk of response) body += chunk
  return JSON.parse(body)
}

test('a hello is answered with the status, and with work where a task waits already', async () => {
  const id = await newSession()
  const idle = await greeted(id)
  idle.send({ type: 'ping' })
  await expect
    .poll(() => idle.frames)
    .toEqual([{ type: 'session', sessionId: id, status: 'ACTIVE' }, { type: 'pong' }])
  await addTask(id)
  const late = await greeted(id)
  await expect
    .poll(() => late.frames)
    .toEqual([
      { type: 'session', sessionId: id, status: 'ACTIVE' },
      { type: 'work', sessionId: id },
    ])
})

test('whoever waits is woken by each task that comes to the queue: new, retried, given back, or given its script', async () => {
  const id = await newSession()
  const agent = await greeted(id)
  const woken = async (times: number) => {
    await expect.poll(() => agent.frames.filter(({ type }) => type === 'work').length).toBe(times)
  }
  const task = await addTask(id)
  await woken(1)
  await server.post(`/sessions/${id}/tasks/claim`, { agentId: 'a/1' })
  await server.post(`/tasks/${task.id}/release`, { agentId: 'a/1' })
  await woken(2)
  await server.post(`/tasks/${task.id}/cancel`, {})
  await server.post(`/tasks/${task.id}/retry`, {})
  await woken(3)
  const bare = await addTask(id, { name: 'bare' })
  const script = { method: 'PUT', body: 'true', headers: { 'content-type': 'text/plain' } }
  expect((await server.api(`/tasks/${bare.id}/script`, script)).status).toBe(204)
  await expect.poll(() => agent.frames.at(-1)?.type).toBe('work')
})

test('a session that is completed, and made active again, tells its agents both', async () => {
  const id = await newSession()
  const agent = await greeted(id)
  await setStatus(id, 'COMPLETED')
  await expect
    .poll(() => agent.frames.at(-1))
    .toEqual({ type: 'session', sessionId: id, status: 'COMPLETED' })
  await setStatus(id, 'ACTIVE')
  await expect
    .poll(() => agent.frames.slice(2))
    .toEqual([
      { type: 'session', sessionId: id, status: 'ACTIVE' },
      { type: 'work', sessionId: id },
    ])
})

test('a session that is deleted says goodbye to its agents', async () => {
  const id = await newSession()
  const agent = await greeted(id)
  const closed = once(agent.ws, 'close')
  expect((await server.api(`/sessions/${id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await closed)[0]).toBe(4404)
  expect(agent.frames.at(-1)).toMatchObject({ type: 'error', code: 'NOT_FOUND' })
})

test.each([
  ['no JSON', 'oops', 'the frame is not JSON'],
  ['an unknown type', '{"type":"subscribe"}', 'unknown type; one of hello, ping, pong'],
  ['a hello without its agent', '{"type":"hello"}', 'agentId'],
])('%s is answered with an error that says so, and the connection stays', async (_, text, message) => {
  const { ws, frames, send } = await connect(await newSession())
  ws.send(text)
  await expect
    .poll(() => frames[0])
    .toMatchObject({ type: 'error', code: 'BAD_REQUEST', message: expect.stringContaining(message) })
  send({ type: 'ping' })
  await expect.poll(() => frames[1]).toEqual({ type: 'pong' })
})

test('who asks too often is told to wait', async () => {
  const { frames, send } = await connect(await newSession())
  for (let times = 0; times < 40; times++) send({ type: 'ping' })
  await expect.poll(() => frames.at(-1)).toMatchObject({ type: 'error', code: 'RATE_LIMITED' })
})

test('agents come to their own sessions only, viewers to none, and nobody to one that is not there', async () => {
  const [own, other] = [await newSession(), await newSession()]
  const keyOf = async (role: string) =>
    (await server.post<{ key: string }>('/api-keys', { name: role, role, sessionIds: [own] })).key
  const agent = await keyOf('agent')
  const { frames, send } = await connect(own, agent)
  send({ type: 'hello', agentId: 'a' })
  await expect.poll(() => frames[0]?.type).toBe('session')
  expect(await refusal(`/ws/sessions/${other}`, agent)).toMatchObject({ status: 403, code: 'FORBIDDEN' })
  expect(await refusal(`/ws/sessions/${own}`, await keyOf('viewer'))).toMatchObject({ status: 403 })
  expect(await refusal('/ws/sessions/nowhere', ADMIN_KEY)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  expect(await refusal('/ws/sessions/', ADMIN_KEY)).toMatchObject({ status: 404 })
  expect(await refusal('/ws/sessions/a%20b', ADMIN_KEY)).toMatchObject({
    status: 400,
    detail: expect.stringContaining('a session id has'),
  })
})

test('a key that is revoked ends the connections that it opened', async () => {
  const id = await newSession()
  const made = await server.post<{ id: string; key: string }>('/api-keys', { name: 'gone', role: 'agent' })
  const { ws } = await connect(id, made.key)
  const closed = once(ws, 'close')
  await server.api(`/api-keys/${made.id}`, { method: 'DELETE' })
  expect((await closed)[0]).toBe(4401)
})

test('a session says how many daemons serve it now, and tells who shows it', async () => {
  const id = await newSession()
  const serving = async () => ((await (await server.api(`/sessions/${id}`)).json()) as SessionView).serving
  expect(await serving()).toEqual({ daemons: 0, lastSeenAt: null })
  const console = io(server.url, {
    transports: ['websocket'],
    extraHeaders: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  onTestFinished(() => void console.close())
  const told: number[] = []
  console.on('serving', change => change.sessionId === id && told.push(change.serving.daemons))
  await new Promise<void>(resolve => console.once('connect', resolve))
  await console.emitWithAck('subscribe', { channel: 'tasks' })
  const agents = [await greeted(id), await greeted(id)]
  expect(await serving()).toEqual({ daemons: 2, lastSeenAt: expect.any(String) })
  for (const { ws } of agents) ws.close()
  await expect.poll(() => told).toEqual([1, 2, 1, 0])
  expect(await serving()).toEqual({ daemons: 0, lastSeenAt: expect.any(String) })
})
