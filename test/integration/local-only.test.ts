import assert from 'node:assert/strict'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { startServer } from '../helpers/server-process.ts'

/** 127.0.0.1 and ::1 as /proc/net writes them: in words of four bytes, each in the order of the machine. */
const LOOPBACK = ['0100007F', '00000000000000000000000001000000']
const LISTENING = '0A'

/** Inodes of the sockets that a process has open. */
function socketsOf(pid: number): Set<string> {
  const links = readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`)
    } catch {
      // Closed meanwhile.
      return ''
    }
  })
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

/** Addresses at which a process listens, without their ports. */
function listeningAddresses(pid: number): string[] {
  const sockets = socketsOf(pid)
  const lines = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, 'latin1').split('\n').slice(1)
  )
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    return state === LISTENING && sockets.has(inode) ? [local.split(':')[0] ?? ''] : []
  })
}

test('the server listens on loopback addresses only', async (t) => {
  const server = await startServer()
  t.after(() => server.dispose())
  const addresses = listeningAddresses(server.pid)
  assert.ok(addresses.includes(LOOPBACK[0]!), addresses.join(' '))
  assert.deepEqual(
    addresses.filter((address) => !LOOPBACK.includes(address)),
    []
  )
})
