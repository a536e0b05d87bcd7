import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createProgress } from './progress.ts'

it('a terminal sees one line that is overwritten a few times a second, with the rate, and a pipe sees nothing', () => {
  let now = 0
  const shown = (isTTY: boolean) => {
    const out = Object.assign(new PassThrough(), { isTTY })
    const progress = createProgress(out, () => now)
    for (now = 0; now <= 2000; now += 100) progress.show('lines', now * 5, 'lines')
    progress.clear()
    progress.clear()
    return String(out.read() ?? '')
  }
  const lines = shown(true).split('\r\u001b[K')
  expect(lines).toHaveLength(13)
  expect(lines.slice(0, 3)).toEqual(['', 'lines: 0', 'lines: 1 000'])
  expect(lines.slice(-2)).toEqual(['lines: 10 000, 5 000 a second', ''])
  expect(shown(false)).toBe('')
})
