import type { Command } from 'commander'
import type { TaskView } from '#protocol/task.ts'
import type { Handler } from '../cli.ts'
import type { Context } from '../context.ts'
import { taskPath } from '../target-path.ts'

/** Of text at once: what the server takes as one input, also where each character has four bytes. */
const PIECE_CHARS = 16 * 1024

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('<task-id>', 'the task whose script waits')
    .argument('[text]', 'a line of text; - or a pipe: what stdin brings, as it is')
    .option('--secret', 'it is shown nowhere; typed at the terminal, not even here')
    .option('--eof', "after that, or alone: the end of the script's stdin")
    .option('--no-newline', "without the line's end")
    .addHelpText(
      'after',
      `
Without text you are asked for it here, after what the script has asked.

Examples:
  $ keruta input task123 yes
  $ keruta input task123 --secret
  $ keruta input task123 - --eof < answers.txt
  $ keruta input task123 --eof`,
    )
  action(async (context, { secret, eof, newline }, id, text) => {
    const path = taskPath(context.config, id)
    const api = await context.api()
    const send = (body: object) =>
      api.post<{ id: string }>(`${path}/input`, { secret: secret === true, ...body })
    const sent: string[] = []
    const keep = async (body: object) => void sent.push((await send(body)).id)
    if (text === '-' || (text === undefined && !eof && !process.stdin.isTTY)) {
      for await (const piece of pieces()) await keep({ text: piece, newline: false })
      if (eof) await keep({ text: '', newline: false, eof: true })
    } else if (text === undefined && eof) await keep({ text: '', newline: false, eof: true })
    else {
      if (text !== undefined && secret)
        context.say(
          'a secret among the words of a command can be seen by others here: leave it out, and be asked',
        )
      const line = text ?? (await asked(context, await api.get<TaskView>(path), secret === true))
      await keep({ text: line, newline: newline !== false, eof: eof === true })
    }
    if (context.config.json) context.print(JSON.stringify({ ids: sent }))
    else
      context.say(
        sent.length === 0 ? 'stdin brought nothing: nothing was sent' : 'it is on its way to the script',
      )
    return 0
  })
}

async function asked(context: Context, task: TaskView, secret: boolean): Promise<string> {
  const { ask } = await import('../show/ask.ts')
  const { oneLine } = await import('../show/text.ts')
  const waiting = task.waitingForInput
  if (!waiting) context.say('the script has not asked for anything yet; what you type waits for it')
  return ask(waiting?.prompt ? `${oneLine(waiting.prompt)} ` : '> ', secret || waiting?.secret === true)
}

async function* pieces(): AsyncGenerator<string> {
  process.stdin.setEncoding('utf8')
  for await (const text of process.stdin as AsyncIterable<string>)
    for (let at = 0; at < text.length; at += PIECE_CHARS) yield text.slice(at, at + PIECE_CHARS)
}
