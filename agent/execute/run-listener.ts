import { mkdtempSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from '#protocol/id-text.ts'
import { removeFolder } from '../remove-folder.ts'
import { MAX_REQUEST_BYTES, type RunAnswer, type RunRequest } from '../run-socket.ts'

/** Answers the commands of one run's script, on a socket that only this user can open. */
export class RunListener {
  readonly path: string
  readonly #dir: string | undefined
  readonly #server: Server

  /**
   * @returns nothing where no socket can be made here
   */
  static async open(answer: (request: RunRequest) => RunAnswer): Promise<RunListener | undefined> {
    try {
      const listener = new RunListener(answer)
      await listener.#listen()
      return listener
    } catch {
      return undefined
    }
  }

  private constructor(answer: (request: RunRequest) => RunAnswer) {
    this.#dir = process.platform === 'win32' ? undefined : mkdtempSync(join(shortFolder(), 'keruta-run-'))
    this.path = this.#dir === undefined ? `\\\\.\\pipe\\keruta-${uuidv7()}` : join(this.#dir, 'agent')
    this.#server = createServer({ allowHalfOpen: true }, socket => serve(socket, answer))
    this.#server.unref()
  }

  close(): void {
    this.#server.close()
    if (this.#dir !== undefined) removeFolder(this.#dir)
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => {
        this.close()
        reject(error)
      }
      this.#server.once('error', failed)
      this.#server.listen(this.path, resolve)
    })
  }
}

function serve(socket: Socket, answer: (request: RunRequest) => RunAnswer): void {
  let text = ''
  const reply = (body: RunAnswer) => socket.end(`${JSON.stringify(body)}\n`)
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0 && text.length <= MAX_REQUEST_BYTES) return
    socket.removeAllListeners('data').resume()
    if (end < 0) return reply({ error: `the request is over ${MAX_REQUEST_BYTES} bytes` })
    reply(answerTo(text.slice(0, end), answer))
  })
}

function answerTo(line: string, answer: (request: RunRequest) => RunAnswer): RunAnswer {
  try {
    return answer(JSON.parse(line) as RunRequest)
  } catch {
    return { error: 'the request makes no sense; are agent and command of one version?' }
  }
}

/** A socket's path has to fit into some hundred bytes. */
function shortFolder(): string {
  return Buffer.byteLength(tmpdir()) > 70 ? '/tmp' : tmpdir()
}
