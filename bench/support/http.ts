import { Agent, get, type IncomingMessage } from 'node:http'
import { ADMIN_KEY } from '#server/testing/test-server.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** GET over one kept-alive connection; the whole body, and the ms from request to its last byte. */
export async function timedGet(url: string): Promise<{ body: Buffer; ms: number }> {
  const startedAt = performance.now()
  const chunks: Buffer[] = []
  for await (const chunk of await request(url)) chunks.push(chunk as Buffer)
  return { body: Buffer.concat(chunks), ms: performance.now() - startedAt }
}

/** GET without keeping the body; each chunk is shown once. */
export async function streamedGet(url: string, onChunk: (chunk: Buffer) => void): Promise<void> {
  for await (const chunk of await request(url)) onChunk(chunk as Buffer)
}

async function request(url: string): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent, headers: { authorization: `Bearer ${ADMIN_KEY}` } }, resolve).on('error', reject)
  })
  if (response.statusCode === 200) return response
  let text = ''
  for await (const chunk of response) text += chunk
  throw new Error(`GET ${url}: ${response.statusCode} ${text}`)
}
