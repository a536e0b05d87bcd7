import type { Writable } from 'node:stream'

const EVERY_MS = 200

export interface Progress {
  show(phase: string, done: number, unit: string): void
  /** Takes the line away, so that others can be written. */
  clear(): void
}

/** One line that is overwritten, on a terminal; nothing elsewhere. */
export function createProgress(out: Writable & { isTTY?: boolean }, now: () => number): Progress {
  if (!out.isTTY) return { show: () => undefined, clear: () => undefined }
  let shownAt = Number.NEGATIVE_INFINITY
  let phase = ''
  let began = { at: 0, done: 0 }
  return {
    show(name, done, unit) {
      const at = now()
      if (name !== phase) began = { at, done }
      if (name === phase && at - shownAt < EVERY_MS) return
      phase = name
      shownAt = at
      const seconds = (at - began.at) / 1000
      const rate = unit && seconds > 1 ? `, ${whole((done - began.done) / seconds)} a second` : ''
      out.write(`\r\u001b[K${name}: ${whole(done)}${rate}`)
    },
    clear() {
      if (phase === '') return
      out.write('\r\u001b[K')
      phase = ''
    },
  }
}

/** 1 234 567 */
export function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US').replaceAll(',', ' ')
}
