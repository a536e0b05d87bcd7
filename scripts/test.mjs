// npm test [-- CHECK… FILTER…]: runs every check, or the named ones; other words filter the unit and browser test files.
import { checks } from './lib/checks.mjs'
import { main } from './lib/project.mjs'
import { setUp } from './setup.mjs'

await main(async () => {
  process.env.CI ??= 'true'
  process.env.NEXT_TELEMETRY_DISABLED = '1'
  if (!process.stdout.isTTY) process.env.NO_COLOR ??= '1'
  await setUp({ build: false })

  const words = process.argv.slice(2)
  const filters = words.filter(word => !checks.some(check => check.name === word))
  const named = words.length > filters.length
  const chosen = checks.filter(check => !named || words.includes(check.name))

  const results = []
  for (const check of chosen) results.push(await carryOut(check, filters))

  console.log('')
  for (const { name, seconds, passed, failed, skipped, notes } of results) {
    const verdict = failed > 0 ? 'FAILED' : passed > 0 ? 'passed' : 'skipped'
    console.log(
      `${name.padEnd(8)} ${verdict.padEnd(8)} ${summary({ passed, failed, skipped })}  ${seconds} s`,
    )
    for (const note of notes) console.log(`         ${note}`)
  }
  const total = key => results.reduce((sum, result) => sum + result[key], 0)
  const totals = { passed: total('passed'), failed: total('failed'), skipped: total('skipped') }
  console.log(`\n${summary(totals)}`)
  return totals.failed > 0 ? 1 : 0
})

async function carryOut(check, filters) {
  console.log(`\n━━ ${check.name} ━━`)
  const startedAt = Date.now()
  const result = await check.run(filters).catch(error => {
    console.error(error)
    return { passed: 0, failed: 1, skipped: 0, notes: [`crashed: ${error.message}`] }
  })
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  return { name: check.name, seconds, ...result }
}

function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
