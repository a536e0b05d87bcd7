import { expect, onTestFinished, test, vi } from 'vitest'
import { compileFilter } from '#protocol/log-filter.ts'
import type { SegmentReader } from '#server/store/store.ts'
import { openTestStore } from '#server/test/log-store.ts'
import { readOn } from './read.ts'
import { Turns } from './turns.ts'

test.each([
  ['without a filter', {}],
  ['with one', { level: ['INFO' as const] }],
])(
  'where each question to the store takes long, a reader %s is given all that was fetched',
  async (_, filter) => {
    const { store, append, close } = await openTestStore()
    onTestFinished(close)
    for (let line = 1; line <= 200; line++) await append('slow', [{ message: `line ${line}` }])
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    onTestFinished(() => clock.mockRestore())
    let asked = 0
    const slowly = <A extends unknown[], R>(ask: (...args: A) => Promise<R>) => {
      return (...args: A) => {
        asked++
        now += 500
        return ask(...args)
      }
    }
    const { segments } = store
    const reader: SegmentReader = {
      ...segments,
      head: slowly(segments.head),
      headers: slowly(segments.headers),
      bodies: slowly(segments.bodies),
    }
    let cursor = 0
    for (let lastSeq = 200; cursor < lastSeq; ) {
      const request = { taskId: 'slow', filter: compileFilter(filter), after: cursor }
      const answer = await readOn({ reader, turn: new Turns().begin() }, request)
      ;({ cursor, lastSeq } = answer)
    }
    expect(asked).toBeLessThanOrEqual(15)
  },
)
