import { serveEcho } from './peers/echo.ts'

serveEcho(Number(process.argv[2]), (port) => process.send?.(port))
// Whoever asked for it has gone.
process.on('disconnect', () => process.exit())
