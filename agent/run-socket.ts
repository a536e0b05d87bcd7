import { connect } from 'node:net'
import { CommandError, EXIT } from './exit.ts'

/** The variable that tells a script's commands where the agent listens that runs it. */
export const RUN_SOCKET = 'KERUTA_RUN_SOCKET'

/** What a script's commands ask the agent that runs it, one line of JSON each, answered by one. */
export type RunRequest =
  /** Masks a value from now on; answered when that is so. */
  | { ask: 'redact'; value: string }
  /** The values that the run masks. */
  | { ask: 'secrets' }
  /** The script is at this step. */
  | { ask: 'step'; name: string }

export interface RunAnswer {
  error?: string
  values?: string[]
}

export const MAX_REQUEST_BYTES = 1024 * 1024
const TIMEOUT_MS = 10_000

/** @throws CommandError where the agent cannot be reached, or refuses */
export async function askRun(path: string, request: RunRequest): Promise<RunAnswer> {
  const answer = await talk(path, `${JSON.stringify(request)}\n`)
  if (answer.error !== undefined) throw new CommandError(EXIT.failure, answer.error)
  return answer
}

function talk(path: string, line: string): Promise<RunAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      socket.destroy()
      reject(
        new CommandError(EXIT.unreachable, `the agent that runs this script cannot be reached (${reason})`),
      )
    }
    let text = ''
    const socket = connect(path, () => socket.write(line))
      .setEncoding('utf8')
      .setTimeout(TIMEOUT_MS, () => fail('it does not answer'))
      .on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
      .on('data', (chunk: string) => {
        text += chunk
      })
      .on('end', () => {
        socket.destroy()
        if (text.endsWith('\n')) resolve(JSON.parse(text) as RunAnswer)
        else fail('it broke off')
      })
  })
}
