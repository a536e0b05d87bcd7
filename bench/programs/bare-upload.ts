// The bare loop of uploads: a server that writes each body to one file and makes it durable, and nothing else.
import { createWriteStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

const server = createServer(async (request, response) => {
  await pipeline(request, createWriteStream(process.argv[2]!, { flush: true }))
  response.end('{}')
})
server.listen(0, '127.0.0.1', () => {
  console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
