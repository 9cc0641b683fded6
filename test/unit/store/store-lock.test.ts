import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '../../../component/base/fault.ts'
import { readBootId } from '../../../component/store/boot-id.ts'
import { acquireStoreLock, StoreInUse } from '../../../component/store/store-lock.ts'
import { temporaryFolder } from '../../helpers/catalogue-fixture.ts'
import { firstOutput, killChild, spawnTypescript } from '../../helpers/typescript-child.ts'

const isHeldBy = (pid: number | undefined) => (error: unknown) => {
  assert.ok(error instanceof StoreInUse)
  assert.equal(error.holder?.pid, pid)
  assert.match(error.message, new RegExp(`in use by the process ${String(pid)};`))
  return true
}

test('the store of a running process is in use until that process ends, also while it is stopped', async (t) => {
  const folder = temporaryFolder(t)
  const child = spawnTypescript('store-lock-child.ts', [folder])
  t.after(() => killChild(child))
  assert.equal(await firstOutput(child), 'locked\n')
  await assert.rejects(acquireStoreLock(folder), isHeldBy(child.pid))
  // The lock file alone has to do where there is no abstract socket.
  await assert.rejects(acquireStoreLock(folder, 'other'), isHeldBy(child.pid))
  child.kill('SIGSTOP')
  await assert.rejects(acquireStoreLock(folder), isHeldBy(child.pid))
  await killChild(child)
  assert.ok(existsSync(join(folder, 'store.lock')), 'the killed process left its file')
  const lock = await acquireStoreLock(folder)
  assert.equal(readFileSync(join(folder, 'store.lock'), 'latin1').split('\n')[0], String(process.pid))
  await lock.release()
})

test('an orderly end gives the lock back and removes the file', async (t) => {
  const folder = temporaryFolder(t)
  const child = spawnTypescript('store-lock-child.ts', [folder])
  t.after(() => killChild(child))
  await firstOutput(child)
  child.stdin?.end()
  await once(child, 'exit')
  assert.ok(!existsSync(join(folder, 'store.lock')))
  await (await acquireStoreLock(folder)).release()
})

test('lock files that killed processes were writing are removed, those of running ones and other files are not', async (t) => {
  const folder = temporaryFolder(t)
  const gone = spawnSync(process.execPath, ['--version']).pid
  const others = [`store.lock.${process.ppid}`, `store.lock.${gone}x`, `catalogue.lock.${gone}`]
  for (const name of [`store.lock.${gone}`, ...others]) writeFileSync(join(folder, name), '')
  const lock = await acquireStoreLock(folder)
  assert.deepEqual(readdirSync(folder), [...others, 'store.lock'].sort())
  await lock.release()
})

test('another name of the same folder has the same lock', async (t) => {
  const folder = temporaryFolder(t)
  const store = join(folder, 'store')
  mkdirSync(store)
  symlinkSync(store, join(folder, 'link'))
  const lock = await acquireStoreLock(store)
  await assert.rejects(acquireStoreLock(join(folder, 'link')), isHeldBy(process.pid))
  await lock.release()
  await (await acquireStoreLock(join(folder, 'link'))).release()
})

test('a file left by a process that is gone does not lock', async (t) => {
  const boot = readBootId() ?? ''
  const parent = `${process.ppid}`
  const leftovers = {
    'no such process': `999999999\n${boot}\n1\n`,
    'another boot': `${parent}\n00000000-0000-0000-0000-000000000000\n\n`,
    'another process with this pid': `${parent}\n${boot}\n1\n`,
    'own pid, from before': `${process.pid}\n${boot}\n1\n`,
    garbage: '\0\0\0',
    empty: '',
    'half written': parent,
    huge: parent.padEnd(100_000, '\n')
  }
  for (const [name, text] of Object.entries(leftovers)) {
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, 'store.lock'), text)
    const lock = await acquireStoreLock(folder, 'other')
    assert.equal(statSync(join(folder, 'store.lock')).mode & 0o777, 0o600, name)
    await lock.release()
  }
})

test('a lock file that cannot be written does not keep the owner of the socket from starting', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'store.lock', 'something'), { recursive: true })
  const lock = await acquireStoreLock(folder, 'linux')
  await lock.release()
  assert.ok(existsSync(join(folder, 'store.lock', 'something')))
})

test('a folder that is not there is a fault with its name', async (t) => {
  const folder = join(temporaryFolder(t), 'missing')
  await assert.rejects(acquireStoreLock(folder), (error) => error instanceof Fault && error.message.includes(folder))
})

test('the boot id is undefined where there is none', (t) => {
  const folder = temporaryFolder(t)
  assert.equal(readBootId(join(folder, 'missing')), undefined)
  writeFileSync(join(folder, 'id'), 'abc\n')
  assert.equal(readBootId(join(folder, 'id')), 'abc')
})
