import { once } from 'node:events'
import { WebSocket } from 'ws'
import { ADMIN_KEY } from '#server/testing/test-server.ts'

export interface Frames {
  count: number
  /** Frame `index`, ready to be sent; the same memory may come again after it was acknowledged. */
  at(index: number): Uint8Array | string
  /** Lines that are stored once frame `index` is. */
  linesUpTo(index: number): number
  bytes: number
}

const WINDOW_BYTES = 4 * 1024 * 1024

/** Sends every frame with several in flight; resolves when all are acknowledged, with the seconds that it took. */
export async function sendFrames(
  url: string,
  frames: Frames,
  windowFrames = 64,
  onAck = () => {},
): Promise<number> {
  const ws = new WebSocket(url, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    perMessageDeflate: false,
    // As the agent does: masking would only cost both sides a pass over every byte.
    generateMask: mask => mask.fill(0),
  })
  await once(ws, 'open')
  const window = Math.max(2, Math.min(windowFrames, Math.floor(WINDOW_BYTES / frames.bytes)))
  const startedAt = performance.now()
  await new Promise<void>((resolve, reject) => {
    let sent = 0
    let acked = 0
    const fill = () => {
      while (sent < frames.count && sent - acked < window) ws.send(frames.at(sent++))
    }
    ws.on('message', data => {
      const answer = JSON.parse(String(data))
      if (answer.type === 'error') reject(new Error(`${answer.code}: ${answer.message}`))
      if (answer.type !== 'ack') return
      onAck()
      while (acked < sent && frames.linesUpTo(acked) <= answer.n) acked++
      if (acked === frames.count) resolve()
      else fill()
    })
    ws.on('close', code => reject(new Error(`the server closed the connection with ${code}`)))
    fill()
  })
  const seconds = (performance.now() - startedAt) / 1000
  ws.close()
  return seconds
}
