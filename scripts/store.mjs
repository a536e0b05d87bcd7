// npm run store -- …: the tools for what a server stores, after setting up what is missing.
import { main, projectNode } from './lib/project.mjs'
import { runInForeground } from './lib/run.mjs'
import { setUp } from './setup.mjs'

await main(async () => {
  await setUp({ build: false })
  return runInForeground(projectNode(), ['server/store-tools/main.ts', ...process.argv.slice(2)], {
    NODE_ENV: 'production',
  })
})
