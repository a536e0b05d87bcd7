// node scripts/with-setup.mjs FILE [ARGS]: runs a TypeScript file of the project, after setting up what is missing.
import { main, projectNode } from './lib/project.mjs'
import { runInForeground } from './lib/run.mjs'
import { setUp } from './setup.mjs'

await main(async () => {
  await setUp({ build: true })
  return runInForeground(projectNode(), process.argv.slice(2), { NODE_ENV: 'production' })
})
