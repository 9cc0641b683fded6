import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyedLock } from '../../../component/base/keyed-lock.ts'

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

test('actions of one key run one after another, those of another key do not wait', async () => {
  const lock = createKeyedLock()
  const first = gate()
  const order: string[] = []
  const slow = lock.run('a', async () => {
    await first.opened
    order.push('a1')
  })
  const next = lock.run('a', () => Promise.resolve(order.push('a2')))
  await lock.run('b', () => Promise.resolve(order.push('b')))
  first.open()
  await Promise.all([slow, next])
  assert.deepEqual(order, ['b', 'a1', 'a2'])
})

test('a failed action fails its caller and holds up nobody', async () => {
  const lock = createKeyedLock()
  const failing = lock.run('a', () => Promise.reject(new Error('no')))
  const next = lock.run('a', () => Promise.resolve('done'))
  await assert.rejects(failing, { message: 'no' })
  assert.equal(await next, 'done')
})
