import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { KerutaError } from '#protocol/errors.ts'
import type { ServerFrame } from '#protocol/frames.ts'
import type { TaskInput } from '#protocol/task-calls.ts'
import { SocketInbox } from './ws-inbox.ts'

const input = (id: string): TaskInput => ({
  id,
  taskId: 't',
  text: `${id}\n`,
  eof: false,
  secret: false,
  by: 'ops',
  createdAt: '2026-01-01T00:00:00.000Z',
})

let stored: TaskInput[]
let away: boolean
let sent: string[]
let inbox: SocketInbox
beforeEach(() => {
  vi.useFakeTimers()
  stored = []
  away = false
  sent = []
  const demandStore = () => {
    if (away) throw new KerutaError('STORE_UNAVAILABLE', 'away')
  }
  inbox = new SocketInbox(
    't',
    {
      async pending() {
        demandStore()
        return stored
      },
      async taken(_taskId, _agentId, id) {
        demandStore()
        stored = stored.filter(each => each.id !== id)
      },
    },
    (frame: ServerFrame) => sent.push(frame.type === 'input' ? frame.id : frame.type),
  )
})
afterEach(() => {
  inbox.close()
  vi.useRealTimers()
})

test('nothing is sent before the agent has said whose run it is', async () => {
  stored.push(input('1'))
  inbox.deliver()
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual([])
  inbox.hello('a/1')
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual(['1'])
})

test('a store that is away for a moment delays what is sent, and what was taken, and loses neither', async () => {
  away = true
  stored.push(input('1'))
  inbox.hello('a/1')
  await vi.advanceTimersByTimeAsync(2500)
  away = false
  await vi.advanceTimersByTimeAsync(1000)
  expect(sent).toEqual(['1'])
  away = true
  inbox.taken('1')
  await vi.advanceTimersByTimeAsync(500)
  expect(stored).toHaveLength(1)
  away = false
  await vi.advanceTimersByTimeAsync(1000)
  expect(stored).toEqual([])
})

test('what comes while it delivers follows, each once', async () => {
  stored.push(input('1'))
  inbox.hello('a/1')
  stored.push(input('2'))
  inbox.deliver()
  inbox.deliver()
  await vi.advanceTimersByTimeAsync(0)
  inbox.deliver()
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual(['1', '2'])
})

test('after its end nothing is sent any more', async () => {
  away = true
  stored.push(input('1'))
  inbox.hello('a/1')
  await vi.advanceTimersByTimeAsync(100)
  inbox.close()
  away = false
  await vi.advanceTimersByTimeAsync(5000)
  expect(sent).toEqual([])
})
