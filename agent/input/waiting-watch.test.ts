import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Reading } from './reading.ts'
import { type WaitingState, WaitingWatch } from './waiting-watch.ts'

let reading: Reading
let looks: number
let hidden: boolean | undefined
let told: (WaitingState | undefined)[]
let watch: WaitingWatch
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  reading = 'no'
  looks = 0
  hidden = undefined
  told = []
  watch = new WaitingWatch({
    look: () => {
      looks++
      return reading
    },
    hidden: async () => hidden,
    report: state => told.push(state),
  })
})
afterEach(() => {
  watch.stop()
  vi.useRealTimers()
})

const say = (text: string) => watch.heard(0, Buffer.from(text))
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a script that waits', () => {
  it('is told of soon after its question, and again when it goes on', async () => {
    say('Name? ')
    await pass(50)
    reading = 'reads'
    await pass(60)
    expect(told).toEqual([{ prompt: 'Name? ', secret: false }])
    reading = 'no'
    await pass(1000)
    expect(told).toEqual([{ prompt: 'Name? ', secret: false }, undefined])
  })

  it('is told of anew once it was answered, be its words the same', async () => {
    reading = 'reads'
    say('Go on? ')
    await pass(200)
    watch.answered()
    say('Go on? ')
    await pass(200)
    expect(told.map(state => state?.prompt)).toEqual(['Go on? ', undefined, 'Go on? '])
  })

  it('asks for a secret where its terminal or its words say so', async () => {
    reading = 'reads'
    hidden = true
    say('Key: ')
    await pass(200)
    watch.answered()
    hidden = false
    say('Password: ')
    await pass(200)
    expect(told.filter(Boolean)).toEqual([
      { prompt: 'Key: ', secret: true },
      { prompt: 'Password: ', secret: true },
    ])
  })

  it('stops waiting where it ends', async () => {
    reading = 'reads'
    await pass(200)
    watch.stop()
    expect(told).toEqual([{ prompt: '', secret: false }, undefined])
  })
})

describe('where the system does not say what a script waits for', () => {
  it('a question and a longer silence say so', async () => {
    reading = 'unknown'
    say('Name? ')
    await pass(900)
    expect(told).toEqual([])
    await pass(1000)
    expect(told).toEqual([{ prompt: 'Name? ', secret: false }])
    say('Ann\nnow working')
    await pass(500)
    expect(told.at(-1)).toBeUndefined()
  })

  it('a line that is no question says nothing', async () => {
    reading = 'unknown'
    say('Downloading: 50 %')
    await pass(10_000)
    expect(told).toEqual([])
  })
})

it('looks at a silent script ever more seldom, and never while it prints', async () => {
  await pass(60_000)
  expect(looks).toBeLessThan(40)
  looks = 0
  for (let index = 0; index < 100; index++) {
    say('line\n')
    await pass(50)
  }
  expect(looks).toBe(0)
})
