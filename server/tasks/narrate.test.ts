import { expect, test } from 'vitest'
import type { Task } from '#protocol/task.ts'
import { narrate } from './narrate.ts'
import { newTask } from './new-task.ts'
import {
  backPatch,
  cancelPatch,
  failPatch,
  lostPatch,
  SERVER,
  startPatch,
  successPatch,
} from './transitions.ts'

const by = (name: string, message?: string) => ({ by: name, at: 5000, message })
const pending = newTask('t', '1970-01-01T00:00:00.000Z', 'ops', { name: 't' })
const running: Task = { ...pending, ...startPatch(pending, by('agent:a'), { agentId: 'a' }) }
const after = (before: Task, patch: Partial<Task>) =>
  narrate({ kind: 'updated', before, task: { ...before, ...patch } })

test('what agents and people do is not said, for they say it themselves', () => {
  expect(narrate({ kind: 'created', task: pending })).toBeUndefined()
  expect(after(pending, startPatch(pending, by('agent:a'), {}))).toBeUndefined()
  expect(after(running, failPatch(running, by('agent:a'), {}))).toBeUndefined()
  expect(after(running, cancelPatch(running, by('ops')))).toBeUndefined()
  expect(after(running, { progress: 7 })).toBeUndefined()
})

test('an agent that the server counts as lost is said to be, and what becomes of the task', () => {
  const change = by(SERVER, 'agent a was not heard')
  expect(after(running, lostPatch(running, change))).toEqual({
    level: 'ERROR',
    message: 'agent a was not heard (FAILED)',
  })
  const thrice = { ...running, maxAttempts: 3 }
  expect(after(thrice, lostPatch(thrice, change))?.message).toBe(
    'agent a was not heard (FAILED); attempt 1 of 3 failed: the next one waits (PENDING)',
  )
})

test('a failure that has the next attempt follow is said to', () => {
  const twice = { ...running, maxAttempts: 2 }
  expect(after(twice, failPatch(twice, by('agent:a', 'boom'), {}))).toEqual({
    level: 'WARN',
    message: 'attempt 1 of 2 failed: the next one waits (PENDING)',
  })
})

test('an agent that comes back is said to, also where it comes with the end of its run', () => {
  const lost: Task = { ...running, ...lostPatch(running, by(SERVER, 'silent')) }
  const message = (state: string) => `the agent that was lost is there again (${state})`
  expect(after(lost, backPatch(lost, by('agent:a'), null))?.message).toBe(message('PROCESSING'))
  expect(after(lost, successPatch(lost, by('agent:a'), {}))?.message).toBe(message('COMPLETED'))
})
