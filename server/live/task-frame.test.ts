import { expect, test } from 'vitest'
import type { Role } from '#protocol/auth.ts'
import type { TaskView } from '#protocol/task.ts'
import type { Principal } from '#server/auth/principal.ts'
import { taskFrame } from './task-frame.ts'

const task = { id: 't', env: { STAGE: 'secret' }, progress: 7, progressMessage: null } as unknown as TaskView
const reader = (role: Role): Principal => ({
  id: 'k',
  name: 'k',
  role,
  sessionIds: null,
  taskId: null,
  keyId: null,
  via: 'header',
  expiresAt: null,
})

test('who may not run tasks is told the names of their variables alone', () => {
  const envFor = (role: Role) => {
    const frame = taskFrame({ kind: 'status', task }, reader(role))
    return frame.type === 'status' ? frame.task.env : undefined
  }
  expect(envFor('viewer')).toEqual({ STAGE: '***' })
  expect(envFor('agent')).toEqual({ STAGE: 'secret' })
  expect(taskFrame({ kind: 'progress', task }, reader('viewer'))).toEqual({
    type: 'progress',
    taskId: 't',
    progress: 7,
    message: null,
  })
})
