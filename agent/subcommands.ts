import type { Command } from 'commander'
import type { Handler } from './cli.ts'
import { usageError } from './exit.ts'
import { didYouMean } from './nearest.ts'

/** How a file in `commands/` gives its work to a command, or to one of its subcommands. */
export type Bind = (handler: Handler, on?: Command) => void

/** Without a subcommand it is `list`; a word that is none is answered with the nearest that is. */
export function orList(command: Command, bind: Bind, list: Handler): void {
  command
    .usage('[subcommand] [options]')
    .argument('[subcommand]', 'below; default: list')
    .allowExcessArguments()
  bind(async (context, options, word) => {
    if (word === undefined) return list(context, options)
    const names = command.commands.map(each => each.name())
    throw usageError(
      `${command.name()} ${word.slice(0, 40)} is unknown: ${names.join(', ')}${didYouMean(word, names)}`,
    )
  })
}

/** @param examples whole command lines */
export function subcommand(command: Command, name: string, summary: string, examples: string[]): Command {
  const lines = examples.map(example => `  $ ${example}`)
  return command
    .command(name)
    .description(summary)
    .addHelpText('after', ['\nExamples:', ...lines].join('\n'))
}
