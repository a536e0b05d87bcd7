import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import { usageError } from '../exit.ts'
import { didYouMean } from '../nearest.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('<shell>', 'bash, zsh or fish')
    .argument('[words...]', 'what these scripts ask: keruta completion candidates -- <words>')
    .addHelpText(
      'after',
      `
Commands, options, their values, and the ids of tasks and sessions of the server are completed.

Examples:
  $ source <(keruta completion bash)             for ~/.bashrc
  $ source <(keruta completion zsh)              for ~/.zshrc, after compinit
  $ keruta completion fish > ~/.config/fish/completions/keruta.fish`,
    )
  action(async (context, _options, shell = '', ...rest) => {
    if (shell === 'candidates') {
      const { candidates } = await import('../complete/candidates.ts')
      const { found, files } = await candidates(context, (rest as unknown as string[][])[0] ?? [])
      const lines = found.map(({ word, about }) => `${word}\t${about}`)
      for (const line of files ? [...lines, FILES] : lines) context.print(line)
      return 0
    }
    const { completionFor, SHELLS } = await import('../complete/shells.ts')
    if (!SHELLS.includes(shell)) {
      const hint = didYouMean(shell, SHELLS)
      throw usageError(`unknown shell "${shell.slice(0, 40)}": bash, zsh or fish${hint}`)
    }
    context.print(completionFor(shell))
    return 0
  })
}

/** The shell's own files are wanted too; no candidate begins with a colon. */
const FILES = ':files'
