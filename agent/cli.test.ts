import { readdirSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { buildProgram, COMMANDS } from './cli.ts'

const NAMES = COMMANDS.map(({ name }) => name)

describe('the registry of commands', () => {
  it('names every file in commands/', () => {
    const files = readdirSync(new URL('./commands', import.meta.url)).filter(name => !name.includes('.test.'))
    expect(files.map(name => name.replace('.ts', '')).sort()).toEqual([...NAMES].sort())
  })

  it('lists every command in the help', async () => {
    const help = (await buildProgram([], () => async () => {})).helpInformation()
    for (const { name, summary } of COMMANDS)
      expect(help).toMatch(new RegExp(`^ +${name} .*${summary.slice(0, 12)}`, 'm'))
  })

  it.each(NAMES)('%s has an action, examples in its help, and words for every option', async name => {
    const program = await buildProgram([name], () => async () => {})
    const command = program.commands.find(each => each.name() === name)!
    for (const each of [command, ...command.commands]) {
      const help = helpOf(each)
      expect(help).toMatch(/Examples:\n {2}\$ .*keruta /)
      expect(help).toContain('--api-url')
      for (const option of each.options) expect(option.description, option.flags).not.toBe('')
    }
  })
})

function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({
    writeOut: text => {
      help += text
    },
  })
  command.outputHelp()
  return help
}
