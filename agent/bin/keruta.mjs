#!/usr/bin/env node
// Starts the agent under a Node that runs TypeScript: this one where it can, else the project's own.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major > 22 || (major === 22 && minor >= 18)) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  await import('../main.ts')
} else {
  const { runWithOwnNode } = await import('./own-node.mjs')
  runWithOwnNode(new URL('keruta.mjs', import.meta.url))
}
