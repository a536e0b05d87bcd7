// A child whose lines say when they were printed. Each order on its control port, `RUN LINES PER_SECOND`, is one run.
import { connect } from 'node:net'

const control = connect(Number(process.argv[2]), '127.0.0.1')
let rest = ''
control.on('data', data => {
  const orders = (rest + data).split('\n')
  rest = orders.pop()
  for (const order of orders) print(...order.split(' ').map(Number))
})
control.on('close', () => process.exit())

function print(run, lines, perSecond) {
  const startedAt = performance.now()
  let printed = 0
  const step = () => {
    const due = Math.min(lines, Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1)
    while (printed < due)
      process.stdout.write(`line ${++printed} of run ${run} at ${Date.now()}: compiling one more file\n`)
    if (printed < lines) setTimeout(step, 1)
  }
  step()
}
