import type { IncomingMessage } from 'node:http'

// Not imported: an import of Node's HTTP module, and the global fetch, load a second HTTP client of 20 MB, in every process.
const http = process.getBuiltinModule('node:http')

export interface HttpCall {
  method: string
  headers: Record<string, string>
  body: string | undefined
  signal: AbortSignal | undefined
}

/** The part of a `Response` that calls without a stream need. */
export interface HttpAnswer extends Pick<Response, 'ok' | 'status' | 'url' | 'text'> {
  headers: { get(name: string): string | null }
}

const agents = new Map<string, import('node:http').Agent>()

/** One request, answered whole. @throws the system's error where there is no answer; the signal's reason where that fires */
export function httpCall(url: string, { method, headers, body, signal }: HttpCall): Promise<HttpAnswer> {
  const { protocol } = new URL(url)
  const client = protocol === 'https:' ? process.getBuiltinModule('node:https') : http
  const agent = agents.get(protocol) ?? new client.Agent({ keepAlive: true })
  agents.set(protocol, agent)
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(signal?.aborted ? signal.reason : error)
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = client.request(url, { method, agent, signal, headers: { ...headers, ...length } })
    request.on('error', fail)
    request.on('response', response => {
      readAll(response).then(text => resolve(answer(url, response, text)), fail)
    })
    request.end(body)
  })
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function answer(url: string, { statusCode = 0, headers }: IncomingMessage, text: string): HttpAnswer {
  return {
    ok: statusCode >= 200 && statusCode < 300,
    status: statusCode,
    url,
    headers: { get: name => String(headers[name] ?? '') || null },
    text: async () => text,
  }
}
