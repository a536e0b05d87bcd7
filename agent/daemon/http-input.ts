import type { IncomingMessage } from 'node:http'
import type { GivenInput } from '../input/dialog.ts'
import { HttpProblem } from './http-guard.ts'

const MAX_BODY_BYTES = 64 * 1024
/** What `curl -d` says of whatever it sends. */
const FORM = /^application\/x-www-form-urlencoded\b/i
const FIELDS: Record<string, 'string' | 'boolean'> = {
  text: 'string',
  newline: 'boolean',
  eof: 'boolean',
  secret: 'boolean',
  taskId: 'string',
}

/**
 * The body of `POST /input`: text, whose line is closed, or the JSON that the server's own call takes, with an optional
 * task; JSON needs no content type where curl sends it.
 */
export async function readInput(req: IncomingMessage): Promise<Omit<GivenInput, 'by'> & { taskId?: string }> {
  const body = await readBody(req)
  const type = req.headers['content-type'] ?? ''
  const isJson = /^application\/json\b/i.test(type) || (FORM.test(type) && isInputBody(body))
  const {
    text = '',
    newline = true,
    eof = false,
    secret = false,
    taskId,
  } = isJson ? parse(body) : { text: body }
  const closed = newline && !(text === '' && eof) && !text.endsWith('\n') ? `${text}\n` : text
  if (closed === '' && !eof)
    throw new HttpProblem(400, 'the body holds nothing to send: give text, or {"eof": true}')
  return { text: closed, eof, secret, taskId }
}

function isInputBody(body: string): boolean {
  try {
    return body.trimStart().startsWith('{') && Object.keys(parse(body)).length > 0
  } catch {
    return false
  }
}

interface InputBody {
  text?: string
  newline?: boolean
  eof?: boolean
  secret?: boolean
  taskId?: string
}

function parse(body: string): InputBody {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw new HttpProblem(400, `the body is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpProblem(400, 'the body must be an object such as {"text": "yes"}')
  for (const [name, field] of Object.entries(value)) {
    const type = FIELDS[name]
    if (!type) throw new HttpProblem(400, `${name} is no field; there are ${Object.keys(FIELDS).join(', ')}`)
    if (typeof field !== type) throw new HttpProblem(400, `${name} must be a ${type}`)
  }
  return value as InputBody
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES)
      throw new HttpProblem(413, `the body is larger than ${MAX_BODY_BYTES} bytes`, { connection: 'close' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
