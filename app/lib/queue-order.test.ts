import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byTurn, moveInQueue } from './queue-order.ts'

const task = (id: string, priority: number, age: number) => ({
  id,
  priority,
  createdAt: new Date(age).toISOString(),
})

const applied = (queue: ReturnType<typeof task>[], from: number, to: number) => {
  const changes = new Map(moveInQueue(queue, from, to).map(({ id, priority }) => [id, priority]))
  return queue.map(one => ({ ...one, priority: changes.get(one.id) ?? one.priority })).sort(byTurn)
}

test('a task is moved anywhere in any queue, and nothing else changes places', () => {
  const queues = fc
    .array(fc.record({ priority: fc.integer({ min: -2, max: 2 }), age: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map(all => all.map(({ priority, age }, at) => task(`t${at}`, priority, age)).sort(byTurn))
  fc.assert(
    fc.property(queues, fc.nat(7), fc.nat(7), (queue, a, b) => {
      const [from, to] = [a % queue.length, b % queue.length]
      const wanted = queue.map(one => one.id)
      wanted.splice(to, 0, ...wanted.splice(from, 1))
      expect(applied(queue, from, to).map(one => one.id)).toEqual(wanted)
    }),
  )
})

test('to the front, to the end, and between different priorities takes one change', () => {
  const queue = [task('a', 5, 0), task('b', 3, 1), task('c', 0, 2), task('d', 0, 3)]
  expect(moveInQueue(queue, 3, 0)).toEqual([{ id: 'd', priority: 6 }])
  expect(moveInQueue(queue, 0, 3)).toEqual([{ id: 'a', priority: -1 }])
  expect(moveInQueue(queue, 3, 1)).toEqual([{ id: 'd', priority: 4 }])
  expect(moveInQueue(queue, 1, 1)).toEqual([])
})

test('among equals the shorter side gives way', () => {
  const queue = ['a', 'b', 'c', 'd', 'e'].map((id, at) => task(id, 0, at))
  expect(moveInQueue(queue, 2, 1)).toEqual([
    { id: 'c', priority: 1 },
    { id: 'a', priority: 1 },
  ])
  expect(moveInQueue(queue, 2, 3)).toEqual([
    { id: 'c', priority: -1 },
    { id: 'e', priority: -1 },
  ])
})
