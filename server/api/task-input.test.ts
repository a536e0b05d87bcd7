import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Input } from '#protocol/task-calls.ts'
import { openApi } from './test-api.ts'

const api = await openApi(afterAll)
const { call, inputs, store } = api

/** A run of an agent of its own. */
let taskId = ''
let runs = 0
beforeEach(async () => {
  taskId = `t${++runs}`
  await start()
})
const start = (body: object = {}) =>
  call('POST', `tasks/${taskId}/start`, { body: { agentId: 'a/1', interactive: true, ...body } })
const type = (body: unknown, key?: string) => call('POST', `tasks/${taskId}/input`, { body, key })
const waiting = (body: unknown, key?: string) => call('POST', `tasks/${taskId}/waiting`, { body, key })
const texts = async () => (await inputs.pending(taskId, 'a/1')).map(({ text }) => text)

test('what is typed waits for the agent in the order it came, with the ends of its lines', async () => {
  const typed: Partial<Input>[] = [
    { text: 'one' },
    { text: 'two', newline: false },
    { text: '' },
    {},
    { eof: true },
  ]
  const answers = []
  for (const body of typed) answers.push(await type(body))
  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(202))
  expect(answers.map(({ body }) => Object.keys(body))).toEqual(Array(5).fill(['id']))
  expect(await inputs.pending(taskId, 'a/1')).toMatchObject([
    { text: 'one\n', eof: false, secret: false, by: 'the admin' },
    { text: 'two' },
    { text: '\n' },
    { text: '\n' },
    { text: '', eof: true },
  ])
  expect(api.typed.filter(id => id === taskId)).toHaveLength(5)
})

test('only the agent whose run it is gets it', async () => {
  await type({ text: 'x' })
  expect(await inputs.pending(taskId, 'a/2')).toEqual([])
  expect(await texts()).toEqual(['x\n'])
})

test('what the agent has is forgotten, and the question it answers with it', async () => {
  await waiting({ agentId: 'a/1', prompt: 'Name? ' })
  const { body } = await type({ text: 'Ann' })
  await inputs.taken(taskId, 'a/2', body.id, api.clock.now)
  expect(await texts()).toEqual(['Ann\n'])
  await inputs.taken(taskId, 'a/1', body.id, api.clock.now)
  expect(await texts()).toEqual([])
  expect((await call('GET', `tasks/${taskId}`)).body.waitingForInput).toBeNull()
})

test('a question that the script asked after the input was sent stands', async () => {
  const { body } = await type({ text: 'Ann' })
  const sentAt = api.clock.now
  api.clock.now += 5
  await waiting({ agentId: 'a/1', prompt: 'Password: ', secret: true })
  await inputs.taken(taskId, 'a/1', body.id, sentAt)
  expect((await call('GET', `tasks/${taskId}`)).body.waitingForInput).toMatchObject({ prompt: 'Password: ' })
})

test('waiting is shown until the script goes on, and said twice it has begun once', async () => {
  const asked = await waiting({ agentId: 'a/1', prompt: 'Go on? [y/N] ' })
  const since = new Date(api.clock.now).toISOString()
  expect(asked.body.waitingForInput).toEqual({ prompt: 'Go on? [y/N] ', secret: false, since })
  api.clock.now += 1000
  const again = await waiting({ agentId: 'a/1', prompt: 'Go on? [y/N] ' })
  expect(again.body.waitingForInput).toEqual(asked.body.waitingForInput)
  expect((await waiting({ agentId: 'a/1', prompt: null })).body.waitingForInput).toBeNull()
  expect((await waiting({ prompt: null })).status).toBe(200)
})

test.each([
  ['success', 'success'],
  ['fail', 'fail'],
  ['cancel', 'cancel'],
])('a run that ends by %s waits no more, and what it did not take is forgotten', async (_, end) => {
  await waiting({ agentId: 'a/1', prompt: '? ' })
  await type({ text: 'left' })
  const { body } = await call('POST', `tasks/${taskId}/${end}`)
  expect(body.waitingForInput).toBeNull()
  await expect.poll(() => store.inputs.count({ taskId })).toBe(0)
})

