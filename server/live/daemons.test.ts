import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { BusEvent } from './bus/events.ts'
import { Daemons } from './daemons.ts'

let now = 0
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  now = Date.parse('2026-01-01T00:00:00.000Z')
})
const at = () => new Date(now).toISOString()

/** Servers that hear one another, but for those that are cut off. */
function servers(count: number) {
  const deaf = new Set<number>()
  const changes: [server: number, sessionId: string][] = []
  const all: Daemons[] = Array.from({ length: count }, (_, self) => {
    const send = (event: BusEvent) => {
      if (deaf.has(self)) return
      for (const [other, daemons] of all.entries())
        if (other !== self) daemons.take(structuredClone(event), `server ${self}`)
    }
    const onChange = (sessionId: string) => void changes.push([self, sessionId])
    return new Daemons({ send, onChange, clock: () => now })
  })
  onTestFinished(() => {
    for (const daemons of all) daemons.close()
  })
  return { all, changes, cut: (server: number) => deaf.add(server) }
}

const pass = (seconds: number) => {
  for (let second = 0; second < seconds; second++) {
    now += 1000
    vi.advanceTimersByTime(1000)
  }
}

test('daemons are counted on all servers, and the last one is remembered', () => {
  const { all, changes } = servers(2)
  const [here, there] = all as [Daemons, Daemons]
  expect(here.of('s')).toEqual({ daemons: 0, lastSeenAt: null })
  const leave = [here.arrive('s'), there.arrive('s'), there.arrive('s')]
  expect([here.of('s'), there.of('s').daemons, here.of('other').daemons]).toEqual([
    { daemons: 3, lastSeenAt: at() },
    3,
    0,
  ])
  changes.length = 0
  leave[1]!()
  expect(changes).toEqual([
    [0, 's'],
    [1, 's'],
  ])
  pass(3)
  for (const each of [leave[0]!, leave[2]!]) each()
  const left = at()
  pass(60)
  for (const daemons of all) expect(daemons.of('s')).toEqual({ daemons: 0, lastSeenAt: left })
})

test('a server that falls silent is forgotten with its daemons, and one that comes hears of all', () => {
  const { all, cut, changes } = servers(2)
  const [here, there] = all as [Daemons, Daemons]
  there.arrive('s')
  pass(30)
  expect(here.of('s').daemons).toBe(1)
  cut(1)
  changes.length = 0
  pass(20)
  expect(here.of('s').daemons).toBe(0)
  expect(changes).toEqual([[0, 's']])
  expect(there.of('s').daemons).toBe(1)
  here.arrive('s')
  const late = new Daemons({ send: () => {}, onChange: () => {}, clock: () => now })
  onTestFinished(() => late.close())
  const said: BusEvent[] = []
  const third = new Daemons({ send: event => said.push(event), onChange: () => {}, clock: () => now })
  onTestFinished(() => third.close())
  third.arrive('x')
  said.length = 0
  third.take({ type: 'hello' }, 'late')
  for (const event of said) late.take(event, 'third')
  expect(late.of('x').daemons).toBe(1)
})

test('an agent that asks for work now and then was seen, though it is not connected', () => {
  const [here] = servers(1).all as [Daemons]
  here.asked('s')
  expect(here.of('s')).toEqual({ daemons: 0, lastSeenAt: at() })
})
