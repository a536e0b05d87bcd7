import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clientFrameSchema, serverFrameSchema } from '#protocol/frames.ts'
import { checkSegment } from '#protocol/segment-check.ts'
import { sessionClientFrameSchema, sessionServerFrameSchema } from '#protocol/session-frames.ts'

const text = readFileSync(join(import.meta.dirname, 'protocol.md'), 'utf8')

it('shows a segment that decodes to the lines it is said to hold', () => {
  const dump = /### An example[\s\S]*?```\n([\s\S]*?)```/.exec(text)![1]!
  const bytes = dump
    .split('\n')
    .flatMap(line => /^((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2})(?: {2,}|$)/.exec(line)?.[1]?.match(/\S\S/g) ?? [])
  const { segment } = checkSegment(
    Uint8Array.from(bytes, byte => Number.parseInt(byte, 16)),
    isUtf8,
  )
  expect(segment.entry(0, 't', 1)).toMatchObject({
    message: 'hi',
    source: 'stdout',
    level: 'INFO',
    lineNumber: 1,
    timestamp: '2026-01-01T12:00:00.000Z',
  })
  expect(segment.entry(1, 't', 1)).toMatchObject({
    message: 'no',
    source: 'stderr',
    level: 'ERROR',
    lineNumber: 1,
    timestamp: '2026-01-01T12:00:00.005Z',
  })
})

it('names every frame that clients and servers may send', () => {
  const schemas = [clientFrameSchema, serverFrameSchema, sessionClientFrameSchema, sessionServerFrameSchema]
  const types = schemas.flatMap(schema => schema.options.map(option => option.shape.type.value))
  expect(types.filter(type => !text.includes(`{"type":"${type}"`))).toEqual([])
})