test('what was typed for one run is not given to the next, even where it was left behind', async () => {
  await type({ text: 'old' })
  const [left] = await store.inputs.find({ where: { taskId } })
  await call('POST', `tasks/${taskId}/cancel`)
  await expect.poll(() => store.inputs.count({ taskId })).toBe(0)
  await store.inputs.insert(left!)
  await call('POST', `tasks/${taskId}/retry`)
  await start()
  expect(await texts()).toEqual([])
})

test('a deleted task leaves no input behind', async () => {
  await type({ text: 'x' })
  await call('POST', `tasks/${taskId}/cancel`)
  await call('DELETE', `tasks/${taskId}`)
  await expect.poll(() => store.inputs.count({ taskId })).toBe(0)
})

test('who may not operate cannot type, and who may not write cannot say that a script waits', async () => {
  const [viewer, agent] = [await api.keyOf('viewer'), await api.keyOf('agent')]
  expect((await type({ text: 'x' }, agent)).status).toBe(403)
  expect((await type({ text: 'x' }, await api.keyOf('operator'))).status).toBe(202)
  expect((await waiting({ prompt: '?' }, viewer)).status).toBe(403)
  expect((await waiting({ prompt: '?' }, agent)).status).toBe(200)
  const own = await api.auth.issueTaskToken(taskId)
  expect((await waiting({ prompt: '??' }, own)).status).toBe(200)
  expect((await waiting({ prompt: '?' }, await api.auth.issueTaskToken('other'))).status).toBe(403)
})

test('a task that does not run, or whose script takes no input, is told so in plain words', async () => {
  await call('POST', `tasks/${taskId}/cancel`)
  expect(await type({ text: 'x' })).toMatchObject({
    status: 409,
    body: { detail: `task ${taskId} is CANCELLED; only a running script takes input` },
  })
  expect((await waiting({ prompt: '?' })).status).toBe(409)
  taskId = 'deaf'
  await start({ interactive: false })
  expect((await type({ text: 'x' })).body.detail).toContain('takes no input')
  expect((await waiting({ agentId: 'a/9', prompt: '?' })).body.detail).toContain('not run by agent a/9')
  taskId = 'nobody'
  expect((await type({ text: 'x' })).status).toBe(404)
})

test('too much is refused: a text over 64 KiB, a NUL, nothing at all, and the hundred and first', async () => {
  expect((await type({ text: 'é'.repeat(40_000) })).status).toBe(413)
  expect((await type({ text: 'a\0b' })).body.errors).toEqual([
    { path: 'text', message: 'holds a NUL character, which cannot be typed' },
  ])
  expect((await type({ newline: false })).body.detail).toContain('holds nothing to send')
  for (let n = 0; n < 100; n++) expect((await type({ text: String(n) })).status).toBe(202)
  const more = await type({ text: '100' })
  expect([more.status, more.body.detail]).toEqual([
    409,
    `100 inputs wait for task ${taskId} already: its script has to read them first`,
  ])
  expect(await texts()).toEqual(Array.from({ length: 100 }, (_, n) => `${n}\n`))
})

test('an answer to a script that asks for a secret is one, whether it says so or not', async () => {
  await waiting({ prompt: 'PIN: ', secret: true })
  await type({ text: '1234' })
  expect(await inputs.pending(taskId, 'a/1')).toMatchObject([{ text: '1234\n', secret: true }])
})

test('a secret is shown nowhere but to the agent', async () => {
  const answer = await type({ text: 'hunter2', secret: true })
  const shown = [
    answer.text,
    (await call('GET', `tasks/${taskId}`)).text,
    (await call('GET', `tasks/${taskId}/logs`)).text,
    JSON.stringify(api.changes),
  ]
  expect(shown.join()).not.toContain('hunter2')
  expect(await inputs.pending(taskId, 'a/1')).toMatchObject([{ text: 'hunter2\n', secret: true }])
})
