import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { askRun, MAX_REQUEST_BYTES } from '../run-socket.ts'
import { RunListener } from './run-listener.ts'

let listener: RunListener | undefined
afterEach(() => listener?.close())

async function open(): Promise<string> {
  listener = await RunListener.open(request => {
    if (request.ask === 'redact') return { values: [request.value.trim()] }
    return { error: 'refused' }
  })
  return listener!.path
}
const send = async (path: string, line: string) => {
  const socket = connect(path)
  socket.end(line)
  return JSON.parse(await text(socket)) as unknown
}

it('answers one request of each caller, many at once', async () => {
  const path = await open()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => askRun(path, { ask: 'redact', value: `${index} ä\n` })),
  )
  expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => ({ values: [`${index} ä`] })))
  await expect(askRun(path, { ask: 'secrets' })).rejects.toThrow('refused')
})

it('survives what makes no sense', async () => {
  const path = await open()
  const nonsense = { error: expect.stringContaining('makes no sense') }
  expect(await send(path, 'hello\n')).toEqual(nonsense)
  expect(await send(path, '{"ask":"redact","value":7}\n')).toEqual(nonsense)
  expect(await send(path, 'null\n')).toEqual(nonsense)
  expect(await send(path, 'x'.repeat(MAX_REQUEST_BYTES + 10))).toEqual({
    error: expect.stringContaining('over'),
  })
  connect(path).destroy()
  expect(await askRun(path, { ask: 'redact', value: 'well' })).toEqual({ values: ['well'] })
})

it('leaves nothing behind, and who asks then learns that nobody listens', async () => {
  const path = await open()
  listener!.close()
  expect(existsSync(path)).toBe(false)
  expect(await askRun(path, { ask: 'secrets' })).toBeUndefined()
  expect(await askRun(undefined, { ask: 'secrets' })).toBeUndefined()
})
