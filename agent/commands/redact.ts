import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import { CommandError, EXIT, usageError } from '../exit.ts'
import { askRun, MAX_REQUEST_BYTES, RUN_SOCKET } from '../run-socket.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('<action>', 'add')
    .argument('[value]', 'what is to be masked; - or nothing reads it from stdin, where nobody else sees it')
    .addHelpText(
      'after',
      `
Within a script that keruta runs: from now on the value is shown as *** in the task's log, messages and artifacts. What the
script prints after this command has returned is masked. So are its base64, URL and JSON forms; of several lines, each.

Examples:
  $ vault read -field=password secret/db | keruta redact add
  $ keruta redact add "$PIN"
  $ echo "::add-mask::$PIN"                     the same without keruta, for what is printed later`,
    )
  action(async ({ config }, _options, verb = '', value) => {
    if (verb !== 'add') throw usageError(`unknown action "${verb.slice(0, 40)}": keruta redact add [value]`)
    const secret = value === undefined || value === '-' ? await readStdin() : value
    if (secret.trim() === '') throw usageError('the value is empty; is a variable unset?')
    if (!(await askRun(config.environment[RUN_SOCKET], { ask: 'redact', value: secret })))
      throw usageError(
        'keruta redact works within a script that keruta execute or the daemon runs, and none listens here',
      )
    return 0
  })
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) throw usageError('give the value, or pipe it in: … | keruta redact add')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes > MAX_REQUEST_BYTES / 2)
      throw new CommandError(EXIT.usage, `the value is over ${MAX_REQUEST_BYTES / 2} bytes`)
  }
  return Buffer.concat(chunks).toString()
}
