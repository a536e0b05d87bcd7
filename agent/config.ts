import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { usageError } from './exit.ts'
import { findHome } from './home.ts'
import { didYouMean } from './nearest.ts'
import { OTHER_VARIABLES, SETTINGS, type Setting, type SettingName } from './settings.ts'
import { parseValue, type Value } from './values.ts'

export type Environment = Record<string, string | undefined>

/** Flags that every command takes, as commander gives them. */
export interface GlobalFlags {
  apiUrl?: string
  token?: string
  taskId?: string
  sessionId?: string
  logLevel?: string
  config?: string
  json?: boolean
  verbose?: boolean
  quiet?: boolean
}

export interface ResolvedSetting {
  name: SettingName
  setting: Setting
  value: Value
  /** `--api-url`, `KERUTA_API_URL`, `/path/config.yaml:3` or `default`. */
  from: string
}

export type Settings = {
  [name in SettingName]: (typeof SETTINGS)[name]['kind'] extends infer K
    ? Typed<K, (typeof SETTINGS)[name]['fallback']>
    : never
}
type Typed<K, F> = K extends 'flag'
  ? boolean
  : K extends 'count' | 'duration' | 'size'
    ? number
    : F extends string
      ? string
      : string | undefined

export interface Config extends Settings {
  json: boolean
  verbose: boolean
  quiet: boolean
  /** Where the spool lies. */
  home: string
  /** Why that is not the folder that was wanted. */
  homeTrouble: string | undefined
  /** Settings with their origin, for `config show`. */
  resolved: ResolvedSetting[]
  /** The file that `config set` writes. */
  userFile: string
  /** Things that look like mistakes and are none of them fatal. */
  warnings: string[]
  /** What a child inherits. */
  environment: Environment
  /** Whether colours are welcome, from NO_COLOR, FORCE_COLOR and TERM. */
  colour: boolean | undefined
}

const FLAGS: Partial<Record<SettingName, keyof GlobalFlags>> = {
  apiUrl: 'apiUrl',
  token: 'token',
  taskId: 'taskId',
  sessionId: 'sessionId',
  logLevel: 'logLevel',
}

/** Flags beat the environment, that beats `--config` or `./keruta.yaml`, that beats `~/.keruta/config.yaml`, that beats the defaults. */
export async function loadConfig(flags: GlobalFlags, env: Environment = process.env): Promise<Config> {
  const userFile = join(env.HOME ?? homedir(), '.keruta', 'config.yaml')
  const files = [
    flags.config ?? env.KERUTA_CONFIG ?? (existsSync('keruta.yaml') ? 'keruta.yaml' : undefined),
    userFile,
  ]
  const warnings = unknownVariables(env)
  const entries: FileEntry[] = []
  for (const file of new Set(files)) {
    if (file === undefined || (file === userFile && !existsSync(file))) continue
    const { readSettingsFile } = await import('./config-file.ts')
    const found = readSettingsFile(file, readFile(file))
    entries.push(...found.entries)
    warnings.push(...found.warnings)
  }
  const resolved = (Object.keys(SETTINGS) as SettingName[]).map(name => resolve(name, flags, env, entries))
  const settings = Object.fromEntries(resolved.map(({ name, value }) => [name, value])) as Settings
  const home = findHome(env, settings.baseDir)
  return {
    ...settings,
    json: flags.json ?? false,
    verbose: flags.verbose ?? false,
    quiet: flags.quiet ?? false,
    home: home.path,
    homeTrouble: home.trouble,
    resolved,
    userFile,
    warnings,
    environment: env,
    colour: env.NO_COLOR ? false : env.FORCE_COLOR ? true : env.TERM === 'dumb' ? false : undefined,
  }
}

/** One value of a file. */
export interface FileEntry {
  name: SettingName
  value: unknown
  /** `path:line` */
  from: string
}

function resolve(
  name: SettingName,
  flags: GlobalFlags,
  env: Environment,
  entries: FileEntry[],
): ResolvedSetting {
  const setting: Setting = SETTINGS[name]
  const flag = FLAGS[name]
  const given = (value: unknown, from: string): ResolvedSetting => {
    try {
      return { name, setting, value: parseValue(setting.kind, value), from }
    } catch (error) {
      const shown = setting.secret ? 'the value' : `"${String(value).slice(0, 80)}"`
      throw usageError(`${from}: ${shown} ${(error as Error).message}`)
    }
  }
  if (flag && flags[flag] !== undefined)
    return given(flags[flag], `--${flag.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`)
  const variable = setting.env?.find(key => env[key] !== undefined && env[key] !== '')
  if (variable) return given(env[variable], variable)
  const entry = entries.find(found => found.name === name)
  if (entry) return given(entry.value, entry.from)
  return { name, setting, value: setting.fallback, from: 'default' }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`the settings file ${path} cannot be read: ${(error as Error).message}`)
  }
}

function unknownVariables(env: Environment): string[] {
  const known = [
    ...Object.values(SETTINGS).flatMap(setting => ('env' in setting ? [...setting.env] : [])),
    ...OTHER_VARIABLES,
  ]
  return Object.keys(env)
    .filter(name => name.startsWith('KERUTA_') && !(known as string[]).includes(name))
    .map(name => `${name} is no variable of keruta${didYouMean(name, known)}`)
}
