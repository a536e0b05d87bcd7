import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandError, EXIT } from '../exit.ts'

/**
 * A line that somebody types at the terminal.
 * @param hidden it is not shown
 * @throws CommandError where they end the input instead
 */
export async function ask(prompt: string, hidden: boolean): Promise<string> {
  process.stderr.write(prompt)
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!hidden) process.stderr.write(chunk as Buffer)
      done()
    },
  })
  const dialog = createInterface({ input: process.stdin, output, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      dialog.once('line', resolve)
      dialog.once('SIGINT', () => reject(new CommandError(130, 'nothing was sent')))
      dialog.once('close', () => reject(new CommandError(EXIT.failure, 'nothing was sent')))
    })
  } finally {
    dialog.close()
    if (hidden) process.stderr.write('\n')
  }
}
