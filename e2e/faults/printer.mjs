// Prints numbered lines when it is told to. Orders on its control port: `print TO`, `exit CODE`; it answers `printed TO`.
import { connect } from 'node:net'

const control = connect(Number(process.argv[2]), '127.0.0.1')
const orders = []
let rest = ''
let printed = 0
let busy = false
control.on('data', data => {
  const lines = (rest + data).split('\n')
  rest = lines.pop()
  orders.push(...lines)
  if (!busy) next()
})
control.on('error', () => process.exit(9))
control.on('close', () => process.exit(9))

function next() {
  const [order, number] = orders.shift()?.split(' ') ?? []
  busy = order !== undefined
  if (order === 'exit') process.exit(Number(number))
  if (order === 'print') print(Number(number))
}

/** In small pieces, as programs print: some lines, then a turn of the event loop. */
function print(to) {
  let text = ''
  for (const end = Math.min(to, printed + 1 + (printed % 97)); printed < end; ) {
    printed++
    text += `${printed} ${'.'.repeat((printed * 7919) % 120)}\n`
  }
  process.stdout.write(text, () => {
    if (printed < to) return setImmediate(print, to)
    control.write(`printed ${to}\n`)
    next()
  })
}
