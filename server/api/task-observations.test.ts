import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Observed } from '#protocol/task-calls.ts'
import { openApi } from './test-api.ts'

const api = await openApi(afterAll)
const { call } = api

let taskId = ''
let count = 0
beforeEach(async () => {
  taskId = `t${++count}`
  await call('POST', `tasks/${taskId}/start`, { body: { agentId: 'a/1' } })
})
const observe = async (body: object, key?: string) => {
  const answer = await call('POST', `tasks/${taskId}/observations`, { body, key })
  return { ...answer, body: answer.body as unknown as Observed & typeof answer.body }
}
const task = async () => (await call('GET', `tasks/${taskId}`)).body
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const metric = (n: number) => ({ name: 'lines', value: n, at: at(n) })

test('a step is brought up to date, and one that has ended stays ended', async () => {
  const step = { name: 'build', startedAt: '2026-01-01T01:00:00+01:00' }
  expect((await observe({ steps: [step] })).body).toEqual({ steps: 1, metrics: 0, forgotten: 0 })
  const ended = { ...step, durationMs: 1500, status: 'FAILED' }
  await observe({ steps: [ended] })
  await observe({ steps: [step, { name: 'test', startedAt: at(9) }] })
  expect((await task()).steps).toEqual([
    { name: 'build', attempt: 1, startedAt: at(0), durationMs: 1500, status: 'FAILED' },
    { name: 'test', attempt: 1, startedAt: at(9), durationMs: null, status: 'RUNNING' },
  ])
})

test('metrics are kept in the order of time, and what is said again counts once', async () => {
  await observe({ metrics: [metric(3), metric(1)] })
  const changes = api.changes.length
  expect((await observe({ metrics: [metric(1), metric(3)] })).body.metrics).toBe(2)
  expect(api.changes).toHaveLength(changes)
  await observe({ metrics: [metric(2)] })
  expect((await task()).metrics.map(({ value }) => value)).toEqual([1, 2, 3])
})

test('of too many the oldest metrics are forgotten, and the log says so once', async () => {
  const many = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => metric(from + n))
  await observe({ steps: [{ name: 'build', startedAt: at(0) }], metrics: many(0, 900) })
  expect((await observe({ metrics: many(900, 1100) })).body).toEqual({
    steps: 1,
    metrics: 999,
    forgotten: 101,
  })
  await observe({ metrics: many(1100, 1110) })
  const { metrics, steps } = await task()
  expect([metrics[0]!.value, metrics.at(-1)!.value, metrics.length, steps.length]).toEqual([
    111, 1109, 999, 1,
  ])
  const { body } = await call('GET', `tasks/${taskId}/logs`)
  expect(body.content.map(({ level, message }) => [level, message])).toEqual([
    [
      'WARN',
      'a task keeps 1000 steps and metrics: from here on those of earlier attempts are forgotten, then the oldest metrics',
    ],
  ])
})

test('an agent that was cut off may report when the task is over, and before it is known', async () => {
  await call('POST', `tasks/${taskId}/success`)
  expect((await observe({ metrics: [metric(1)] })).body.metrics).toBe(1)
  expect((await task()).status).toBe('COMPLETED')
  taskId = 'unknown'
  expect((await observe({ metrics: [metric(1)] })).body.metrics).toBe(1)
  expect((await task()).status).toBe('PENDING')
})

test('steps and metrics name their attempt, whenever they are told', async () => {
  const step = (name: string, attempt?: number) => ({ name, attempt, startedAt: at(0) })
  await observe({ steps: [step('early')], metrics: [metric(1)] })
  await call('POST', `tasks/${taskId}/cancel`)
  await call('POST', `tasks/${taskId}/retry`)
  await observe({ steps: [step('late', 1), step('new')], metrics: [{ ...metric(2), attempt: 2 }] })
  const { steps, metrics } = await task()
  expect(steps.map(({ name, attempt, status }) => [name, attempt, status])).toEqual([
    ['early', 1, 'FAILED'],
    ['late', 1, 'FAILED'],
    ['new', 2, 'RUNNING'],
  ])
  expect(metrics.map(({ value, attempt }) => [value, attempt])).toEqual([
    [1, 1],
    [2, 2],
  ])
})

test('of too many those of earlier attempts are forgotten first', async () => {
  await observe({ steps: [{ name: 'first', startedAt: at(0) }] })
  await call('POST', `tasks/${taskId}/cancel`)
  await call('POST', `tasks/${taskId}/retry`)
  await observe({ metrics: Array.from({ length: 1000 }, (_, n) => metric(n)) })
  const { steps, metrics } = await task()
  expect([steps.length, metrics.length]).toEqual([0, 1000])
})

test('an attempt that is given back begins anew', async () => {
  await observe({ steps: [{ name: 'build', startedAt: at(0) }], metrics: [metric(1)] })
  const { body } = await call('POST', `tasks/${taskId}/release`, { body: { agentId: 'a/1' } })
  expect(body).toMatchObject({ status: 'PENDING', steps: [], metrics: [] })
})

test.each(['success', 'fail', 'cancel'])('no step goes on after the end by %s', async verb => {
  await observe({ steps: [{ name: 'build', startedAt: new Date().toISOString() }] })
  await call('POST', `tasks/${taskId}/${verb}`)
  const status = verb === 'success' ? 'COMPLETED' : 'FAILED'
  expect((await task()).steps).toMatchObject([{ status, durationMs: expect.any(Number) }])
  const told = api.changes.findLast(({ task }) => task.id === taskId)
  expect(told?.task.steps).toMatchObject([{ status }])
  await observe({ steps: [{ name: 'late', startedAt: new Date().toISOString() }] })
  expect((await task()).steps.map(step => step.status)).toEqual([status, status])
})

test('how a step truly ended replaces what the end of its run made of it', async () => {
  const step = { name: 'build', startedAt: at(0) }
  await observe({ steps: [step] })
  await call('POST', `tasks/${taskId}/cancel`)
  await observe({ steps: [{ ...step, durationMs: 7, status: 'COMPLETED' }] })
  await observe({ steps: [step] })
  expect((await task()).steps).toMatchObject([{ status: 'COMPLETED', durationMs: 7 }])
})

test('what is wrong is named, and a viewer may not report', async () => {
  const { status, body } = await observe({ metrics: [{ name: '', value: 'x', at: 'now' }] })
  expect([status, body.errors.map(({ path }) => path)]).toEqual([
    400,
    ['metrics.0.name', 'metrics.0.value', 'metrics.0.at'],
  ])
  expect((await observe({}, await api.keyOf('viewer'))).status).toBe(403)
})
