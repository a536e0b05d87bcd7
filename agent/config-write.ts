import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Document, isMap, isScalar, parseDocument } from 'yaml'
import { knownPaths, settingAt } from './config-file.ts'
import { usageError } from './exit.ts'
import { didYouMean } from './nearest.ts'
import { SETTINGS, type Setting } from './settings.ts'
import { parseValue } from './values.ts'

/** A settings file to change; comments and order in it are kept. */
export function openSettingsFile(path: string): {
  set(key: string | undefined, value: string | undefined): string
} {
  return {
    set(key, value) {
      if (key === undefined || value === undefined)
        throw usageError('keruta config set <key> <value>: both are needed')
      const name = settingAt(key)
      if (!name) {
        const hint = didYouMean(key, knownPaths()) || ' (see keruta config show)'
        throw usageError(`"${key}" is no setting${hint}`)
      }
      const setting: Setting = SETTINGS[name]
      try {
        parseValue(setting.kind, value)
      } catch (error) {
        throw usageError(`${key}: "${value}" ${(error as Error).message}`)
      }
      const document = parseDocument(existsSync(path) ? readFileSync(path, 'utf8') : '')
      if (document.errors[0]) throw usageError(`${path}: ${document.errors[0].message.split('\n')[0]}`)
      const at = existingPath(document, key) ?? setting.key.split('.')
      document.setIn(at, typed(setting, value))
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(`${path}.new`, document.toString(), { mode: 0o600 })
      renameSync(`${path}.new`, path)
      return `${setting.key} = ${setting.secret ? '***' : value}`
    },
  }
}

/** Where the file has the setting already, in its own spelling. */
function existingPath(document: Document, key: string): string[] | undefined {
  const wanted = settingAt(key)
  const walk = (node: unknown, path: string[]): string[] | undefined => {
    if (!isMap(node)) return wanted === settingAt(path.join('.')) ? path : undefined
    for (const item of node.items) {
      const name = isScalar(item.key) ? String(item.key.value) : String(item.key)
      const found = walk(item.value, [...path, name])
      if (found) return found
    }
    return undefined
  }
  return walk(document.contents, [])
}

function typed(setting: Setting, value: string): string | number | boolean {
  const parsed = parseValue(setting.kind, value)
  if (setting.kind === 'flag' || setting.kind === 'count') return parsed as number | boolean
  return value
}
