import type { Command } from 'commander'
import { PROTOCOL_VERSION } from '#protocol/version.ts'
import type { Handler } from '../cli.ts'
import { versionOf } from '../form.ts'

export function define(command: Command, action: (handler: Handler) => void): void {
  command.addHelpText(
    'after',
    `
Examples:
  $ keruta version --json`,
  )
  action(async context => {
    const version = versionOf()
    const about = {
      version,
      protocol: PROTOCOL_VERSION,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    }
    context.print(
      context.config.json
        ? JSON.stringify(about)
        : `keruta ${version} (protocol ${PROTOCOL_VERSION}, Node ${about.node}, ${about.platform})`,
    )
    return 0
  })
}
