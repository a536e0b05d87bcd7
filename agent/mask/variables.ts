import { statSync } from 'node:fs'

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIAL/i
/** Names of where a secret lies, or how it is made. */
const ABOUT_A_SECRET = /(FILE|FILES|PATH|DIR|FOLDER|SOCKET|SOCK)$/i
const COUNT_NAME =
  /(TOKENS|LENGTH|SIZE|COUNT|LIMIT|TTL|TIMEOUT|EXPIRES|EXPIRY|EXPIRES_IN|AGE|DAYS|HOURS|MINUTES|SECONDS|MAX|MIN|PORT|VERSION)$/i
const SWITCH = /^(true|false|yes|no|on|off|null|none|undefined|enabled?|disabled?)$/i

/** The variables whose values are secrets, by their names; not those that say where a secret lies, or are a number or a switch. */
export function secretVariables(env: Record<string, string | undefined>): { name: string; value: string }[] {
  const found: { name: string; value: string }[] = []
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || name === 'KERUTA_MASK') continue
    if (SECRET_NAME.test(name) && isSecret(name, value.trim())) found.push({ name, value })
  }
  return [...found, ...listed(env.KERUTA_MASK ?? '').map(value => ({ name: 'KERUTA_MASK', value }))]
}

/** One value a line; in a single line, by commas. */
function listed(text: string): string[] {
  const trimmed = text.trim()
  return trimmed.split(trimmed.includes('\n') ? /\r?\n/ : ',').filter(value => value.trim() !== '')
}

function isSecret(name: string, value: string): boolean {
  if (value === '' || SWITCH.test(value) || ABOUT_A_SECRET.test(name)) return false
  if (COUNT_NAME.test(name) && /^\d+$/.test(value)) return false
  return !isPath(value)
}

function isPath(value: string): boolean {
  if (!/^(\/|\.\.?\/|[A-Za-z]:\\)/.test(value) || value.includes('\n')) return false
  try {
    return statSync(value, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}
