import { BlockList, isIP } from 'node:net'

/** Whether an address is one of these, or lies in one of these networks; each is an address or `10.0.0.0/8`. */
export function withinNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const { address, family, prefix } = partsOf(network)!
    list.addSubnet(address, prefix, family)
  }
  return address => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** Whether this names an address or a network. */
export function isNetwork(text: string): boolean {
  return partsOf(text) !== undefined
}

function partsOf(text: string) {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  const most = version === 6 ? 128 : 32
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (version === 0 || rest.length > 0 || !(prefix <= most)) return undefined
  return { address, prefix, family: version === 6 ? ('ipv6' as const) : ('ipv4' as const) }
}
