import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SETTINGS, type Setting } from '#agent/settings.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const missing = (names: string[]) => names.filter(name => !readme.includes(`\`${name}\``))

it('names every variable that the server reads', () => {
  const source = readFileSync(join(root, 'server/config.ts'), 'utf8')
  const variables = [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(match => match[1]!)
  expect(variables).toContain('KERUTA_DATA_DIR')
  expect(missing(variables.filter(name => name !== 'NODE_ENV'))).toEqual([])
})

it('names every variable and YAML path that the agent reads', () => {
  const settings: Setting[] = Object.values(SETTINGS)
  expect(missing(settings.flatMap(setting => setting.env ?? [setting.key]))).toEqual([])
})

it('names every npm script', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const commands = Object.keys(scripts).map(name =>
    /^(start|test)$/.test(name) ? `npm ${name}` : `npm run ${name}`,
  )
  expect(commands.filter(command => !readme.includes(command))).toEqual([])
})
