import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import type { ResolvedSetting } from '../config.ts'
import { openSettingsFile } from '../config-write.ts'
import { didYouMean } from '../nearest.ts'
import { table } from '../table.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .argument('[action]', 'show, set or path', 'show')
    .argument('[key]', 'with set: a setting, such as api.url')
    .argument('[value]', 'with set: its value')
    .addHelpText(
      'after',
      `
show prints every setting, its value and where it came from; set writes one to ~/.keruta/config.yaml (or --config) and
keeps the file's comments; path prints where that file is.

Examples:
  $ keruta config show
  $ keruta config set api.url http://keruta.example.com:8080
  $ keruta config set log_streaming.flush_interval 500ms`,
    )
  action(async (context, options, verb = 'show', key, value) => {
    const { config } = context
    const file = (options.config as string | undefined) ?? config.userFile
    if (verb === 'path') context.print(config.json ? JSON.stringify({ path: file }) : file)
    else if (verb === 'set') {
      const written = openSettingsFile(file).set(key, value)
      context.say(`${written} in ${file}`)
    } else if (verb === 'show') {
      for (const warning of config.warnings) if (!config.verbose) context.say(warning)
      const rows = config.resolved.map(show)
      context.print(
        config.json
          ? JSON.stringify(rows, null, 2)
          : table(rows, ['key', 'value', 'from', 'about'], process.stdout.columns),
      )
    } else {
      const { usageError } = await import('../exit.ts')
      const hint = didYouMean(verb, ['show', 'set', 'path'])
      throw usageError(`config ${verb.slice(0, 40)} is unknown: show, set or path${hint}`)
    }
    return 0
  })
}

function show({ setting, value, from }: ResolvedSetting): Record<string, string> {
  return {
    key: setting.key,
    value: setting.secret && value ? masked(String(value)) : shown(setting.kind, value),
    from,
    about: setting.about,
  }
}

function masked(secret: string): string {
  return secret.length > 12 ? `${secret.slice(0, 4)}…${secret.slice(-2)}` : '***'
}

function shown(kind: string, value: unknown): string {
  if (value === undefined) return '-'
  if (kind === 'duration') return Number(value) % 1000 === 0 ? `${Number(value) / 1000}s` : `${value}ms`
  if (kind === 'size') return `${Math.round(Number(value) / 1024 ** 2)}MB`
  return String(value)
}
