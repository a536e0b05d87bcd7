import { connect } from 'node:net'
import type { Config } from './config.ts'
import { CommandError, EXIT } from './exit.ts'

/** The variable that tells a script's commands where the agent listens that runs it. */
export const RUN_SOCKET = 'KERUTA_RUN_SOCKET'

/** Whether this is a command of the script that an agent runs as the very task that is meant. */
export function isOwnTask({ environment, taskId }: Pick<Config, 'environment' | 'taskId'>): boolean {
  return environment[RUN_SOCKET] !== undefined && environment.KERUTA_TASK_ID === taskId
}

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

/**
 * @returns nothing where no agent listens: there is none, it has ended, or it is another user's
 * @throws CommandError where it refuses, or does not answer
 */
export async function askRun(path: string | undefined, request: RunRequest): Promise<RunAnswer | undefined> {
  if (!path) return undefined
  const answer = await talk(path, `${JSON.stringify(request)}\n`)
  if (answer?.error !== undefined) throw new CommandError(EXIT.failure, answer.error)
  return answer
}

function talk(path: string, line: string): Promise<RunAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      socket.destroy()
      reject(
        new CommandError(EXIT.unreachable, `the agent that runs this script does not answer (${reason})`),
      )
    }
    let text = ''
    let connected = false
    const socket = connect(path, () => {
      connected = true
      socket.write(line)
    })
      .setEncoding('utf8')
      .setTimeout(TIMEOUT_MS, () => fail(`not within ${TIMEOUT_MS / 1000} s`))
      .on('error', (error: NodeJS.ErrnoException) =>
        connected ? fail(error.code ?? error.message) : resolve(undefined),
      )
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
