import type { Context } from 'hono'
import { z } from 'zod'
import { KerutaError } from '#protocol/errors.ts'
import { type NewEntry, newEntrySchema } from '#protocol/log.ts'
import { JSON_TYPE, mediaType, parseJson, readText } from './body.ts'
import { badInput } from './router.ts'

const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

const list = z.array(newEntrySchema)

/** Posted entries; `single` where the body was one entry by itself, which is answered differently. */
export async function readEntries(c: Context): Promise<{ entries: NewEntry[]; single: boolean }> {
  const text = await readText(c, [JSON_TYPE, ...NDJSON_TYPES])
  const read = NDJSON_TYPES.includes(mediaType(c)) ? fromLines(text) : fromJson(parseJson(text))
  if (read.entries.length === 0) throw new KerutaError('BAD_REQUEST', 'the body holds no entry')
  return read
}

function fromJson(body: unknown): { entries: NewEntry[]; single: boolean } {
  if (Array.isArray(body)) return { entries: checked(list, body), single: false }
  if (typeof body === 'object' && body !== null && 'entries' in body)
    return { entries: checked(list, body.entries, ['entries']), single: false }
  return { entries: [checked(newEntrySchema, body)], single: true }
}

function fromLines(text: string): { entries: NewEntry[]; single: boolean } {
  const entries: unknown[] = []
  text.split('\n').forEach((line, index) => {
    if (line.trim() !== '') entries.push(parseJson(line, `line ${index + 1}`, String(index)))
  })
  return { entries: checked(list, entries), single: false }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, prefix: string[] = []): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw badInput('body', result.error.issues, prefix)
}
