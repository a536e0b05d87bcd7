import { closeSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FLAG_CONTINUED } from '#protocol/segment-layout.ts'
import { Secrets } from '../mask/secrets.ts'
import { SourceCapture } from './capture.ts'
import { makePipes, readPipe } from './pipe.ts'

let parts: string[]
let capture: SourceCapture
beforeEach(() => {
  parts = []
  const decoder = new TextDecoder()
  const out = {
    block: (text: Uint8Array) => {
      parts.push(...decoder.decode(text).split('\n').slice(0, -1))
    },
    line: (message: Uint8Array, flags: number) => {
      parts.push((flags & FLAG_CONTINUED ? '…' : '') + decoder.decode(message))
    },
  }
  capture = new SourceCapture(out, { source: 0, secrets: new Secrets(() => {}) })
})
afterEach(() => void vi.useRealTimers())

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

it('an open line is given on after 200 ms of silence', async () => {
  capture.push(Buffer.from('Name: '))
  await vi.waitFor(() => expect(parts).toEqual(['Name: ']), 10_000)
  capture.push(Buffer.from('Ada\n'))
  expect(parts).toEqual(['Name: ', '…Ada'])
})

it('an open line whose rest waits to be read is not given on, however long this process was busy', async () => {
  const [pipe] = makePipes(1)!
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  let first = true
  readPipe(
    pipe!.readFd,
    chunk => {
      capture.push(chunk)
      if (!first) return
      first = false
      writeSync(pipe!.writeFd, 'e\n')
      closeSync(pipe!.writeFd)
      block(300)
    },
    close,
  )
  writeSync(pipe!.writeFd, 'on')
  await closed
  capture.end()
  expect(parts).toEqual(['one'])
})

it('a line that is redrawn all the time is shown every second, one of many is not cut', () => {
  vi.useFakeTimers()
  const pushAll = (text: string) => {
    for (let n = 0; n < 12; n++) {
      capture.push(Buffer.from(text))
      vi.advanceTimersByTime(100)
    }
  }
  pushAll('e\non')
  expect(parts).toEqual(['e', ...Array<string>(11).fill('one')])
  parts = []
  capture.push(Buffer.from('e\n'))
  pushAll('.')
  expect(parts).toEqual(['one', '.'.repeat(12)])
})
