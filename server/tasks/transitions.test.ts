import { expect, test } from 'vitest'
import type { Task, TaskStatus } from '#protocol/task.ts'
import { LINES_CAME_FIRST, newTask } from './new-task.ts'
import {
  askedRetryPatch,
  backPatch,
  cancelPatch,
  failPatch,
  illegalTransition,
  lostPatch,
  releasePatch,
  reportedAt,
  retryPatch,
  startPatch,
  successPatch,
} from './transitions.ts'

const T0 = Date.parse('2026-03-01T12:00:00.000Z')
const iso = (ms: number) => new Date(T0 + ms).toISOString()
const pending = newTask('t1', iso(0), 'ops', { name: 't1' })
const change = (ms: number, message?: string) => ({ by: 'agent:a', at: T0 + ms, message })
const running: Task = { ...pending, ...startPatch(pending, change(1000), { agentId: 'a' }) }

test('a start notes who runs the task and since when', () => {
  expect(running).toMatchObject({
    status: 'PROCESSING',
    agentId: 'a',
    startedAt: iso(1000),
    createdAt: iso(0),
  })
  expect(running.statusHistory.map(({ status, at, by }) => [status, at, by])).toEqual([
    ['PENDING', iso(0), 'ops'],
    ['PROCESSING', iso(1000), 'agent:a'],
  ])
})

test('a task keeps its own name, script and session, and takes those of the start where it has none', () => {
  const bare = startPatch(pending, change(0), { script: 'make', sessionId: 's1' })
  expect(bare).toMatchObject({ name: 't1', script: 'make', sessionId: 's1' })
  const whole = { ...pending, script: 'own', sessionId: 'own' }
  const kept = startPatch(whole, change(0), { name: 'x', script: 'make', sessionId: 's1' })
  expect(kept).toMatchObject({ name: 't1', script: 'own', sessionId: 'own' })
})

test('a task that its lines created is named and dated by its first start, and by no later one', () => {
  const lines = newTask('t1', iso(5000), 'agent', { name: 't1' }, LINES_CAME_FIRST)
  const first = startPatch(lines, change(1000), { name: 'build' })
  expect(first).toMatchObject({ name: 'build', createdAt: iso(1000), startedAt: iso(1000) })
  const second = startPatch({ ...lines, attempt: 2 }, change(1000), { name: 'build' })
  expect(second).toMatchObject({ name: 't1' })
  expect(second.createdAt).toBeUndefined()
})

test('a success lasts from its start to its end and is at 100 percent', () => {
  const end = successPatch(running, change(3500, 'done'), { exitCode: 0, resources: { maxRssBytes: 7 } })
  expect(end).toMatchObject({
    status: 'COMPLETED',
    progress: 100,
    durationMs: 2500,
    finishedAt: iso(3500),
    message: 'done',
    exitCode: 0,
    resources: { maxRssBytes: 7 },
  })
})

test('a failure keeps its reasons and the progress that it had', () => {
  const end = failPatch(running, change(3500), { errorCode: 'OOM_KILLED', exitCode: 137, signal: 'SIGKILL' })
  expect(end).toMatchObject({ status: 'FAILED', errorCode: 'OOM_KILLED', exitCode: 137, signal: 'SIGKILL' })
  expect(end.progress).toBeUndefined()
})

test('a failure that is tried again keeps its reasons in the history', () => {
  const reasons = { errorCode: 'OOM_KILLED', exitCode: 137, signal: 'SIGKILL' }
  const end = failPatch({ ...running, maxAttempts: 2 }, change(3500, 'out of memory'), reasons)
  expect(end).toMatchObject({ status: 'PENDING', errorCode: null, exitCode: null, signal: null })
  expect(end.statusHistory?.at(-2)).toEqual({
    status: 'FAILED',
    at: iso(3500),
    by: 'agent:a',
    message: 'out of memory',
    ...reasons,
  })
})

