import { isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml'
import type { FileEntry } from './config.ts'
import { usageError } from './exit.ts'
import { didYouMean } from './nearest.ts'
import { SETTINGS, type Setting, type SettingName } from './settings.ts'

const PATHS = new Map<string, SettingName>()
for (const name of Object.keys(SETTINGS) as SettingName[]) {
  const setting: Setting = SETTINGS[name]
  for (const path of [setting.key, ...(setting.aliases ?? [])]) PATHS.set(plain(path), name)
}

/** The setting that a path in YAML names, in either spelling (`logStreaming.batchSize`, `log_streaming.batch_size`). */
export function settingAt(path: string): SettingName | undefined {
  return PATHS.get(plain(path))
}

export function knownPaths(): string[] {
  return Object.values(SETTINGS).map(setting => setting.key)
}

/**
 * Reads a settings file's text.
 * @throws CommandError with the line where it is no YAML
 */
export function readSettingsFile(path: string, text: string): { entries: FileEntry[]; warnings: string[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [error] = document.errors
  if (error) throw usageError(`${path}:${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0]}`)
  const found = { entries: [] as FileEntry[], warnings: [] as string[] }
  if (isMap(document.contents)) walk(document.contents, [], { path, lines, ...found })
  else if (document.contents !== null)
    throw usageError(`${path}:1: must hold settings such as "api: {url: …}"`)
  return found
}

interface Walk {
  path: string
  lines: LineCounter
  entries: FileEntry[]
  warnings: string[]
}

function walk(map: YAMLMap, above: string[], to: Walk): void {
  for (const { key, value } of map.items as Pair<unknown, unknown>[]) {
    const name = isScalar(key) ? String(key.value) : String(key)
    const at = isScalar(key) && key.range ? to.lines.linePos(key.range[0]).line : 1
    const path = [...above, name]
    const setting = settingAt(path.join('.'))
    if (setting && isScalar(value) && value.value !== null)
      to.entries.push({ name: setting, value: value.source ?? value.value, from: `${to.path}:${at}` })
    else if (isMap(value)) walk(value, path, to)
    else if (!setting) {
      const name = path.join('.')
      const hint = didYouMean(name, knownPaths())
      to.warnings.push(`${to.path}:${at}: "${name}" is no setting of keruta${hint}`)
    }
  }
}

function plain(path: string): string {
  return path.replace(/[_-]/g, '').toLowerCase()
}
