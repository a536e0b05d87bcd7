// Many WebSocket readers in a process of their own. They speak as little as they can, so that the server is what is measured:
// the bytes are looked through for the newest seq and dropped.
import { once } from 'node:events'
import { WebSocket } from 'ws'

const [, , url, count, subscribe, authorization] = process.argv as string[]
const seen = new Array<number>(Number(count)).fill(0)
const SEQ = Buffer.from('"seq":')
let told = 0

function look(reader: number, data: Buffer): void {
  if (data.includes('"type":"gap"')) process.send!({ gap: true })
  const at = data.lastIndexOf(SEQ)
  if (at < 0) return
  seen[reader] = Number.parseInt(data.toString('latin1', at + SEQ.length, at + SEQ.length + 16), 10)
  const slowest = Math.min(...seen)
  if (slowest <= told) return
  told = slowest
  process.send!({ slowest })
}

const sockets = await Promise.all(
  seen.map(async (_, reader) => {
    const ws = new WebSocket(url!, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      headers: { authorization: authorization! },
    })
    await once(ws, 'open')
    if (subscribe) {
      ws.send(subscribe)
      await once(ws, 'message')
    }
    ws.on('message', data => look(reader, data as Buffer))
    return ws
  }),
)
process.send!({ ready: sockets.length })
process.on('disconnect', () => process.exit())