test('a script that an agent brought goes with its run, unless somebody asks for another one', () => {
  const run: Task = { ...pending, ...startPatch(pending, change(0), { agentId: 'a', script: 'own' }) }
  const lost: Task = { ...run, ...lostPatch(run, { by: 'server', at: T0 + 10 }) }
  const back: Task = { ...lost, ...backPatch(lost, change(20), null) }
  for (const task of [run, back]) {
    expect(releasePatch(task, change(30)).script).toBeNull()
    expect(failPatch({ ...task, maxAttempts: 2 }, change(30), {}).script).toBeNull()
  }
  const failed: Task = { ...run, ...failPatch(run, change(30), {}) }
  const again: Task = { ...failed, ...askedRetryPatch(failed, { by: 'ops', at: T0 + 40 }) }
  expect(again).toMatchObject({ status: 'PENDING', script: 'own' })
  const claimed: Task = { ...again, ...startPatch(again, change(50), { agentId: 'b', script: 'other' }) }
  expect(releasePatch(claimed, change(60)).script).toBe('own')
})

test('the steps of a lost agent end with its run, and go on when it comes back', () => {
  const step = {
    name: 'build',
    attempt: 1,
    startedAt: iso(1500),
    durationMs: null,
    status: 'RUNNING' as const,
  }
  const done = { ...step, name: 'setup', durationMs: 100, status: 'FAILED' as const }
  const observing: Task = { ...running, steps: [done, step] }
  const lost: Task = { ...observing, ...lostPatch(observing, { by: 'server', at: T0 + 4000 }) }
  expect(lost.steps).toEqual([done, { ...step, status: 'FAILED', durationMs: 2500 }])
  expect({ ...lost, ...backPatch(lost, change(5000), null) }.steps).toEqual([done, step])
})

test('a cancel before the start has no duration', () => {
  expect(cancelPatch(pending, change(10))).toMatchObject({ status: 'CANCELLED', durationMs: null })
})

test('a retry clears what the run left and keeps the history', () => {
  const failed: Task = { ...running, ...failPatch(running, change(2000), { exitCode: 1, errorCode: 'E' }) }
  const again: Task = { ...failed, ...retryPatch(failed, { by: 'ops', at: T0 + 9000 }) }
  expect(again).toEqual({ ...pending, attempt: 2, maxAttempts: 2, statusHistory: again.statusHistory })
  expect(again.statusHistory.map(entry => entry.status)).toEqual([
    'PENDING',
    'PROCESSING',
    'FAILED',
    'PENDING',
  ])
})

test('a history does not grow for ever: the oldest entries go', () => {
  let task = pending
  for (let ms = 0; ms < 300; ms++) task = { ...task, ...startPatch(task, change(ms), {}) }
  expect(task.statusHistory).toHaveLength(100)
  expect(task.statusHistory.at(-1)!.at).toBe(iso(299))
})

test.each([
  ['nothing', undefined, 5000],
  ['a time within the task', iso(2000), 2000],
  ['a time with another offset', '2026-03-01T14:00:02.000+02:00', 2000],
  ['a time before the task', iso(-9000), 1000],
  ['a time to come', iso(99_000), 5000],
])('of %s, a late report keeps what can be true', (_, at, expected) => {
  expect(reportedAt(at, T0 + 5000, iso(1000)) - T0).toBe(expected)
})

test.each<[TaskStatus, string]>([
  ['PENDING', 'legal now: start, cancel'],
  ['PROCESSING', 'legal now: success, fail, cancel'],
  ['FAILED', 'legal now: retry'],
  ['CANCELLED', 'legal now: retry'],
  ['COMPLETED', 'nothing can change it any more'],
])('whoever asks too much of a %s task is told: %s', (status, legal) => {
  const error = illegalTransition({ ...pending, status }, 'success')
  expect(error).toMatchObject({ code: 'ILLEGAL_TRANSITION', status: 409 })
  expect(error.message).toContain(`task t1 is ${status}`)
  expect(error.message).toContain(legal)
})
