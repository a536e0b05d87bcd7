import type { Command } from 'commander'
import type { Config } from './config.ts'
import type { Api } from './delivery/api.ts'
import type { Secrets } from './mask/secrets.ts'

/** What every command is given. */
export interface Context {
  config: Config
  /** Words after `--`, for `execute`. */
  rest: string[]
  /** The server's API with the settings' token. */
  api(): Promise<Api>
  /** What is not to leave this machine: the token, the environment's secrets, and in a script those of its run. */
  secrets(): Promise<Secrets>
  /** Every command, those that the words name with their options: for completion. */
  program(words: string[]): Promise<Command>
  /** Results, to stdout. */
  print(text: string): void
  /** Errors that end nothing, to stderr, one line each. */
  warn(message: string): void
  /** Notices, to stderr; none with `--quiet`. */
  say(message: string): void
  /** What was done as asked. A script's commands keep it to `--verbose`: its stderr counts as errors in the task's log. */
  done(message: string): void
  /** Notices for `--verbose`. */
  explain(message: string): void
}

/** Gathers what a command must not tell. */
export async function openSecrets({ config, explain }: Context): Promise<Secrets> {
  const { commandSecrets } = await import('./mask/open.ts')
  return commandSecrets(config, explain)
}

/** Opens the API of the settings; the client is loaded only by commands that call it. */
export async function openApi(config: Config): Promise<Api> {
  const { Api } = await import('./delivery/api.ts')
  return new Api({
    url: config.apiUrl,
    token: config.token,
    timeoutMs: config.timeoutMs,
    retries: config.retryCount,
  })
}
