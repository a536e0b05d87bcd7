import { optimize } from './optimize.ts'

// Before anything else is loaded: what is compiled stays in memory.
if (process.argv[2] === 'daemon') optimize(false)
