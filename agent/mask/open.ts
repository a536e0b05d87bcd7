import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { askRun, RUN_SOCKET } from '../run-socket.ts'
import { Secrets } from './secrets.ts'

/** What an agent knows to be secret before it runs anything. */
export function addAgentSecrets(secrets: Secrets, config: Config): void {
  if (config.token !== undefined) secrets.add(config.token, 'the token')
  secrets.addVariables({ ...config.environment, KERUTA_MASK: config.mask })
}

/** The same for a command, which may be one of a script: then its run's secrets are its own. */
export async function commandSecrets(config: Config, refuse: (message: string) => void): Promise<Secrets> {
  const secrets = new Secrets(refuse)
  addAgentSecrets(secrets, config)
  const answer = await askRun(config.environment[RUN_SOCKET], { ask: 'secrets' })
  for (const value of answer?.values ?? []) secrets.add(value, "a value of the script's run")
  return secrets
}

/** A context that tells no secret on this machine either: what it says may be kept, and read by others. */
export function withoutSecrets(context: Context, secrets: Secrets): Context {
  return {
    ...context,
    secrets: async () => secrets,
    warn: message => context.warn(secrets.text(message)),
    say: message => context.say(secrets.text(message)),
    explain: message => context.explain(secrets.text(message)),
  }
}
