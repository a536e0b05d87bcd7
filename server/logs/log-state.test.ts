import { expect, test } from 'vitest'
import type { TaskHead } from '#server/store/store.ts'
import { logState } from './log-state.ts'

const head = (...streams: [n: number, endN?: number][]): TaskHead => ({
  lastSeq: 10,
  streams: new Map(streams.map(([n, endN], index) => [`s${index}`, { n, endN }])),
})

test.each([
  [
    'a running task is arriving, even with all streams ended',
    head([5, 5]),
    'PROCESSING',
    false,
    'arriving',
    undefined,
  ],
  ['a task that has not started is arriving', head(), 'PENDING', false, 'arriving', undefined],
  [
    'a task that only REST wrote to is complete when it is over',
    head(),
    'COMPLETED',
    false,
    'complete',
    undefined,
  ],
  [
    'a task is complete when every stream has what it announced',
    head([5, 5], [0, 0]),
    'FAILED',
    false,
    'complete',
    undefined,
  ],
  [
    'announced lines that are not there are counted',
    head([5, 7], [1, 2]),
    'COMPLETED',
    false,
    'incomplete',
    3,
  ],
  ['nobody knows what a stream without end had', head([5], [1, 2]), 'FAILED', false, 'incomplete', undefined],
  [
    'a stream without end whose sender is there is arriving',
    head([5]),
    'CANCELLED',
    true,
    'arriving',
    undefined,
  ],
] as const)('%s', (_, head, status, live, state, missing) => {
  const answer = logState(head, status, live)
  expect(answer).toMatchObject({ state })
  expect(answer.missing).toBe(missing)
  expect(answer.detail).not.toBe('')
})
