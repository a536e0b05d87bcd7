import { expect, test } from 'vitest'
import type { Task } from '#protocol/task.ts'
import { newTask } from './new-task.ts'
import { Sightings } from './sightings.ts'

const T0 = Date.parse('2026-03-01T12:00:00.000Z')
const iso = (seconds: number) => new Date(T0 + seconds * 1000).toISOString()
const run = (id: string, fields: Partial<Task>): Task => ({
  ...newTask(id, iso(0), 'ops', { name: id }),
  status: 'PROCESSING',
  ...fields,
})
const leased = (id: string, until: number) => run(id, { leaseUntil: iso(until) })
const timed = (id: string, startedAt: number, timeoutSeconds: number) =>
  run(id, { startedAt: iso(startedAt), timeoutSeconds })

/** Looks every five seconds; what a look answers first, in seconds after the first look. */
function firstAt(sightings: Sightings, until: number, ask: (seconds: number) => Task[]): number | undefined {
  for (let seconds = 0; seconds <= until; seconds += 5) {
    sightings.look(seconds * 1000)
    if (ask(seconds).length > 0) return seconds
  }
  return undefined
}

test('a lease that stands still for as long as one lasts is of a silent run', () => {
  const sightings = new Sightings()
  expect(firstAt(sightings, 60, () => sightings.silent([leased('t', 28)]))).toBe(40)
})

test('a run whose lease moves is never silent, wherever the clock stands that wrote it', () => {
  const sightings = new Sightings()
  for (const ahead of [0, -3600, 3600])
    expect(
      firstAt(sightings, 120, seconds => sightings.silent([leased('t', ahead + seconds - (seconds % 20))])),
    ).toBeUndefined()
})

test('an outage of the store, or a stop of this server, begins the wait anew', () => {
  const sightings = new Sightings()
  const silent = () => sightings.silent([leased('t', 28)])
  expect(firstAt(sightings, 35, silent)).toBeUndefined()
  sightings.forget()
  expect(firstAt(sightings, 35, silent)).toBeUndefined()
  sightings.look(100_000)
  expect(silent()).toEqual([])
  sightings.look(115_000)
  expect(silent()).toEqual([])
})

test('a run that is renewed, and falls silent later, has its whole time again', () => {
  const sightings = new Sightings()
  const ask = (seconds: number) => sightings.silent([leased('t', seconds < 30 ? 28 : 60)])
  expect(firstAt(sightings, 200, ask)).toBe(70)
})

test('a run is overdue half a minute after its timeout', () => {
  const sightings = new Sightings()
  const ask = (seconds: number) => sightings.overdue([timed('t', 0, 60)], T0 + seconds * 1000)
  expect(firstAt(sightings, 200, ask)).toBe(90)
})

test('how long a run lasts is not what a clock says that jumps', () => {
  const jumping = new Sightings()
  const ask = (seconds: number) =>
    jumping.overdue([timed('t', 0, 60)], T0 + (seconds < 20 ? seconds : 86_400) * 1000)
  expect(firstAt(jumping, 200, ask)).toBe(90)
  const back = new Sightings()
  const asked = (seconds: number) =>
    back.overdue([timed('t', 0, 60)], T0 + (seconds < 20 ? seconds : -86_400) * 1000)
  expect(firstAt(back, 200, asked)).toBe(90)
})

test('a run that went over its time while the server was away has half a minute to say how it ended', () => {
  const sightings = new Sightings()
  expect(firstAt(sightings, 200, () => sightings.overdue([timed('t', 0, 60)], T0 + 3_600_000))).toBe(30)
})

test('the next run of a task has its own time', () => {
  const sightings = new Sightings()
  const ask = (seconds: number) =>
    sightings.overdue([timed('t', seconds < 80 ? 0 : 80, 60)], T0 + seconds * 1000)
  expect(firstAt(sightings, 300, ask)).toBe(170)
})
