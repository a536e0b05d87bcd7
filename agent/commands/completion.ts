import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import type { CommandWords } from '../context.ts'
import { usageError } from '../exit.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command.argument('<shell>', 'bash, zsh or fish').addHelpText(
    'after',
    `
Examples:
  $ source <(keruta completion bash)
  $ keruta completion zsh > ~/.zfunc/_keruta
  $ keruta completion fish > ~/.config/fish/completions/keruta.fish`,
  )
  action(async (context, _options, shell = '') => {
    const script = SHELLS[shell]
    if (!script) throw usageError(`unknown shell "${shell}": bash, zsh or fish`)
    context.print(script(await context.commands()))
    return 0
  })
}

const SHELLS: Record<string, (commands: CommandWords[]) => string> = {
  bash: commands => `_keruta() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]}
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help" -- "$word")); return; fi
  case $command in
${commands.map(({ name, options }) => `    ${name}) COMPREPLY=($(compgen -W "${options.join(' ')}" -- "$word")) ;;`).join('\n')}
  esac
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _keruta keruta keruta-agent`,
  zsh: commands => `#compdef keruta keruta-agent
_keruta() {
  if (( CURRENT == 2 )); then
    local -a commands=(${commands.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", "'\\''")}'`).join(' ')})
    _describe command commands
    return
  fi
  case $words[2] in
${commands.map(({ name, options }) => `    ${name}) compadd -- ${options.join(' ')} ;;`).join('\n')}
  esac
  _files
}
compdef _keruta keruta keruta-agent`,
  fish: commands =>
    commands
      .flatMap(({ name, summary, options }) => [
        `complete -c keruta -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
        ...options.map(word =>
          word.startsWith('--')
            ? `complete -c keruta -n '__fish_seen_subcommand_from ${name}' -l ${word.slice(2)}`
            : `complete -c keruta -n '__fish_seen_subcommand_from ${name}' -f -a ${word}`,
        ),
      ])
      .join('\n'),
}
